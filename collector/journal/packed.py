"""Rows in and out of SQLite with few steps.

Python's sqlite3 gives up the interpreter lock around every single row. Next to a busy event loop each row then waits
for the lock (measured: 1,500 rows/s). So many rows travel as one: written by INSERT with many VALUES, read as one text
per column that SQLite puts together.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from functools import cache
from typing import Any

import msgspec

_REAL_COLUMNS = frozenset({"value", "total", "minimum", "maximum"})
# Most values have few decimals: as millionths they are short integers, where dividing gives the same double again.
# For the others 19 digits do; 17, as SQLite counts them, do not bring every double back.
_MILLION = 1e6
_MILLIONTHS = "CAST(round({0} * 1e6) AS INTEGER)"
_REAL = (
    f"CASE WHEN {_MILLIONTHS} / 1e6 = {{0}} THEN {_MILLIONTHS}"
    " WHEN {0} IS NULL THEN 'null' ELSE printf('%!.19g', {0}) END"
)
_INTEGERS = msgspec.json.Decoder(list[int])
_VARIABLES_PER_STATEMENT = 15_000


def fetch(
    connection: sqlite3.Connection, columns: str, source: str, parameters: Sequence[Any] = ()
) -> list[tuple[Any, ...]]:
    """Return the rows of ``SELECT columns source``; sort them where the order matters.

    ``columns`` are names, of integers that are never null and of the real numbers of readings and roll-ups.
    """
    return list(zip(*fetch_columns(connection, columns, source, parameters), strict=True))


def fetch_columns(
    connection: sqlite3.Connection, columns: str, source: str, parameters: Sequence[Any] = ()
) -> list[list[Any]]:
    """Return the same column by column, each as a list."""
    names = _names(columns)
    texts = connection.execute(_statement(columns, source), parameters).fetchone()
    return [[] if text is None else _values(name, text) for name, text in zip(names, texts, strict=True)]


def _values(column: str, text: str) -> list[Any]:
    try:
        integers = _INTEGERS.decode(f"[{text}]")
    except msgspec.DecodeError:
        numbers = _list(text)
        return [number / _MILLION if type(number) is int else number for number in numbers]
    return [number / _MILLION for number in integers] if column in _REAL_COLUMNS else integers


def _list(text: str) -> list[Any]:
    if "Inf" in text:  # not JSON, but the standard library reads it
        infinite: list[Any] = json.loads(f"[{text.replace('Inf', 'Infinity')}]")
        return infinite
    return msgspec.json.decode(f"[{text}]", type=list[Any])


def _names(columns: str) -> list[str]:
    return columns.replace(" ", "").split(",")


@cache
def _statement(columns: str, source: str) -> str:
    texts = (_REAL.format(name) if name in _REAL_COLUMNS else name for name in _names(columns))
    concatenated = ", ".join(f"group_concat({text})" for text in texts)
    return f"SELECT {concatenated} FROM (SELECT {columns} {source})"  # noqa: S608 -- constants of this package


class Insert:
    """One INSERT for any number of rows; values are given flat, row after row."""

    def __init__(self, head: str, width: int, tail: str = "") -> None:
        """Prepare e.g. ``Insert("INSERT INTO log", 6)`` for rows of six values."""
        self._head, self._width, self._tail = head, width, tail
        self._rows = max(1, _VARIABLES_PER_STATEMENT // width)
        self._full = self._sql(self._rows)

    def run(self, connection: sqlite3.Connection, values: Sequence[Any]) -> None:
        """Insert the rows inside the open transaction."""
        size = self._rows * self._width
        whole = len(values) - len(values) % size
        for start in range(0, whole, size):
            connection.execute(self._full, values[start : start + size])
        if whole < len(values):
            rest = values[whole:]
            connection.execute(self._sql(len(rest) // self._width), rest)

    def _sql(self, rows: int) -> str:
        row = f"({','.join('?' * self._width)})"
        return f"{self._head} VALUES {','.join([row] * rows)} {self._tail}"

"""Rows in and out of SQLite with few steps.

Python's sqlite3 gives up the interpreter lock around every single row. Next to a busy event loop each row then waits
for the lock (measured: 1,500 rows/s). So many rows travel as one: written by INSERT with many VALUES, read as one text
that SQLite puts together.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from functools import cache
from typing import Any

_REAL_COLUMNS = frozenset({"value", "total", "minimum", "maximum"})
# 19 digits bring every double back exactly; 17, as SQLite counts them, do not.
_REAL_FORMAT = "iif({0} IS NULL, 'null', printf('%!.19g', {0}))"
_VARIABLES_PER_STATEMENT = 15_000


def fetch(connection: sqlite3.Connection, columns: str, source: str, parameters: Sequence[Any] = ()) -> list[list[Any]]:
    """Return the rows of ``SELECT columns source``, in the order of ``source`` or not: sort where it matters.

    ``columns`` are names, integers never null except those of readings and roll-ups that are real numbers.
    """
    (text,) = connection.execute(_statement(columns, source), parameters).fetchone()
    if text is None:
        return []
    if "Inf" in text:
        text = text.replace("Inf", "Infinity")
    rows: list[list[Any]] = json.loads(f"[{text}]")
    return rows


@cache
def _statement(columns: str, source: str) -> str:
    names = [name.strip() for name in columns.split(",")]
    formats = ",".join("%s" if name in _REAL_COLUMNS else "%d" for name in names)
    values = ", ".join(_REAL_FORMAT.format(name) if name in _REAL_COLUMNS else name for name in names)
    return f"SELECT group_concat(printf('[{formats}]', {values})) FROM (SELECT {columns} {source})"  # noqa: S608 -- both are constants of this package


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

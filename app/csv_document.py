"""Tables (CSV) as people save them: rows by header, with the line and column of every cell."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from app.yaml_document import refusal
from domain.document import Document, Path
from domain.errors import DocumentError, Problem


def parse_csv(text: str, source: str) -> Document:
    """Return the rows of a table as dictionaries by header, without empty cells; columns count cells from 1.

    The separator is the one of comma, semicolon and tab that the header holds most of.
    """
    text = text.removeprefix("\ufeff")
    header_line = text.split("\n", 1)[0]
    separator = max(",;\t", key=header_line.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        return _Table(source).read(reader)
    except csv.Error as error:
        raise refusal(source, reader.line_num or 1, 1, "table", str(error), "comma-separated values") from error


class _Table:
    """Turns the rows of a CSV file into a document."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._problems: list[Problem] = []
        self._positions: dict[Path, tuple[int, int]] = {}

    def read(self, reader: Any) -> Document:
        header = [name.strip() for name in next(reader, [])]
        if not any(header):
            raise refusal(self._source, 1, 1, "table", "an empty file", "a header line and rows")
        self._check_header(header)
        rows: list[dict[str, str]] = []
        for cells in self._lines(reader):
            rows.append(self._row(header, cells, len(rows)))
        if self._problems:
            raise DocumentError(self._problems)
        return Document(self._source, rows, self._positions)

    def _lines(self, reader: Any) -> Iterator[list[str]]:
        self._line = reader.line_num + 1
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield cells
            self._line = reader.line_num + 1

    def _check_header(self, header: list[str]) -> None:
        for column, name in enumerate(header, start=1):
            if not name or name in header[: column - 1]:
                found = f"the column {name!r} again" if name else "a column without a name"
                self._problems.append(Problem(self._source, 1, column, "header", found, "each column named once"))

    def _row(self, header: list[str], cells: list[str], index: int) -> dict[str, str]:
        self._positions[(index,)] = (self._line, 1)
        if len(cells) > len(header):
            found, allowed = f"{len(cells)} cells", f"at most {len(header)}, as in the header"
            self._problems.append(
                Problem(self._source, self._line, len(header) + 1, f"row {index + 1}", found, allowed)
            )
        row = {}
        for column, (name, cell) in enumerate(zip(header, cells, strict=False), start=1):
            if cell:
                row[name] = cell
                self._positions[index, name] = (self._line, column)
        return row

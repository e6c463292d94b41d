"""Small tables to download: whole in one answer, for spreadsheets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from starlette.responses import Response

from api.download import CSV
from api.readings_csv import csv_text, plain_text

_MARK = "\ufeff"
"""What makes a spreadsheet read UTF-8."""
Cell = str | int | float | None


def csv_response(name: str, header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Response:
    """Return a table as a file of this name (letters, digits, dashes) that is kept and not shown."""
    lines = [header, *([plain_text(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)]
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"', "Cache-Control": "private, no-cache"}
    body = f"{_MARK}{csv_text(lines)}".encode("utf-8", "replace")
    return Response(body, media_type=CSV, headers=headers)

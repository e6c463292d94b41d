"""Recorded data of real devices, read by an oracle that knows nothing of Vitals."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, tzinfo
from itertools import groupby
from pathlib import Path

import pytest

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
QTAG = DATA / "coldchain" / "berlinger" / "qtagCLm_RCPJ00010_02.readings.csv"
ESMI = DATA / "power" / "esmi_2015-01-04_APU001_APU002_APU003_1min.csv"

needs_recordings = pytest.mark.skipif(not DATA.is_dir(), reason=f"the recorded data are not at {DATA}")

Row = tuple[datetime, float]
Run = tuple[datetime, datetime | None, float]
"""Start, end (the first row that is fine again; None at the end of the file) and extreme."""


def rows(
    path: Path,
    time: str,
    value: str,
    where: Callable[[dict[str, str]], bool] = lambda row: True,
    zone: tzinfo = UTC,
) -> list[Row]:
    """Return moments and values of a file; its times are in ``zone``."""
    with path.open(encoding="utf-8", newline="") as file:
        return [
            (datetime.fromisoformat(row[time]).replace(tzinfo=zone).astimezone(UTC), float(row[value]))
            for row in csv.DictReader(file)
            if where(row)
        ]


def runs(table: Sequence[Row], beyond: Callable[[float], float]) -> list[Run]:
    """Return every unbroken run of rows for which ``beyond`` is positive: how far they are beyond a limit."""
    found: list[Run] = []
    at = 0
    for is_beyond, group in groupby(table, key=lambda row: beyond(row[1]) > 0):
        members = list(group)
        at += len(members)
        if is_beyond:
            end = table[at][0] if at < len(table) else None
            found.append((members[0][0], end, max((value for _, value in members), key=beyond)))
    return found

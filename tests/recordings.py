"""Recorded data of real devices, read by an oracle that knows nothing of Vitals."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import pytest

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
QTAG = DATA / "coldchain" / "berlinger" / "qtagCLm_RCPJ00010_02.readings.csv"
QTAG_REPORT = DATA / "coldchain" / "berlinger" / "qtagCLm_RCPJ00010_02.txt"
FRIDGE_TAGS = sorted((DATA / "coldchain" / "berlinger").glob("fridgetag2_*.txt"))
FRIDGE_TAGS += sorted((DATA / "coldchain" / "berlinger" / "fixtures_valid").glob("*.txt"))
EMS_MAINS = DATA / "coldchain" / "ems" / "mains_normal.json"
EMS_OUTAGE = DATA / "coldchain" / "ems" / "power_outage.json"
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


class DeviceLimit(NamedTuple):
    """A limit in °C that a device is configured with, and for how long it may be crossed."""

    limit: float
    lasting: timedelta


class DeviceEvent(NamedTuple):
    """What a device says of one excursion: to the minute, by its clock."""

    start: datetime
    alarm: datetime
    end: datetime | None
    """None where it went on until the device was stopped, and where a sum of several has no end."""
    lasted: timedelta


class QTagReport(NamedTuple):
    """A Q-tag's configuration and verdict; the keys are the types of its alarms."""

    limits: dict[str, DeviceLimit]
    events: dict[str, list[DeviceEvent]]
    stopped: datetime


class FridgeTagDay(NamedTuple):
    """A day of a Fridge-tag: its extremes (None where it wrote ``---``), and its verdict on cold (0) and heat (1)."""

    midnight: datetime
    extremes: tuple[Row | None, Row | None]
    average: float | None
    minutes_beyond: tuple[int, int]
    alarmed: tuple[bool, bool]


# Which alarm is which follows from the results: of 1 and 2 each event is listed with its end, of 3 and 4 the sum.
_QTAG_TYPES = {"1": "cold", "2": "hot", "3": "cold in sum", "4": "hot in sum"}
_LIMIT = r"T AL: (?P<limit>\S+), t AL: (?P<lasting>\d+)"
_QTAG_LIMIT = re.compile(rf"^  (?P<number>\d):\n   Type: (?P<type>\d), {_LIMIT}", re.MULTILINE)
_QTAG_EVENTS = re.compile(r"^  (?P<number>\d):\n(?P<events>(?:   TS S: .*\n)+)", re.MULTILINE)
_FRIDGE_TAG_LIMIT = re.compile(rf"^  [01]:\n   {_LIMIT}", re.MULTILINE)
_FRIDGE_TAG_DAY = re.compile(
    r"  Date: (?P<date>\S+)\n  Min T: (?P<min>\S+), TS Min T: (?P<min_at>\S+)\n"
    r"  Max T: (?P<max>\S+), TS Max T: (?P<max_at>\S+)\n  Avrg T: (?P<average>\S+)\n  Alarm:\n"
    r"   0:\n    t Acc: (?P<cold>\d+)(?P<cold_alarm>.*)\n   1:\n    t Acc: (?P<hot>\d+)(?P<hot_alarm>.*)\n"
)


def qtag_report(path: Path = QTAG_REPORT) -> QTagReport:
    """Return what a Q-tag says of its transport, times as UTC like its readings."""
    configured, result = path.read_text(encoding="utf-8").split("\nRes:")
    types, limits = {}, {}
    for found in _QTAG_LIMIT.finditer(configured):
        types[found["number"]] = kind = _QTAG_TYPES[found["type"]]
        limits[kind] = _limit(found)
    events = {
        types[found["number"]]: [_event(line) for line in found["events"].splitlines()]
        for found in _QTAG_EVENTS.finditer(result)
    }
    stopped = re.search(r"TS Stop: (.*)", result)
    assert stopped is not None
    return QTagReport(limits, events, _moment(stopped[1]))


def fridge_tag(path: Path) -> tuple[tuple[DeviceLimit, ...], list[FridgeTagDay]]:
    """Return the limits of a Fridge-tag (cold, hot; none where it does not say) and its days, oldest first."""
    text = path.read_text(encoding="utf-8")
    limits = tuple(_limit(found) for found in _FRIDGE_TAG_LIMIT.finditer(text))
    return limits, sorted(_day(found) for found in _FRIDGE_TAG_DAY.finditer(text))


def _limit(found: re.Match[str]) -> DeviceLimit:
    return DeviceLimit(float(found["limit"]), timedelta(minutes=int(found["lasting"])))


def _event(line: str) -> DeviceEvent:
    said = {key.strip(): value.strip() for key, _, value in (part.partition(":") for part in line.split(","))}
    end = said.get("TS E")
    lasted = timedelta(minutes=int(said["t A"]))
    return DeviceEvent(_moment(said["TS S"]), _moment(said["TS A"]), _moment(end) if end else None, lasted)


def _day(found: re.Match[str]) -> FridgeTagDay:
    def extreme(name: str) -> Row | None:
        value, at = found[name], found[f"{name}_at"]
        return None if "---" in (value, at) else (_moment(f"{found['date']} {at}"), float(value))

    return FridgeTagDay(
        _moment(f"{found['date']} 00:00"),
        (extreme("min"), extreme("max")),
        None if found["average"] == "---" else float(found["average"]),
        (int(found["cold"]), int(found["hot"])),
        ("TS A" in found["cold_alarm"], "TS A" in found["hot_alarm"]),
    )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)

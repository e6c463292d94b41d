"""The pages of reports: what can be ordered, how far an order is, and what the report says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from dashboards.figures.places import Where
from dashboards.pages.place_links import Link, facility_address
from dashboards.pages.wording import local_time
from dashboards.pages.words import Words, noop
from dashboards.report.lines import month_text
from dashboards.report.month import month_at, month_within, zone_of
from dashboards.report.month_view import MonthView, month_view
from dashboards.report.sla_view import SlaView, sla_view
from domain.directory import Directory
from domain.instant import to_datetime
from domain.places import EVERYWHERE, Place

MONTHS_BACK: Final = 24
_TITLES: Final = {"sla": noop("Contract figures"), "monthly": noop("Monthly report")}
_PATHS: Final = {"sla": "/sla", "monthly": "/reports"}
_NAMES: Final = ("country", "region", "district", "facility")
_STAGES: Final = {
    "waiting": noop("waits for its turn"),
    "running": noop("is on its way"),
    "done": noop("is done"),
    "failed": noop("failed"),
    "cancelled": noop("was cancelled"),
}
_FILES: Final = {
    "sla": (("pdf", noop("As PDF")), ("csv", noop("As a table (CSV)")), ("outages", noop("Outages (CSV)")),
            ("json", noop("As JSON"))),
    "monthly": (("pdf", noop("As PDF")), ("csv", noop("As a table (CSV)")), ("json", noop("As JSON"))),
}  # fmt: skip


class OrderLine(NamedTuple):
    """An order, as plain data."""

    number: int
    place: Place
    start: datetime
    end: datetime
    zone: str
    stage: str
    by: str


@dataclass(frozen=True, slots=True)
class Option:
    """What can be chosen."""

    value: str
    label: str
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Ordered:
    """An order in the list of those before."""

    link: Link
    stage: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportForm:
    """What can be ordered."""

    kind: str
    title: str
    path: str
    kinds: tuple[Link, ...]
    problem: str
    place: str
    """The place that is chosen; empty: a district is to be chosen."""
    hidden: tuple[tuple[str, str], ...]
    """The parts of that place."""
    districts: tuple[Option, ...]
    months: tuple[Option, ...]
    zone: str
    before: tuple[Ordered, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPage:
    """What came of an order so far."""

    kind: str
    title: str
    here: str
    back: Link
    stage: str
    running: bool
    done: int
    of: int
    error: str
    found: SlaView | MonthView | None
    place: str
    period: str
    files: tuple[Link, ...]
    may_issue: bool
    issued_by: str


def report_form(
    kind: str,
    place: Place,
    directory: Directory,
    before: Sequence[OrderLine],
    now_ms: int,
    words: Words,
    problem: str = "",
) -> ReportForm:
    """Return what can be ordered for a place; everywhere: for any district."""
    facilities = [each for each in directory.facilities.values() if place.covers(each)]
    zone = zone_of(facilities)
    districts = sorted({each.district for each in facilities if each.district}, key=str.casefold)
    this = month_at(to_datetime(now_ms), zone)
    months = [this.moved(-back) for back in range(MONTHS_BACK)]
    return ReportForm(
        kind=kind,
        title=words(_TITLES[kind]),
        path=_PATHS[kind],
        kinds=tuple(Link(words(title), _address(each, place), each == kind) for each, title in _TITLES.items()),
        problem=problem,
        place=_place_name(place, directory) if place != EVERYWHERE else "",
        hidden=tuple((name, part) for name in _NAMES if (part := getattr(place, name))),
        districts=tuple(Option(each, each) for each in districts),
        months=tuple(Option(str(each), month_text(str(each), words), back == 1) for back, each in enumerate(months)),
        zone=zone,
        before=tuple(_ordered(kind, each, directory, now_ms, words) for each in before),
    )


def _ordered(kind: str, line: OrderLine, directory: Directory, now_ms: int, words: Words) -> Ordered:
    name = _place_name(line.place, directory) or words("All places")
    text = words("{what}: {said}", what=name, said=_period(line, words))
    return Ordered(Link(text, f"{_PATHS[kind]}/{line.number}"), words(_STAGES[line.stage]), line.by)


def _period(line: OrderLine, words: Words) -> str:
    month = month_within((line.start, line.end), line.zone)
    if month is not None:
        return month_text(str(month), words)
    start, end = (local_time(each, line.zone, 0, words).text for each in (line.start, line.end))
    return words("{start} to {end}", start=start, end=end)


def _place_name(place: Place, directory: Directory) -> str:
    facility = directory.facilities.get(place.facility)
    named = facility.name if facility else place.facility
    return named or place.district or place.region or place.country


def _address(kind: str, place: Place) -> str:
    asked = urlencode([(name, part) for name in _NAMES if (part := getattr(place, name))], errors="replace")
    return f"{_PATHS[kind]}?{asked}" if asked else _PATHS[kind]


def report_page(
    kind: str,
    line: OrderLine,
    *,
    progress: tuple[int, int],
    error: str,
    data: Mapping[str, Any] | None,
    directory: Directory,
    may_issue: bool,
    issued_by: str,
    words: Words,
) -> ReportPage:
    """Return what came of an order; ``data`` is the report, cut to what is shown, once it is done."""
    here, place = f"{_PATHS[kind]}/{line.number}", line.place
    name = _place_name(place, directory) or words("All places")
    return ReportPage(
        kind=kind,
        title=words(_TITLES[kind]),
        here=here,
        back=Link(name, facility_address(place.facility))
        if place.facility
        else Link(words(_TITLES[kind]), _address(kind, place)),
        stage=line.stage,
        running=line.stage in ("waiting", "running"),
        done=progress[0],
        of=progress[1],
        error=error,
        found=None if data is None else sla_view(data, words) if kind == "sla" else month_view(data, words),
        place=name,
        period=_period(line, words),
        files=tuple(Link(words(text), f"{here}/report.{form}") for form, text in _FILES[kind]) if data else (),
        may_issue=may_issue and data is not None and not issued_by,
        issued_by=issued_by,
    )


def report_links(where: Where, words: Words) -> tuple[Link, ...]:
    """Return where reports on a place are ordered; nowhere for one that lies in a place without a name."""
    if not all(where):
        return ()
    return tuple(Link(words(title), _address(kind, Place(*where))) for kind, title in _TITLES.items())

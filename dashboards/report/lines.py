"""Lines that several reports share: how a service was, outages, and how times and shares are written."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from babel.dates import format_date

from dashboards.pages.wording import SERVICE_WORDS, LocalTime, duration_text, local_time, number_text
from dashboards.pages.words import Words, noop
from dashboards.report.month import month_of
from domain.instant import SECOND_MS, parse_rfc3339, to_ms
from domain.places import Service

Data = Mapping[str, Any]
"""A report, or a part of it, as plain data."""
_BAR_WIDTH: Final = 100.0
_PARTS: Final = ("up", "down", "unknown", "planned")
_WITH_YEARS: Final = 0
"""As of this moment every year is written: what is on paper is read in other years, too."""
_BEFORE: Final = noop("had begun before")
_GOES_ON: Final = noop("goes on")
_MOMENTARY: Final = noop("momentary")


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """What stands at the head of a report."""

    title: str
    """The place."""
    where: str
    """The larger places that it lies in."""
    period: str
    from_: LocalTime
    to: LocalTime
    as_of: LocalTime
    facilities: int


@dataclass(frozen=True, slots=True)
class BarPart:
    """A stretch of a bar; the whole is 100 wide."""

    name: str
    x: float
    width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceLine:
    """How one service of one facility was."""

    service: Service
    word: str
    availability: str
    target: str
    """Empty where nothing is promised."""
    kept: bool | None
    """Whether the promise was kept; None where there is none, or nothing is known."""
    times: tuple[str, ...]
    """Up, down, unknown, planned, to the second."""
    sustained: int
    momentary: int
    bar: tuple[BarPart, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutageLine:
    """A stretch in which a service was down."""

    facility: str
    service: Service
    word: str
    start: LocalTime
    end: LocalTime
    lasted: str
    remarks: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FacilityLines:
    """How the services of one facility were."""

    id: str
    name: str
    district: str
    services: tuple[ServiceLine, ...]


def heading(data: Data, words: Words) -> Heading:
    """Return the head of a report: times by the clocks of its place."""
    moments = (parse_rfc3339(data[name]) for name in ("from", "to", "as_of"))
    start, end, as_of = (local_time(each, data["timezone"], _WITH_YEARS, words) for each in moments)
    month = data.get("month")
    return Heading(
        title=_title(data, words),
        where=", ".join(_where(data)),
        period=month_text(month, words) if month else words("{start} to {end}", start=start.text, end=end.text),
        from_=start,
        to=end,
        as_of=as_of,
        facilities=len(data["facilities"]) + data.get("left_out", 0),
    )


def month_text(month: str, words: Words) -> str:
    """Return a month as people write it: ``November 2026``."""
    found = month_of(month)
    return format_date(datetime(found.year, found.number, 1).date(), "LLLL y", locale=words.locale)  # noqa: DTZ001 - no moment


def _title(data: Data, words: Words) -> str:
    place = data["place"]
    if "facility" in place and data["facilities"]:
        return str(data["facilities"][0]["name"])
    return str(next((place[name] for name in ("district", "region", "country") if name in place), words("All places")))


def _where(data: Data) -> Iterable[str]:
    place = data["place"]
    if "facility" in place and data["facilities"]:
        yield from filter(None, (data["facilities"][0]["district"],))
    names = [place[name] for name in ("district", "region", "country") if name in place]
    yield from names if "facility" in place else names[1:]


def facility_lines(facility: Data, words: Words) -> FacilityLines:
    """Return how the services of a facility were."""
    return FacilityLines(
        id=facility["id"],
        name=facility["name"],
        district=facility["district"],
        services=tuple(service_line(Service(name), each, words) for name, each in facility["services"].items()),
    )


def service_line(service: Service, found: Data, words: Words) -> ServiceLine:
    """Return how one service was."""
    seconds = [found[f"{part}_seconds"] for part in _PARTS]
    target = found["target"]
    return ServiceLine(
        service=service,
        word=words(SERVICE_WORDS[service]),
        availability=words("unknown") if found["availability"] is None else share_text(found["availability"], words),
        target="" if target is None else share_text(target, words),
        kept=found["kept"],
        times=tuple(map(clock_text, seconds)),
        sustained=found["sustained"],
        momentary=found["momentary"],
        bar=bar(dict(zip(_PARTS, seconds, strict=True))),
    )


def bar(seconds: Mapping[str, float]) -> tuple[BarPart, ...]:
    """Return the stretches of a bar, by what they stand for; what is nothing is left out."""
    whole, x, found = sum(seconds.values()), 0.0, []
    for name, each in seconds.items():
        width = each / whole * _BAR_WIDTH if whole else 0.0
        if width:
            found.append(BarPart(name, round(x, 2), round(width, 2)))
        x += width
    return tuple(found)


def outage_lines(facilities: Iterable[Data], as_of: datetime, words: Words) -> list[OutageLine]:
    """Return every outage, the longest first."""
    now_ms = to_ms(as_of)
    found = [
        (outage["seconds"], facility, Service(name), outage)
        for facility in facilities
        for name, each in facility["services"].items()
        for outage in each["outages"]
    ]
    return [
        OutageLine(
            facility=facility["name"],
            service=service,
            word=words(SERVICE_WORDS[service]),
            start=local_time(parse_rfc3339(outage["start"]), facility["timezone"], now_ms, words),
            end=local_time(parse_rfc3339(outage["end"]), facility["timezone"], now_ms, words),
            lasted=clock_text(seconds),
            remarks=remarks(outage, words),
        )
        for seconds, facility, service, outage in sorted(found, key=lambda each: (-each[0], each[3]["start"]))
    ]


def outage_count(facilities: Iterable[Data]) -> int:
    """Return how many outages there were, listed or not."""
    services = [each for facility in facilities for each in facility["services"].values()]
    return sum(each["sustained"] + each["momentary"] for each in services)


def remarks(found: Data, words: Words) -> str:
    """Return what there is to say of a stretch that reaches beyond what is counted, or is short."""
    said = ((found.get("momentary"), _MOMENTARY), (found["begun_before"], _BEFORE), (found["goes_on"], _GOES_ON))
    return words(", ").join(words(sentence) for holds, sentence in said if holds)


def share_text(share: float, words: Words) -> str:
    """Return a share to the thousandth of a per cent, never rounded up: only all of it is 100 %."""
    per_cent = math.floor(share * 100_000 + 1e-6) / 1000
    text = number_text(per_cent, 3 if per_cent % 1 else 0, words=words)
    return words.isolated(words("{percent} %", percent=text))


def clock_text(seconds: float) -> str:
    """Return hours, minutes and seconds: ``720:00:00``."""
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def length_text(seconds: float | None, words: Words) -> str:
    """Return a duration in words; that it is not known where it is not."""
    return words("not known") if seconds is None else duration_text(round(seconds * SECOND_MS), words)


def left_out_text(count: int, most: int, words: Words) -> str:
    """Return that some of so many lines are not listed; empty where all are."""
    if count <= most:
        return ""
    return words.many(
        "{count} more is not listed here; the file has all.", "{count} more are not listed here; the file has all.",
        count - most,
    )  # fmt: skip

"""The contract figures of a period, as pages and paper show them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from dashboards.pages.wording import SERVICE_WORDS, LocalTime, local_time, number_text
from dashboards.pages.words import Words, noop
from dashboards.report.cut import MOST_CHANGES, MOST_LISTED, MOST_OUTAGES, least_available_first, targets_of
from dashboards.report.lines import (
    Data,
    FacilityLines,
    Heading,
    OutageLine,
    clock_text,
    facility_lines,
    heading,
    left_out_text,
    outage_count,
    outage_lines,
    share_text,
)
from domain.instant import parse_rfc3339, to_ms
from domain.places import Service

_FIGURES: Final = {
    "availability": noop("Available"),
    "up_seconds": noop("Up"),
    "down_seconds": noop("Down"),
    "unknown_seconds": noop("Unknown"),
    "planned_seconds": noop("Planned"),
    "outages": noop("Outages"),
    "momentary": noop("Momentary"),
}


@dataclass(frozen=True, slots=True)
class IndexLine:
    """What the outages of one service came to for all facilities."""

    word: str
    figures: tuple[str, ...]
    """Facilities, SAIFI, SAIDI in minutes, CAIDI in minutes, MAIFI."""


@dataclass(frozen=True, slots=True)
class TargetLine:
    """How many facilities kept what was promised of a service."""

    word: str
    kept: int
    missed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SlaView:
    """What is said of a period."""

    head: Heading
    version: str
    facilities: tuple[FacilityLines, ...]
    """The least available first."""
    left_out: str
    indices: tuple[IndexLine, ...]
    targets: tuple[TargetLine, ...]
    outages: tuple[OutageLine, ...]
    outages_left_out: str
    issued_before: LocalTime | None
    """When the same was issued last."""
    changes: tuple[str, ...]
    """What is other since then."""
    changes_left_out: str


def sla_view(data: Data, words: Words) -> SlaView:
    """Return what a report says; ``data`` may be cut to what is shown, as ``dashboards.report.cut`` does."""
    as_of, since = parse_rfc3339(data["as_of"]), data.get("since_last_issue")
    ranked = least_available_first(data["facilities"])
    outages = outage_lines(ranked, as_of, words)
    changed = [change_text(each, words) for each in since["changed"]] if since else []
    beyond = len(ranked) - MOST_LISTED + data.get("left_out", 0)
    return SlaView(
        head=heading(data, words),
        version=data["version"],
        facilities=tuple(facility_lines(each, words) for each in ranked[:MOST_LISTED]),
        left_out=left_out_text(beyond, 0, words),
        indices=tuple(_index(Service(name), each, words) for name, each in data["indices"].items()),
        targets=tuple(_targets(data, ranked, words)),
        outages=tuple(outages[:MOST_OUTAGES]),
        outages_left_out=left_out_text(outage_count(ranked), MOST_OUTAGES, words),
        issued_before=local_time(parse_rfc3339(since["as_of"]), data["timezone"], to_ms(as_of), words)
        if since
        else None,
        changes=tuple(changed[:MOST_CHANGES]),
        changes_left_out=left_out_text(len(changed), MOST_CHANGES, words),
    )


def _targets(data: Data, facilities: Iterable[Data], words: Words) -> Iterable[TargetLine]:
    for name, (kept, missed) in (data.get("targets") or targets_of(facilities)).items():
        yield TargetLine(words(SERVICE_WORDS[Service(name)]), kept, missed)


def _index(service: Service, found: Data, words: Words) -> IndexLine:
    def number(name: str, decimals: int) -> str:
        value = found[name]
        return "–" if value is None else number_text(value, decimals, words=words)

    figures = (number("saifi", 2), number("saidi_minutes", 1), number("caidi_minutes", 1), number("maifi", 2))
    return IndexLine(words(SERVICE_WORDS[service]), (number_text(found["facilities"], words=words), *figures))


def change_text(changed: Data, words: Words) -> str:
    """Return what is other at one service of a facility since the last issue."""
    what = words("{facility}, {service}", facility=changed["facility"], service=_service_word(changed, words))
    if changed["what"] == "new":
        return words("{what}: was not in it", what=what)
    if changed["what"] == "gone":
        return words("{what}: is not in it any more", what=what)
    parts = (
        words("{figure} {before}, now {after}", figure=words(_FIGURES[name]), before=_value(name, before, words),
              after=_value(name, after, words))
        for name, before, after in changed["figures"]
    )  # fmt: skip
    return words("{what}: {said}", what=what, said=words(", ").join(parts))


def _service_word(changed: Data, words: Words) -> str:
    return words(SERVICE_WORDS[Service(changed["service"])])


def _value(name: str, value: float | None, words: Words) -> str:
    if value is None:
        return words("unknown")
    if name == "availability":
        return share_text(value, words)
    return words.isolated(clock_text(value)) if name.endswith("_seconds") else number_text(value, words=words)

"""How the upkeep of equipment and visits are said. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from dashboards.pages.wording import LocalTime, local_time
from dashboards.pages.words import Words, noop
from domain.directory import Directory
from domain.upkeep import Upkeep, UpkeepState, Visit

UPKEEP_WORDS: Final = {
    UpkeepState.FUNCTIONING: noop("Functioning"),
    UpkeepState.NEEDS_REPAIR: noop("Needs repair"),
    UpkeepState.OUT_OF_SERVICE: noop("Out of service"),
}
UPKEEP_TONES: Final = {
    UpkeepState.FUNCTIONING: "ok",
    UpkeepState.NEEDS_REPAIR: "warning",
    UpkeepState.OUT_OF_SERVICE: "not_monitored",
}
"""The icons and colours of the status whose meaning comes nearest."""


@dataclass(frozen=True, slots=True)
class UpkeepBadge:
    """How a piece of equipment is."""

    state: UpkeepState
    word: str
    tone: str
    since: LocalTime | None = None
    """None where nobody ever said anything."""
    said_at: LocalTime | None = None
    by: str = ""
    why: str = ""


def badge_of(said: Upkeep | None, zone_name: str, now_ms: int, words: Words) -> UpkeepBadge:
    """Return how a piece of equipment is of which this was said last."""
    state = said.state if said else UpkeepState.FUNCTIONING
    word, tone = words(UPKEEP_WORDS[state]), UPKEEP_TONES[state]
    if said is None:
        return UpkeepBadge(state, word, tone)
    since, said_at = (local_time(each, zone_name, now_ms, words) for each in (said.since, said.said_at))
    return UpkeepBadge(state, word, tone, since, said_at, said.by, said.why)


@dataclass(frozen=True, slots=True)
class VisitLine:
    """A visit in words."""

    id: int
    time: LocalTime
    by: str
    equipment: str
    """The name of it; empty: the whole facility."""
    found: str
    done: str
    note: str
    written_by: str
    """Empty where it was the visitor."""
    corrected: bool
    equipment_id: str


def visit_line(visit: Visit, directory: Directory, now_ms: int, words: Words) -> VisitLine:
    """Return a visit in words."""
    facility, item = directory.facilities[visit.facility], directory.equipment.get(visit.equipment)
    return VisitLine(
        id=visit.id,
        time=local_time(visit.at, facility.timezone, now_ms, words),
        by=visit.by,
        equipment=item.name if item else visit.equipment,
        found=visit.found,
        done=visit.done,
        note=visit.note,
        written_by=visit.said_by if visit.said_by != visit.by else "",
        corrected=bool(visit.corrects),
        equipment_id=visit.equipment,
    )

"""Everything that is said of a place: one survey for its page, its tables and the API."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from dashboards.figures.alerting import Age, ages
from dashboards.figures.places import (
    Figures,
    Level,
    Order,
    Part,
    Where,
    in_order,
    inside,
    narrowed_where,
    parts_of,
)
from dashboards.figures.tally import Compared, Stretch, total
from dashboards.figures.visits import Appliance, Stop, route, worst
from dashboards.pages.status import FacilityStatus, Status, counts
from domain.alert import Alert
from domain.directory import Directory
from domain.places import Facility


class Times(NamedTuple):
    """How long something took: of how many, the median, and what nine of ten did not exceed."""

    number: int
    median: timedelta | None
    p90: timedelta | None


class Answers(NamedTuple):
    """How fast alerts were answered and their causes mended, in a stretch of days."""

    acknowledge: Times
    restore: Times


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody wants to know of which place."""

    where: Where = ()
    stretch: Stretch = Stretch.MONTH
    level: Level | None = None
    """What the table has rows for; None: the next smaller places."""
    order: Order = Order.IN_RANGE


@dataclass(frozen=True, slots=True)
class Ground:
    """What a survey looks at."""

    directory: Directory
    figures: Figures
    statuses: Mapping[str, FacilityStatus]
    open_alerts: Sequence[Alert]
    now_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """How a place does."""

    where: Where
    """The smallest place that holds the same facilities as the one that was asked about."""
    larger: tuple[Where, ...]
    """The places around it that hold more facilities, the largest first."""
    stretch: Stretch
    level: Level
    order: Order
    end_ms: int
    """The midnight, UTC, at which the last day that counts ended; 0 before any."""
    computed_ms: int
    missing: int
    now_ms: int
    facilities: tuple[Facility, ...]
    silent: int
    compared: Compared
    parts: tuple[Part, ...]
    worst: tuple[Appliance, ...]
    appliances: int
    alert_ages: Mapping[Age, int]
    stops: tuple[Stop, ...]


def survey(question: Question, ground: Ground) -> Survey:
    """Return how a place does."""
    facilities = inside(ground.directory.facilities.values(), question.where)
    where = narrowed_where(facilities, question.where)
    level = level_of(where, question.level)
    known = {each.id for each in facilities}
    figures, stretch = ground.figures, question.stretch
    parts = parts_of(facilities, level, stretch, figures, ground.statuses)
    return Survey(
        where=where,
        larger=_larger(where, ground.directory.facilities.values()),
        stretch=stretch,
        level=level,
        order=question.order,
        end_ms=figures.end_ms,
        computed_ms=figures.computed_ms,
        missing=sum(each.id not in figures.by_facility for each in facilities),
        now_ms=ground.now_ms,
        facilities=tuple(facilities),
        silent=sum(_is_silent(each, ground.statuses) for each in facilities),
        compared=total(part.compared for part in parts),
        parts=tuple(in_order(parts, question.order)),
        worst=tuple(worst(facilities, stretch, figures, ground.directory)),
        appliances=sum(
            len(figures.by_facility[each.id].appliances) for each in facilities if each.id in figures.by_facility
        ),
        alert_ages=ages(
            (each for each in ground.open_alerts if counts(each) and each.facility in known), ground.now_ms
        ),
        stops=tuple(route(facilities, stretch, figures, ground.directory, ground.statuses)),
    )


def level_of(where: Where, wanted: Level | None) -> Level:
    """Return what the table of a place has rows for: what is wanted where it is smaller than the place."""
    levels = levels_in(where)
    return wanted if wanted in levels else levels[0]


def levels_in(where: Where) -> list[Level]:
    """Return the levels below a place."""
    return [level for level in Level if level.depth > len(where)]


def _larger(where: Where, facilities: Collection[Facility]) -> tuple[Where, ...]:
    ways = [where[:depth] for depth in range(len(where))]
    return tuple(way for way in ways if narrowed_where(inside(facilities, way), way) == way)


def _is_silent(facility: Facility, statuses: Mapping[str, FacilityStatus]) -> bool:
    status = statuses.get(facility.id)
    return status is not None and status.overall is Status.SILENT


def order_of(wanted: str) -> Order:
    """Return the order that an address names; the usual one for anything else."""
    return Order(wanted) if wanted in _ORDERS else Order.IN_RANGE


_ORDERS: Iterable[str] = frozenset(Order)

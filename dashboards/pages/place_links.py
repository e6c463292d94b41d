"""Where the pages of places lead: to larger and smaller places, other stretches of days, other orders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode

from dashboards.figures.places import Level, Order, Where
from dashboards.figures.survey import Survey, levels_in
from dashboards.figures.tally import Stretch
from dashboards.pages.words import Words, noop

LEVEL_NAMES: Final = {
    Level.COUNTRY: noop("Countries"),
    Level.REGION: noop("Regions"),
    Level.DISTRICT: noop("Districts"),
    Level.FACILITY: noop("Facilities"),
}
NAMELESS: Final = {
    Level.COUNTRY: noop("no country named"),
    Level.REGION: noop("no region named"),
    Level.DISTRICT: noop("no district named"),
    Level.FACILITY: noop("no name"),
}
_COLUMNS: Final = (
    (Order.NAME, noop("Name")),
    (Order.IN_RANGE, noop("In range")),
    (Order.COLD, noop("Too cold")),
    (Order.HOT, noop("Too hot")),
    (Order.POWER, noop("Power a day")),
    (Order.WATER, noop("Water days")),
    (Order.SILENT, noop("Silent")),
    (Order.ALERTS, noop("Open alerts")),
)


@dataclass(frozen=True, slots=True)
class Link:
    """Somewhere to go from here."""

    text: str
    address: str
    current: bool = False


def place_title(where: Where, words: Words) -> str:
    """Return what a place is called."""
    if not where:
        return words("All places")
    return where[-1] or words(NAMELESS[list(Level)[len(where) - 1]])


def address(
    found: Survey,
    *,
    where: Where | None = None,
    stretch: Stretch | None = None,
    level: Level | None = None,
    order: Order | None = None,
    path: str = "/places",
) -> str:
    """Return the address of a survey, with some things otherwise; names may hold any character."""
    names = zip(("country", "region", "district"), found.where if where is None else where, strict=False)
    asked = [*names, ("range", (stretch or found.stretch).key)]
    kept_level = level or (found.level if where is None else None)
    asked += [("level", kept_level.value)] if kept_level else []
    asked += [("sort", (order or found.order).value)]
    return f"{path}?{urlencode(asked, errors='replace')}"


def crumbs(found: Survey, words: Words) -> tuple[Link, ...]:
    """Return the way to the larger places."""
    return tuple(Link(place_title(way, words), address(found, where=way)) for way in found.larger)


def stretches(found: Survey, words: Words) -> tuple[Link, ...]:
    """Return how far one may look back."""
    return tuple(
        Link(
            words.many("{count} day", "{count} days", int(each)), address(found, stretch=each), each is found.stretch
        )
        for each in Stretch
    )  # fmt: skip


def levels(found: Survey, words: Words) -> tuple[Link, ...]:
    """Return what the table may have rows for."""
    return tuple(
        Link(words(LEVEL_NAMES[each]), f"{address(found, level=each)}#parts", each is found.level)
        for each in levels_in(found.where)
    )


def columns(found: Survey, words: Words) -> tuple[Link, ...]:
    """Return the columns of the table, each leading to the same table sorted by it."""
    return tuple(
        Link(words(text), f"{address(found, order=order)}#parts", order is found.order) for order, text in _COLUMNS
    )


def facility_address(facility: str) -> str:
    """Return the address of a facility's page."""
    return f"/facilities/{quote(facility, safe='/', errors='replace')}"

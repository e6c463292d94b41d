"""Tests that stand inside a rule: a made-up series of readings, and the episodes that have to come of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time, timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from domain.document import Path
from domain.quantities import QUANTITIES, Quantity
from domain.suggest import allowed_words
from rules.conditions.base import Flaw, Part
from rules.conditions.channels import Channels
from rules.conditions.schedule import TimeOfDay
from rules.notation import parse_series
from rules.values import Amount, Duration, Limit, Reference, units_of


def _series(raw: Any) -> Any:
    return str(raw) if isinstance(raw, (int, float)) and not isinstance(raw, bool) else raw


class Expected(Part):
    """An episode that has to come of a trial; times count from its first reading."""

    start: Duration
    confirmed: Duration | None = None
    """Left out, it is not looked at; the same goes for the extreme and for ``live``."""
    end: Duration | None = None
    """Left out: it goes on at the end of the trial."""
    extreme: Limit | None = None
    live: bool | None = None
    """Whether anybody was to be told at once; false for what only late data show."""


class Companion(Part):
    """Another channel of the trial, for a rule that looks at several."""

    of: Channels
    """What it is: as in the rule, at the first kind of equipment that is named, or at the same piece of equipment."""
    readings: Annotated[str, BeforeValidator(_series)]
    unit: str = ""
    limits: dict[str, Limit] = Field(default_factory=dict)
    delay: Duration | None = None
    """How long after its measurement each reading arrives, where that differs."""


class Trial(Part):
    """One test of a rule."""

    it: str = Field(min_length=1)
    """What the rule does, to be read after its name: "passes over a door opening"."""
    readings: Annotated[str, BeforeValidator(_series)]
    """A series, one word an interval: ``5x6 8.1x70 _x3 5``; states by their words."""
    unit: str = ""
    """The unit of the readings; left out, the quantity's own."""
    every: Duration = timedelta(minutes=10)
    """The interval between two readings, which is also the one that the channel is registered with."""
    starts: TimeOfDay = time(0)
    """Time of day at the facility of the first reading."""
    others: tuple[Companion, ...] = ()
    """Other channels, read at the same moments."""
    delay: Duration = timedelta(0)
    """How long after its measurement each reading arrives."""
    arrives: Duration | None = None
    """When all readings arrive together, as a backlog does."""
    order: Literal["measured", "reversed", "shuffled"] = "measured"
    """In which order those that arrive together do."""
    times: int = Field(default=1, ge=1, le=10)
    """How often each of them arrives."""
    limits: dict[str, Limit] = Field(default_factory=dict)
    """What the registry holds for the channel: ``{high: 8 °C}``."""
    episodes: tuple[Expected, ...] = ()
    """Everything that has to come of it; empty: nothing."""


def trial_flaws(trial: Trial, quantity: Quantity | None) -> Iterator[Flaw]:
    """Yield what is wrong in a trial of a rule on this quantity, each at a path below it."""
    yield from _series_flaws(trial, quantity)
    for number, other in enumerate(trial.others):
        for flaw in _series_flaws(other, QUANTITIES[other.of.quantity]):
            yield flaw._replace(path=("others", number, *flaw.path))
    if trial.every <= timedelta(0):
        yield Flaw(("every",), "no time at all", "a duration such as 10min")
    for path, limit, whose in _limits(trial, quantity):
        if isinstance(limit, Reference):
            yield Flaw(path, f"'{limit}'", "a number, with its unit where it is not the quantity's own")
        elif whose is not None and (instead := limit.flaw(whose)):
            yield Flaw(path, f"'{limit}'", instead)


def _series_flaws(series: Trial | Companion, quantity: Quantity | None) -> Iterator[Flaw]:
    try:
        parse_series(series.readings, quantity.states if quantity else ())
    except ValueError as error:
        found, _, allowed = str(error).partition("; allowed: ")
        yield Flaw(("readings",), found, allowed)
    if quantity is not None and Amount(0.0, series.unit).unit_for(quantity) is None:
        known = [unit.text or unit.symbol for unit in units_of(quantity)]
        yield Flaw(("unit",), f"'{series.unit}'", f"a unit of {quantity.name}: {allowed_words(series.unit, known)}")


def _limits(trial: Trial, quantity: Quantity | None) -> Iterator[tuple[Path, Amount | Reference, Quantity | None]]:
    for name, limit in trial.limits.items():
        yield ("limits", name), limit, quantity
    for number, other in enumerate(trial.others):
        for name, limit in other.limits.items():
            yield ("others", number, "limits", name), limit, QUANTITIES[other.of.quantity]
    for number, expected in enumerate(trial.episodes):
        if expected.extreme is not None:
            yield ("episodes", number, "extreme"), expected.extreme, quantity

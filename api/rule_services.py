"""What the pages of rules call: the rules in force, when they fired, and trying them on the past."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from alerts.reading import Firings
from rules.model import Rule


class Stage(StrEnum):
    """How far a backtest is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def over(self) -> bool:
        """Tell whether nothing more comes."""
        return self not in (Stage.WAITING, Stage.RUNNING)


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestOrder:
    """A rule to be tried on the past of some facilities."""

    rule: Rule
    """As it is in force."""
    changed: Rule | None = None
    """As somebody would like it to be: tried as well, and the difference is told."""
    days: int
    facilities: frozenset[str]
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestState:
    """An order and what came of it so far; replaced as a whole when something changes."""

    number: int
    order: BacktestOrder
    start: datetime
    end: datetime
    stage: Stage = Stage.WAITING
    done: int = 0
    """Facilities that are judged, of ``of``."""
    of: int = 0
    report: Mapping[str, Any] | None = None
    """As ``app.backtest_report.report`` makes it, with at most so many episodes as a page shows."""
    error: str = ""


class ReadFirings(Protocol):
    """How often each rule raised an alert since a moment, and when last."""

    async def __call__(self, since: datetime, within: frozenset[str] | None = None) -> Mapping[str, Firings]:
        """Return the firings by rule, of facilities ``within`` or of all; rules that raised none are not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleDesk:
    """The rules of this service."""

    rules: Callable[[], Sequence[Rule]]
    """Those in force."""
    others: Callable[[], Sequence[Rule]]
    """Those that come with Vitals and are not in force."""
    trouble: Callable[[], str]
    """Why the rule files as they are now are not in force; empty while they are."""
    firings: ReadFirings
    written: Callable[[Rule], str]
    """Returns a rule as a document that a person can change."""
    read: Callable[[str], Rule]
    """Returns the one rule of such a document; raises ``DocumentError``."""
    start: Callable[[BacktestOrder], BacktestState]
    """Takes an order; raises ``BusyError`` where too many wait."""
    backtest: Callable[[int], BacktestState | None]
    backtests: Callable[[], Sequence[BacktestState]]
    """Those that are remembered, newest first."""
    cancel: Callable[[int], None]
    """Ends a backtest that is not over."""

"""What the pages of rules call: the rules in force, when they fired, and trying them on the past."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from alerts.reading import Firings
from api.jobs import JobDesk
from rules.model import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestOrder:
    """A rule to be tried on the past of some facilities."""

    rule: Rule
    """As it is in force."""
    changed: Rule | None = None
    """As somebody would like it to be: tried as well, and the difference is told."""
    days: int
    end: datetime
    facilities: frozenset[str]
    by: str

    @property
    def start(self) -> datetime:
        """Return the beginning of what is judged."""
        return self.end - timedelta(days=self.days)


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
    backtests: JobDesk[BacktestOrder]
    """Trials on the past; each result is what ``app.backtest_job.judge`` returns."""

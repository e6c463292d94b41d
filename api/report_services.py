"""What the pages of reports call: ordering one, its files, and issuing it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from api.jobs import JobDesk, JobState
from api.problems import NotAllowedError
from dashboards.pages.words import noop
from domain.directory import Directory
from domain.places import EVERYWHERE, Place


class ReportKind(StrEnum):
    """What a report is about."""

    SLA = "sla"
    """The contract figures."""
    MONTHLY = "monthly"

    @property
    def path(self) -> str:
        """Return where its pages are."""
        return {"sla": "/sla", "monthly": "/reports"}[self.value]


class FileForm(StrEnum):
    """As what a report can be had."""

    PDF = "pdf"
    CSV = "csv"
    OUTAGES = "outages"
    """CSV, a line for each outage; of contract figures."""
    JSON = "json"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportOrder:
    """A report that somebody wants."""

    kind: ReportKind
    place: Place
    start: datetime
    end: datetime
    facilities: frozenset[str]
    """Those of the place that whoever ordered it may see."""
    zone: str
    """IANA name, by whose clocks the period is told."""
    whole: bool = True
    """Whether these are all there are; only then it can be issued."""
    by: str = ""


ReportState = JobState[ReportOrder]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportDesk:
    """Where reports are ordered; the result of each is cut to what pages show."""

    jobs: JobDesk[ReportOrder]
    prepare: Callable[[], Awaitable[None]]
    """Says that somebody is about to order one."""
    file: Callable[[ReportState, FileForm, str], Awaitable[bytes]]
    """Returns a report that is done, whole, as a file in a language; raises ``VitalsError`` where that fails."""
    issue: Callable[[ReportState, str], Awaitable[None]]
    """Keeps a report as issued in somebody's name."""
    issued_by: Callable[[int], str]
    """Who issued a report of this number; empty for one that is not issued."""


class ReportsInSight:
    """The orders of those facilities alone for which somebody has a role."""

    def __init__(
        self,
        jobs: JobDesk[ReportOrder],
        *,
        whole: Callable[[], Directory],
        mine: Callable[[], Directory],
        seen: Callable[[], Directory],
    ) -> None:
        """``mine``: for which the role is given; ``seen``: which may be looked at."""
        self._jobs, self._whole, self._mine, self._seen = jobs, whole, mine, seen

    def start(self, order: ReportOrder) -> ReportState:
        """Take an order; raise ``NotAllowedError`` for a place that reaches beyond what is in sight."""
        there = {each.id for each in self._whole().facilities.values() if order.place.covers(each)}
        mine = frozenset(there & self._mine().facilities.keys())
        if order.place != EVERYWHERE and len(mine) < len(there):
            raise NotAllowedError(noop("This reaches beyond the places that you may see; name one of them."))
        return self._jobs.start(replace(order, facilities=mine, whole=len(mine) == len(there)))

    def get(self, number: int) -> ReportState | None:
        """Return how far one is; None for one that is not remembered, or not in sight.

        Raises ``NotAllowedError`` where it may be looked at and no more.
        """
        found = self._jobs.get(number)
        if found is None or self._is_of(self._mine(), found):
            return found
        if self._is_of(self._seen(), found):
            raise NotAllowedError(noop("You may see this report, and not change it."))
        return None

    def all(self) -> Sequence[ReportState]:
        """Return what is remembered and in sight, newest first."""
        mine = self._mine()
        return [each for each in self._jobs.all() if self._is_of(mine, each)]

    def cancel(self, number: int) -> None:
        """End one that is in sight."""
        if self.get(number) is not None:
            self._jobs.cancel(number)

    async def wait(self, number: int, seconds: float) -> None:
        """Wait until one is over, at most so long."""
        await self._jobs.wait(number, seconds)

    def _is_of(self, directory: Directory, state: ReportState) -> bool:
        return state.order.facilities <= directory.facilities.keys()

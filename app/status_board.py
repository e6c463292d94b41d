"""The owner of the status board: tells it what happened, and lets it work a little at a time."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Final

from app.open_alerts import OpenAlerts
from collector.latest import Latest
from dashboards.pages.board import Board
from dashboards.pages.status import FacilityStatus
from dashboards.pages.wording import DescribeAlert
from domain.alert import Alert
from domain.directory import Directory
from domain.instant import Clock

log = logging.getLogger(__name__)

PAUSE_SECONDS: Final = 0.5
"""What happened meanwhile is looked at together."""
AT_A_TIME: Final = 8
"""Facilities judged before others get their turn: about two milliseconds."""
BUSY_SHARE: Final = 0.25
"""At most this share of the time, also while a whole nation is judged anew."""


class StatusBoard:
    """How every facility is, as of a moment ago, for everybody who asks."""

    def __init__(
        self,
        *,
        directory: Callable[[], Directory],
        latest: Latest,
        alerts: OpenAlerts,
        describe: DescribeAlert,
        clock: Clock,
        on_publish: Callable[[int, Sequence[FacilityStatus]], None] = lambda _now_ms, _statuses: None,
    ) -> None:
        """``on_publish`` is told the moment and all statuses whenever they were brought up to date."""
        self._on_publish = on_publish
        self._directory, self._alerts, self._clock = directory, alerts, clock
        self._board = Board(latest.get, describe)
        self._heard = latest.subscribe()
        self._known: Directory | None = None
        self._known_alerts: Sequence[Alert] | None = None

    def statuses(self) -> Sequence[FacilityStatus]:
        """Return how every facility is, worst first; can be called from any thread."""
        return self._board.statuses

    def words_changed(self) -> None:
        """Take that rules have other words than before."""
        self._board.note_words()

    async def refresh(self, *, share: float = 1.0) -> None:
        """Bring everything up to date, taking at most this share of the time."""
        self._note()
        left = True
        while left:
            started = time.perf_counter()
            try:
                left = self._board.bring_up(self._clock.now_ms(), AT_A_TIME)
            except Exception:
                # One facility's defect must not hide how the others are.
                log.exception("a facility cannot be judged; what was known of it stays until something changes there")
            await asyncio.sleep((time.perf_counter() - started) * (1 / share - 1))
        self._board.publish()
        self._on_publish(self._clock.now_ms(), self._board.statuses)

    async def run(self) -> None:
        """Follow what happens until cancelled."""
        while True:
            try:
                await self.refresh(share=BUSY_SHARE)
            except Exception:
                log.exception("the statuses could not be brought up to date; what was known stays, and is tried again")
            await asyncio.sleep(PAUSE_SECONDS)

    def _note(self) -> None:
        directory, alerts = self._directory(), self._alerts.now
        if directory is not self._known:
            self._known = directory
            self._board.note_directory(directory)
            self._board.publish()  # without what is registered no more
        if alerts is not self._known_alerts:
            self._known_alerts = alerts
            self._board.note_alerts(alerts)
        self._board.note_heard(self._heard.taken())

"""Local alarms at work: every round of samples is judged, heard, written down and told, in this order."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from zoneinfo import ZoneInfo

from domain.directory import Directory
from domain.instant import HOUR_MS
from domain.reading import Sample
from edge.alarms.board import audible
from edge.alarms.courier import Courier
from edge.alarms.judge import LocalJudge
from edge.alarms.link_watch import LinkWatch
from edge.alarms.records import Record, Telling
from edge.alarms.settings import LocalAlarmSettings
from edge.alarms.signals import Signals
from edge.alarms.store import AlarmStore, Round
from edge.alarms.telephone import Telephone
from edge.alarms.words import Facts, alarm_text, all_clear_text
from rules.model import Rule

logger = logging.getLogger(__name__)

TICK_SECONDS = 5.0
SAVED_EVERY_MS = HOUR_MS
"""So often the engine's memory is written while nothing happens: a restart then loses no running timer."""
MOST_WAITING = 10_000


class LocalAlarms:
    """The node's watch over its own readings."""

    def __init__(
        self,
        settings: LocalAlarmSettings,
        *,
        rules: Sequence[Rule],
        directory: Directory,
        judge: LocalJudge,
        store: AlarmStore,
        signals: Signals,
        link: LinkWatch,
        courier: Courier,
        telephone: Telephone | None,
        elapsed_ms: Callable[[], int],
        wall_ms: Callable[[], int],
        clock_trusted: Callable[[], bool],
    ) -> None:
        self._settings = settings
        self._rules = {rule.id: rule for rule in rules}
        self._directory = directory
        self._judge = judge
        self._store = store
        self._signals = signals
        self._link = link
        self._courier = courier
        self._telephone = telephone
        self._elapsed_ms, self._wall_ms, self._clock_trusted = elapsed_ms, wall_ms, clock_trusted
        self._samples: deque[Sample] = deque(maxlen=MOST_WAITING)
        self._news = asyncio.Event()
        self._unsaved: _Unsaved = _Unsaved()
        self._saved_ms = judge.timeline.last_ms or 0
        courier.on_receipt = self._news.set

    def observe(self, samples: Sequence[Sample]) -> None:
        """Take what a driver has measured; never waits."""
        self._samples += samples
        self._news.set()

    async def run(self) -> None:
        """Judge round after round until cancelled; then write down what is known."""
        try:
            while True:
                await self._round()
                with suppress(TimeoutError):
                    async with asyncio.timeout(TICK_SECONDS):
                        await self._news.wait()
                self._news.clear()
        except asyncio.CancelledError:
            self._close()
            raise

    async def _round(self) -> None:
        changed = self._take()
        link_down = self._link.is_down(time.monotonic())
        alarms = self._judge.alarms()
        heard = audible(alarms, link_down=link_down)
        self._signals.show(heard)
        tellings = self._judge.to_tell(self._courier.waiting) if self._clock_trusted() else []
        for telling in tellings:
            self._judge.note_told(telling)
        self._unsaved.add(self._judge, tellings)
        if changed or tellings or self._is_save_due():
            await self._save()
        needed: set[str] = set()
        if self._telephone is not None:
            await self._telephone.consider(
                heard,
                {alarm.key for alarm in alarms},
                link_down=link_down,
                alarm_text=lambda key: alarm_text(self._facts(key)),
                all_clear_text=lambda key: all_clear_text(self._facts(key)),
            )
            needed = self._telephone.needed()
        self._judge.forget_over(needed)

    def _take(self) -> bool:
        elapsed_ms, wall_ms = self._elapsed_ms(), self._wall_ms()
        self._judge.timeline.put_right(elapsed_ms, wall_ms)
        samples, self._samples = self._samples, deque(maxlen=MOST_WAITING)
        changed = self._judge.take(samples, elapsed_ms, wall_ms) if samples else False
        return self._judge.tick(elapsed_ms) or changed

    def _is_save_due(self) -> bool:
        now_ms = self._judge.timeline.last_ms or 0
        return self._judge.is_busy or now_ms - self._saved_ms >= SAVED_EVERY_MS

    async def _save(self) -> None:
        """Write down what changed; on a full disk the alarm sounds all the same, and this is tried again."""
        change = self._unsaved.round(self._judge)
        try:
            await asyncio.to_thread(self._store.save, change)
        except sqlite3.Error as error:
            logger.warning("what the local alarms know is not written down: %s", error)
            return
        self._unsaved.clear()
        self._saved_ms = self._judge.timeline.last_ms or 0
        if change.tellings:
            await self._courier.look()

    def _close(self) -> None:
        self._unsaved.add(self._judge, [])
        with suppress(sqlite3.Error):
            self._store.save(self._unsaved.round(self._judge))
            self._store.close()

    def _facts(self, key: str) -> Facts:
        episode = self._judge.in_time_of_day(key)
        rule = self._rules[episode.rule]
        channel = self._directory.channels[episode.subject]
        return Facts(
            place=self._settings.place,
            equipment=self._directory.equipment[channel.equipment].name,
            quantity=channel.quantity,
            episode=episode,
            title=rule.title,
            action=rule.action,
            zone=ZoneInfo(self._settings.timezone),
            clock_known=self._clock_trusted(),
        )


class _Unsaved:
    """What is to be written down; it waits here while the disk takes nothing."""

    def __init__(self) -> None:
        self._engine: dict[str, bytes | None] = {}
        self._records: dict[str, Record | None] = {}
        self._tellings: dict[str, Telling] = {}

    def add(self, judge: LocalJudge, tellings: Sequence[Telling]) -> None:
        """Collect what changed since the last time."""
        self._engine.update(judge.engine_state())
        self._records.update(judge.changed_records())
        self._tellings.update({telling.key: telling for telling in tellings})

    def round(self, judge: LocalJudge) -> Round:
        """Return everything that is not written down yet."""
        return Round(
            list(self._engine.items()),
            list(self._records.items()),
            list(self._tellings.values()),
            judge.timeline.stretches,
            judge.timeline.last_ms,
        )

    def clear(self) -> None:
        """Note that all of it is written down."""
        self._engine.clear()
        self._records.clear()
        self._tellings.clear()

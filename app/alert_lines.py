"""Alert events as a log of lines: what the second forwarder brings to InfluxDB for annotations and tables."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress

from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.facts import RuleText
from alerts.history import AlertHistory, HistoryEntry
from alerts.store import AlertStore
from alerts.whole import whole
from app.cursors import read_cursor, write_cursor
from collector.forwarder.forwarder import LineBatch
from collector.forwarder.line_protocol import alert_event_line
from domain.directory import Directory
from domain.instant import to_ms

CURSOR_NAME = "influxdb-alerts"
POLL_SECONDS = 5.0


class AlertLines:
    """Reads the audit log of alerts and tells it in line protocol."""

    def __init__(
        self,
        database: AsyncEngine,
        alerts: AlertStore,
        directory: Callable[[], Directory],
        texts: Callable[[], Mapping[str, RuleText]],
    ) -> None:
        self._database = database
        self._history = AlertHistory(database)
        self._directory = directory
        self._texts = texts
        self._newest = 0
        self._news = asyncio.Event()
        alerts.on_change(lambda _: self._news.set())

    async def cursor(self) -> int:
        """Return the position up to which everything is delivered."""
        async with self._database.connect() as connection:
            return await read_cursor(connection, CURSOR_NAME)

    async def move_cursor(self, position: int) -> None:
        """Keep that everything up to this position is delivered."""
        await whole(self._write_cursor(position))

    async def wait_beyond(self, position: int) -> None:
        """Return when there is an entry behind the position; looks now and then for those of other processes."""
        while (await self._look()) <= position:
            self._news.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await self._news.wait()

    def lag(self, position: int) -> int:
        """Return how many entries stand behind the position, as far as is known."""
        return max(0, self._newest - position)

    async def read_after(self, position: int, limit: int) -> LineBatch:
        """Return up to ``limit`` entries behind the position as lines."""
        entries = await self._history.after(position, limit)
        lines = [line for entry in entries if (line := self._line(entry)) is not None]
        last = entries[-1].position if entries else position
        return LineBatch(lines, len(entries), last, len(entries) - len(lines))

    async def _write_cursor(self, position: int) -> None:
        async with self._database.begin() as connection:
            await write_cursor(connection, CURSOR_NAME, position)

    async def _look(self) -> int:
        self._newest = await self._history.newest()
        return self._newest

    def _line(self, found: HistoryEntry) -> str | None:
        facility = self._directory().facilities.get(found.alert.facility)
        if facility is None:
            return None
        rule = self._texts().get(found.alert.rule)
        text = f"{found.entry.what}: {rule.title if rule else found.alert.rule}"
        return alert_event_line(found.alert, facility, text=text, at_ms=to_ms(found.entry.at))

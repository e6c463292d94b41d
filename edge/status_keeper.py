"""Keeps the node's status file fresh, and the service manager assured that the agent is alive."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path

from domain.instant import Clock
from edge.outbox import Outbox
from edge.publisher import Link
from edge.service_manager import ServiceManager
from edge.settings import EdgeSettings
from edge.status import NodeStatus, boot_seconds, free_bytes, write_status

logger = logging.getLogger(__name__)

PERIOD_SECONDS = 30.0
LOOK_SECONDS = 5.0
"""So soon is a connection that came or went told."""


class StatusKeeper:
    """Asks the owners of the state how they fare, again and again.

    The service manager is told only after the outbox has answered: an agent whose disk or event loop hangs is silent.
    """

    def __init__(
        self,
        settings: EdgeSettings,
        *,
        outbox: Outbox,
        link: Link,
        clock: Clock,
        version: str,
        clock_trusted: Callable[[], bool],
        manager: ServiceManager,
        free: Callable[[Path], int] = free_bytes,
    ) -> None:
        self._settings = settings
        self._outbox = outbox
        self._link = link
        self._clock = clock
        self._version = version
        self._clock_trusted = clock_trusted
        self._manager = manager
        self._free = free
        self._started_at_ms = clock.now_ms()
        self._is_writable = True
        watchdog_seconds = manager.watchdog_seconds
        self._period_seconds = PERIOD_SECONDS if watchdog_seconds is None else min(PERIOD_SECONDS, watchdog_seconds / 3)

    async def run(self) -> None:
        """Keep both told until cancelled, in real time: whoever waits for it does so in real time."""
        self._manager.ready()
        while True:
            told, told_s = self._link.connected, time.monotonic()
            await self._tell()
            while True:
                await asyncio.sleep(min(LOOK_SECONDS, self._period_seconds))
                if self._link.connected != told or time.monotonic() - told_s >= self._period_seconds:
                    break

    async def _tell(self) -> None:
        status = await asyncio.to_thread(self.status)
        try:
            await asyncio.to_thread(write_status, self._settings.status_file, status)
            self._is_writable = True
        except OSError as error:
            if self._is_writable:
                logger.warning("the status %s cannot be written: %s", self._settings.status_file, error)
            self._is_writable = False
        self._manager.alive(summary(status))

    def status(self) -> NodeStatus:
        """Return how the node fares now; blocks on the disk."""
        link, settings = self._link, self._settings
        return NodeStatus(
            node=settings.node,
            version=self._version,
            broker=str(settings.broker.address()),
            started_at_ms=self._started_at_ms,
            written_at_ms=self._clock.now_ms(),
            written_at_boot_seconds=boot_seconds(),
            clock_trusted=self._clock_trusted(),
            connected=link.connected,
            last_error=link.last_error,
            last_receipt_ms=link.last_receipt_ms,
            waiting_readings=self._outbox.depth(),
            oldest_waiting_ms=self._outbox.oldest_ms(),
            disk_free_bytes=self._free(settings.outbox.parent),
        )


def summary(status: NodeStatus) -> str:
    """Return the status in one line, as ``systemctl status`` shows it."""
    link = "connected" if status.connected else f"no connection ({status.last_error or 'none yet'})"
    return f"{link}; {status.waiting_readings} readings wait"

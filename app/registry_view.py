"""The directory that everybody uses, replaced as a whole when the registry changes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from collector.journal.settings import Retention, RetentionSettings
from domain.directory import Directory
from domain.instant import MINUTE_MS, Clock
from domain.limits import LimitHistory
from registry.store import RegistryStore

log = logging.getLogger(__name__)

POLL_SECONDS = 5.0


class RegistryView:
    """Holds the directory of this moment and looks for changes, also those of other processes."""

    def __init__(self, store: RegistryStore) -> None:
        self._store = store
        self._listeners: list[Callable[[], None]] = []
        self._version = -1
        self.directory = Directory()
        self.limits: Mapping[str, LimitHistory] = {}
        """Which limits each channel had when."""

    async def refresh(self) -> None:
        """Load the directory if the registry changed since the last time."""
        version = await self._store.version()
        if version != self._version:
            directory = await self._store.load_directory()
            self.limits = await self._store.load_limits(directory)
            self.directory = directory
            self._version = version

    async def run(self, clock: Clock) -> None:
        """Look for changes until cancelled."""
        while True:
            await clock.sleep(POLL_SECONDS)
            try:
                await self.look()
            except Exception:
                log.exception("the registry could not be looked at; what was known stays in force")

    async def look(self) -> None:
        """Load the directory if the registry changed, and tell the listeners."""
        before = self._version
        await self.refresh()
        if self._version != before:
            self._tell()

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call the listener after every change; it must return at once."""
        self._listeners.append(listener)

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()

    def interval_ms(self, channel: str) -> int:
        """Return how often a reading is expected on a channel; a minute where nothing is known."""
        known = self.directory.channels.get(channel)
        return MINUTE_MS if known is None else round(known.interval.total_seconds() * 1000)

    def retention(self, channel: str, settings: RetentionSettings) -> Retention:
        """Return how long readings of a channel are kept; for ever where nothing is known."""
        known = self.directory.channels.get(channel)
        return Retention() if known is None else settings.of(known.quantity.name)

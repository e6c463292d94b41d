"""The newest reading of every channel, in memory, and who wants to know when it changes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from types import MappingProxyType, TracebackType
from typing import Self

from domain.reading import Reading


class Latest:
    """Newest by event time: late data never move a value back, and a repeated reading changes nothing."""

    def __init__(self) -> None:
        self._readings: dict[str, Reading] = {}
        self._subscriptions: set[Subscription] = set()

    @property
    def readings(self) -> Mapping[str, Reading]:
        """The newest reading by channel id (a live view)."""
        return MappingProxyType(self._readings)

    def get(self, channel: str) -> Reading | None:
        """Return the newest reading of a channel, or None where there is none yet."""
        return self._readings.get(channel)

    def update(self, readings: Iterable[Reading]) -> frozenset[str]:
        """Take readings in any order; return the ids of the channels that changed, and tell the subscribers."""
        newest, changed = self._readings, set[str]()
        for reading in readings:  # unpacked, not by attribute: every reading of the country passes here
            channel, measured_at_ms, _, _, _ = reading
            known = newest.get(channel)
            if known is None or measured_at_ms > known[1]:
                newest[channel] = reading
                changed.add(channel)
        if changed:
            for subscription in self._subscriptions:
                subscription.note(changed)
        return frozenset(changed)

    def subscribe(self) -> Subscription:
        """Return a new subscription; close it, or use it with ``with``, when done."""
        subscription = Subscription(self._subscriptions)
        self._subscriptions.add(subscription)
        return subscription


class Subscription:
    """An async iterator of the ids of changed channels.

    Changes between two steps of the reader are joined into one set, so a slow reader loses intermediate states, holds
    at most one id per channel, and never makes anybody wait. One reader at a time.
    """

    def __init__(self, among: set[Subscription]) -> None:
        self._among = among
        self._changed: set[str] = set()
        self._wake = asyncio.Event()
        self._closed = False

    def note(self, changed: Iterable[str]) -> None:
        """Remember that these channels changed."""
        self._changed.update(changed)
        self._wake.set()

    def taken(self) -> frozenset[str]:
        """Return what changed since the last time, without waiting."""
        self._wake.clear()
        changed, self._changed = frozenset(self._changed), set()
        return changed

    def close(self) -> None:
        """End the iteration, also for a reader that is waiting now."""
        self._closed = True
        self._among.discard(self)
        self._wake.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> frozenset[str]:
        await self._wake.wait()
        if self._closed:
            raise StopAsyncIteration
        return self.taken()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

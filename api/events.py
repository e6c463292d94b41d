"""Changes as server-sent events: looked for once for all listeners, and only while somebody listens."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from http import HTTPStatus

from api.changes import MOST_AT_ONCE, RESET, Change, Seen, look
from api.problems import RequestError
from api.services import Services, everywhere
from api.settings import ApiSettings

logger = logging.getLogger(__name__)

RECONNECT_MS = 3000
_BUSY_SHARE = 0.1
"""Looking for changes takes at most this share of the time ..."""
_LONGEST_PAUSE_SECONDS = 5.0
"""... but one look that was held up, by a machine that stood still, keeps nobody waiting for longer."""


async def always() -> bool:
    """Tell that a stream goes on."""
    return True


def _pause(took: float, interval: float) -> float:
    """Return the seconds until the next look, after one that took so long."""
    return max(interval, min(took / _BUSY_SHARE, _LONGEST_PAUSE_SECONDS))


class Listener:
    """One open stream: a bounded queue of frames."""

    def __init__(self, facility: str | None, sees: Callable[[str], bool] = everywhere) -> None:
        self.facility, self._sees = facility, sees
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue(MOST_AT_ONCE)

    def offer(self, change: Change) -> None:
        """Queue an event if the listener wants it; one who is too far behind gets ``reset`` instead."""
        if not change.to_all:
            if self.facility is None and change.closely:
                return
            if self.facility not in (None, change.facility) or not self._sees(change.facility):
                return
        if self._queue.full():
            self._clear()
            change = RESET
        self._queue.put_nowait(change.frame)

    def end(self) -> None:
        """Let the stream end."""
        self._clear()
        self._queue.put_nowait(None)

    async def frames(self, heartbeat_seconds: float, goes_on: Callable[[], Awaitable[bool]]) -> AsyncIterator[bytes]:
        """Yield events, and a comment where nothing happened for a while, until the end.

        At each heartbeat ``goes_on`` is asked whether the one who listens still may, also while events come.
        """
        yield f"retry: {RECONNECT_MS}\n\n".encode()
        loop = asyncio.get_running_loop()
        beat = loop.time() + heartbeat_seconds
        while True:
            try:
                async with asyncio.timeout_at(beat):
                    found = await self._queue.get()
            except TimeoutError:
                found = b""
            if found is None:
                return
            # What happened together is sent together.
            while not self._queue.empty():
                more = self._queue.get_nowait()
                if more is None:
                    return
                found += more
            if loop.time() >= beat:
                if not await goes_on():
                    return
                beat = loop.time() + heartbeat_seconds
            # Where something came just as the time was up, that says enough.
            yield found or b": still here\n\n"

    def _clear(self) -> None:
        while not self._queue.empty():
            self._queue.get_nowait()


class EventHub:
    """Everybody who listens, and the one task that looks for changes."""

    def __init__(self, services: Services, settings: ApiSettings) -> None:
        self._services = services
        self._settings = settings
        self._listeners: set[Listener] = set()
        self._watcher: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def listening(self) -> int:
        """Return how many streams are open."""
        return len(self._listeners)

    def require_place(self) -> None:
        """Raise ``RequestError`` when no further stream can be opened."""
        if self._closed:
            raise RequestError(HTTPStatus.SERVICE_UNAVAILABLE, "The service is stopping.")
        if len(self._listeners) >= self._settings.max_event_streams:
            raise RequestError(HTTPStatus.SERVICE_UNAVAILABLE, "Too many event streams are open; try again later.")

    async def stream(
        self,
        facility: str | None,
        sees: Callable[[str], bool] = everywhere,
        goes_on: Callable[[], Awaitable[bool]] = always,
    ) -> AsyncIterator[bytes]:
        """Yield the frames of one stream; the listener is forgotten when the stream is dropped.

        ``sees`` tells which facilities are in sight, ``goes_on`` at each heartbeat whether to go on.
        """
        listener = Listener(facility, sees)
        self._listeners.add(listener)
        if self._closed:
            listener.end()
        elif self._watcher is None or self._watcher.done():
            self._watcher = asyncio.create_task(self._watch(), name="event watcher")
        try:
            async for each in listener.frames(self._settings.heartbeat_seconds, goes_on):
                yield each
        finally:
            self._listeners.discard(listener)

    async def close(self) -> None:
        """End every stream and the watcher; to be called before the HTTP server waits for its requests to end."""
        self._closed = True
        for listener in self._listeners:
            listener.end()
        if self._watcher is not None:
            self._watcher.cancel()
            await asyncio.gather(self._watcher, return_exceptions=True)

    async def _watch(self) -> None:
        loop, seen = asyncio.get_running_loop(), Seen()
        while self._listeners:
            started = loop.time()
            try:
                watched = {listener.facility for listener in self._listeners}
                changes = await look(self._services, seen, watched.__contains__)
            except Exception:
                logger.exception("looking for changes failed; trying again")
                changes = []
            self._tell(changes)
            await asyncio.sleep(_pause(loop.time() - started, self._settings.event_interval_seconds))

    def _tell(self, changes: Sequence[Change]) -> None:
        """Offer changes to everybody; so many at once that nobody could queue them are one reason to load again."""
        public = [change for change in changes if not change.closely]
        if len(public) > MOST_AT_ONCE:
            public = [RESET]
        of_facility: dict[str, list[Change]] = {}
        for change in changes:
            of_facility.setdefault(change.facility, []).append(change)
        to_all = of_facility.get("", [])
        for listener in self._listeners:
            wanted = public if listener.facility is None else [*to_all, *of_facility.get(listener.facility, ())]
            for change in wanted:
                listener.offer(change)

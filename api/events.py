"""Changes as server-sent events: looked for once for all listeners, and only while somebody listens."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

from pydantic import BaseModel

from api.facilities import MOST_OPEN_ALERTS
from api.problems import RequestError
from api.services import Services, everywhere
from api.settings import ApiSettings
from api.translate import Translator
from dashboards.pages.status import FacilityStatus, facility_status
from domain.alert import Alert
from domain.instant import format_rfc3339

logger = logging.getLogger(__name__)

QUEUE_LENGTH = 64
"""A listener that is further behind is told to load everything again."""
RECONNECT_MS = 3000
_AT_A_TIME = 50
"""Facilities judged before other requests get their turn."""
_BUSY_SHARE = 0.1
"""Looking for changes takes at most this share of the time."""


@dataclass(frozen=True, slots=True)
class Change:
    """One event for those who want it."""

    facility: str
    frame: bytes
    closely: bool = False
    """Only for listeners who watch this one facility: it happens with every reading."""


@dataclass(slots=True)
class Seen:
    """What listeners know already."""

    facilities: dict[str, tuple[object, ...]] = field(default_factory=dict)
    heard: dict[str, int | None] = field(default_factory=dict)
    alerts: dict[int, Alert] = field(default_factory=dict)


def frame(name: str, data: BaseModel | str) -> bytes:
    """Return one server-sent event."""
    text = data if isinstance(data, str) else data.model_dump_json()
    return f"event: {name}\ndata: {text}\n\n".encode("utf-8", "replace")


async def always() -> bool:
    """Tell that a stream goes on."""
    return True


class Listener:
    """One open stream: a bounded queue of frames."""

    def __init__(self, facility: str | None, sees: Callable[[str], bool] = everywhere) -> None:
        self.facility, self._sees = facility, sees
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue(QUEUE_LENGTH)

    def offer(self, change: Change) -> None:
        """Queue an event if the listener wants it; one who is too far behind gets ``reset`` instead."""
        if self.facility is None and change.closely:
            return
        if self.facility not in (None, change.facility) or not self._sees(change.facility):
            return
        if self._queue.full():
            self._clear()
            self._queue.put_nowait(frame("reset", "{}"))
            return
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
                found = b": still here\n\n"
            if found is None:
                return
            if loop.time() >= beat:
                if not await goes_on():
                    return
                beat = loop.time() + heartbeat_seconds
            yield found

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
        first = True
        while self._listeners:
            started = loop.time()
            try:
                changes = await look(self._services, seen)
                if first:
                    # What the pages show already; the next look finds what changed since.
                    changes, first = [], False
            except Exception:
                logger.exception("looking for changes failed; trying again")
                changes = []
            for change in changes:
                for listener in self._listeners:
                    listener.offer(change)
            took = loop.time() - started
            await asyncio.sleep(max(self._settings.event_interval_seconds, took / _BUSY_SHARE))


async def look(services: Services, seen: Seen) -> list[Change]:
    """Return what changed since ``seen``, which is brought up to date."""
    open_alerts = await services.alerts(open_only=True, facility=None, limit=MOST_OPEN_ALERTS)
    by_facility: dict[str, list[Alert]] = {}
    for alert in open_alerts:
        by_facility.setdefault(alert.facility, []).append(alert)
    translator = Translator(services, services.directory())
    changes: list[Change] = []
    now_ms = services.clock.now_ms()
    for number, facility in enumerate(translator.directory.facilities.values()):
        if number % _AT_A_TIME == _AT_A_TIME - 1:
            await asyncio.sleep(0)
        own = by_facility.get(facility.id, ())
        status = facility_status(facility, translator.directory, services.latest, own, now_ms, services.describe)
        changes.extend(_facility_changes(translator, status, seen))
    changes.extend(await _alert_changes(services, open_alerts, seen))
    return changes


def _facility_changes(translator: Translator, status: FacilityStatus, seen: Seen) -> Iterator[Change]:
    id_ = status.facility.id
    key = (status.overall, tuple(each.status for each in status.services), status.open_alerts)
    if seen.facilities.get(id_) != key:
        seen.facilities[id_] = key
        yield Change(id_, frame("facility", translator.facility(status)))
    if seen.heard.get(id_) != status.last_heard_ms:
        seen.heard[id_] = status.last_heard_ms
        heard = "null" if status.last_heard_ms is None else f'"{format_rfc3339(status.last_heard_ms)}"'
        yield Change(id_, frame("heard", f'{{"last_heard":{heard}}}'), closely=True)


async def _alert_changes(services: Services, open_alerts: Sequence[Alert], seen: Seen) -> list[Change]:
    now_open = {alert.id: alert for alert in open_alerts}
    changed = [alert for alert in now_open.values() if seen.alerts.get(alert.id) != alert]
    for gone in seen.alerts.keys() - now_open.keys():
        over = await services.alert(gone)
        if over is not None:
            changed.append(over)
    seen.alerts = now_open
    translator = await Translator.of(services, changed)
    return [Change(alert.facility, frame("alert", translator.alert(alert))) for alert in changed]

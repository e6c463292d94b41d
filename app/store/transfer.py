"""``vitals store copy``: what one store has of a time, brought into the other, channel by channel; resumable."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple, Protocol

from app.check import registered
from app.clock import SystemClock
from app.config import ServiceConfig
from collector.forwarder.bisection import Progress, RefusedLine
from collector.forwarder.client import compress, open_writer
from collector.forwarder.delivery import Delivery
from collector.forwarder.health import Condition, ForwarderCounts
from collector.forwarder.line_protocol import SeriesPrefixes
from collector.forwarder.rollup_lines import SUFFIXES, rollup_fields
from collector.forwarder.settings import InfluxSettings
from collector.influx_history import InfluxHistory, open_history
from collector.journal import Journal
from domain.directory import Directory
from domain.errors import OperatorError
from domain.instant import DAY_MS
from domain.places import Channel
from domain.reading import Reading

log = logging.getLogger(__name__)

Say = Callable[[str], None]
SLICE_MS = 7 * DAY_MS
"""So much of a channel is in memory at a time."""
NOTE_FILE = "copy-{source}-{target}.json"


class Side(StrEnum):
    """A store that can be copied from and to."""

    JOURNAL = "journal"
    INFLUXDB = "influxdb"


class Copied(NamedTuple):
    """What came of a copy, over all its runs."""

    channels: int
    readings: int
    refused: int


class Target(Protocol):
    """Where readings go."""

    async def take(self, channel: Channel, readings: Sequence[Reading], from_ms: int, to_ms: int) -> int:
        """Store one slice of a channel durably; return how much of it was refused for good."""


async def copy(
    config: ServiceConfig,
    source: Side,
    target: Side,
    from_ms: int,
    to_ms: int,
    *,
    facility: str | None,
    say: Say,
) -> Copied:
    """Copy the readings measured in [from, to), and into InfluxDB the roll-ups, of every registered channel.

    What was copied is noted in the data folder, so that a run that was stopped goes on with the next channel. Raises
    ``OperatorError`` where the stores cannot be used; into the journal nothing is copied while a service writes it.
    """
    if source is target:
        raise OperatorError(f"found {source} twice; allowed: one store to copy from and the other to copy to")
    if config.influxdb is None:
        raise OperatorError("no InfluxDB is configured; write a section influxdb")
    directory = await registered(config)
    channels = [each for each in directory.channels.values() if facility in (None, each.facility)]
    if not channels:
        raise OperatorError("found no such channel in the registry; allowed: a facility that has channels")
    note = _Note(config.data / NOTE_FILE.format(source=source, target=target), config.influxdb, from_ms, to_ms)
    async with AsyncExitStack() as stack:
        history = await stack.enter_async_context(open_history(config.influxdb))
        journal = await stack.enter_async_context(
            Journal.open(config.data, settings=config.journal, read_only=source is Side.JOURNAL)
        )
        to: Target
        if target is Side.INFLUXDB:
            to = await stack.enter_async_context(_into_influx(config.influxdb, journal, directory))
        else:
            to = _IntoJournal(journal)
        for number, channel in enumerate(channels, start=1):
            if channel.id not in note.done:
                reader: _ReadSlice = _from_journal(journal) if source is Side.JOURNAL else history.series
                await _copy_channel(channel, reader, to, note)
            say(f"{number} of {len(channels)} channels: {channel.id} ({note.done[channel.id]:,} readings)")
        if target is Side.INFLUXDB:
            await _prove(journal, history, channels, note)
    return Copied(len(channels), sum(note.done[each.id] for each in channels), note.refused)


async def _prove(journal: Journal, history: InfluxHistory, channels: Sequence[Channel], note: _Note) -> None:
    """Count in InfluxDB; raise ``OperatorError`` where a channel has fewer readings than the journal."""
    for channel in channels:
        there = await history.count(channel, note.from_ms, note.to_ms)
        here = len(await journal.series(channel.id, note.from_ms, note.to_ms)) if there < note.done[channel.id] else 0
        if there < here and not note.refused:
            del note.done[channel.id]  # a next run copies it again
            note.save()
            raise OperatorError(f"InfluxDB has {there} of {here} readings of {channel.id}; does it keep them so long?")


class _Note:
    """What was copied so far, in a file that is replaced whole."""

    def __init__(self, path: Path, server: InfluxSettings, from_ms: int, to_ms: int) -> None:
        self._path, self.from_ms, self.to_ms = path, from_ms, to_ms
        self._period = [from_ms, to_ms, server.url, server.database]
        self.done: dict[str, int] = {}
        """Readings copied, by channel."""
        self.refused = 0
        if path.exists():
            kept = json.loads(path.read_text("utf-8"))
            if kept["period"] == self._period:
                self.done, self.refused = kept["done"], kept["refused"]

    def save(self) -> None:
        """Write it."""
        kept = {"period": self._period, "done": self.done, "refused": self.refused}
        temporary = self._path.with_suffix(".tmp")
        temporary.write_text(json.dumps(kept), "utf-8")
        temporary.replace(self._path)


async def _copy_channel(channel: Channel, read: _ReadSlice, to: Target, note: _Note) -> None:
    count = refused = 0
    first = await read(channel, note.from_ms, note.to_ms, 1)
    for begin in range(first[0].measured_at_ms if first else note.to_ms, note.to_ms, SLICE_MS):
        end = min(begin + SLICE_MS, note.to_ms)
        readings = await read(channel, begin, end)
        if readings:
            refused += await to.take(channel, readings, begin, end)
            count += len(readings)
    note.done[channel.id] = count
    note.refused += refused
    note.save()


class _ReadSlice(Protocol):
    async def __call__(
        self, channel: Channel, from_ms: int, to_ms: int, limit: int | None = None, /
    ) -> Sequence[Reading]:
        """Return the readings of a channel measured in [from, to), the first ``limit`` of them."""


def _from_journal(journal: Journal) -> _ReadSlice:
    async def read(channel: Channel, from_ms: int, to_ms: int, limit: int | None = None, /) -> Sequence[Reading]:
        return await journal.series(channel.id, from_ms, to_ms, limit)

    return read


class _IntoJournal:
    """Commits what comes; a reading that is there already changes nothing."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    async def take(self, channel: Channel, readings: Sequence[Reading], from_ms: int, to_ms: int) -> int:
        """Store what is not there yet, as copies: nobody is to be woken by what is long over, nor taken for alive.

        Their arrival is when they were measured, which is all that InfluxDB knows of it.
        """
        there = {each[:4] for each in await self._journal.series(channel.id, from_ms, to_ms)}
        missing = [each for each in readings if each[:4] not in there]
        for start in range(0, len(missing), 5_000):
            await self._journal.commit(missing[start : start + 5_000], copied=True)
        return 0


class _IntoInflux:
    """Sends lines with the forwarder's patience: a server that is away is waited for."""

    def __init__(self, delivery: Delivery, counts: ForwarderCounts, journal: Journal, directory: Directory) -> None:
        self._delivery, self._counts, self._journal = delivery, counts, journal
        self._prefixes = SeriesPrefixes(directory)
        self._rollups = {resolution: SeriesPrefixes(directory, suffix) for resolution, suffix in SUFFIXES.items()}

    async def take(self, channel: Channel, readings: Sequence[Reading], from_ms: int, to_ms: int) -> int:
        """Store the readings and the roll-ups of their time."""
        before = self._counts.refused
        await self._send(self._prefixes.lines(readings).lines)
        for resolution, prefixes in self._rollups.items():
            prefix = prefixes.of(channel.id)
            rollups = await self._journal.rollups(channel.id, from_ms, to_ms, resolution)
            await self._send([f"{prefix}{rollup_fields(each)} {each.start_ms}" for each in rollups])
        return self._counts.refused - before

    async def _send(self, lines: Sequence[str]) -> None:
        at = 0
        while at < len(lines):
            part = lines[at : at + self._delivery.limit_lines]
            packed = await asyncio.to_thread(compress, part)
            if await self._delivery.deliver(part, packed) is not Progress.HOPELESS:
                at += len(part)


@asynccontextmanager
async def _into_influx(settings: InfluxSettings, journal: Journal, directory: Directory) -> AsyncIterator[_IntoInflux]:
    counts = ForwarderCounts()
    async with open_writer(settings) as writer:
        condition = Condition(SystemClock(), server=settings.url)
        delivery = Delivery(writer, settings, condition=condition, counts=counts, dead_letter=_tell)
        yield _IntoInflux(delivery, counts, journal, directory)


def _tell(refused: RefusedLine) -> None:
    log.warning("InfluxDB refuses for good: %s: %.200s", refused.detail, refused.line)

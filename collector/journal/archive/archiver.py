"""Archiving while commits and queries go on: write a file, list it, delete what it holds; again where late data came.

A reading is deleted from the database only when the listed file holds it or one that takes its place, compared row by
row. So whatever arrives meanwhile stays, a reading may stand in both for a while (queries take the union), and a run
that was cut short anywhere is simply done again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from collector.journal.archive.parquet import TEMPORARY, PartFile, PartWriter, arrow
from collector.journal.archive.parts import Part, month_end
from collector.journal.archive.shelf import FOLDER
from collector.journal.archive.survey import (
    Channels,
    Late,
    closed_before,
    fold_is_due,
    late_for,
    months_with_readings,
    next_part,
)
from collector.journal.contests import Contests
from collector.journal.packed import Insert
from collector.journal.precedence import Row, differs, wins
from collector.journal.reader import Answer, Reader
from collector.journal.rollup import floor_to
from collector.journal.settings import ArchiveSettings, RetentionOf
from collector.journal.threads import ReaderPool, WriterThread
from collector.journal.writer import Writer, transaction
from domain.errors import OperatorError
from domain.instant import HOUR_MS, Clock, to_datetime
from domain.reading import Quality

log = logging.getLogger(__name__)

Say = Callable[[str], None]
_CHANNELS_PER_QUESTION = 8
_HELD = "CREATE TEMP TABLE IF NOT EXISTS held(ts INTEGER PRIMARY KEY, value REAL, quality INTEGER, received INTEGER)"
_HOLD = Insert("INSERT INTO temp.held", 4)
_DELETE = f"""
    DELETE FROM readings WHERE sid = ?1 AND ts IN (
        SELECT r.ts FROM temp.held AS h CROSS JOIN readings AS r ON r.sid = ?1 AND r.ts = h.ts
        WHERE NOT ({wins("r", "h")}))
"""  # noqa: S608 -- constants of this package
_LOST = f"""
    FROM (SELECT r.sid AS sid, h.ts AS ts, h.value AS value, h.quality AS quality, h.received AS received
        FROM temp.held AS h CROSS JOIN readings AS r ON r.sid = ?1 AND r.ts = h.ts
        WHERE {differs("r", "h")} AND NOT ({wins("r", "h")}))
"""  # noqa: S608 -- constants of this package
_DOUBT_IS_OVER = f"""
    FROM (SELECT r.sid AS sid, r.ts AS ts, r.value AS value, r.quality AS quality, r.received AS received
        FROM temp.held AS h CROSS JOIN readings AS r ON r.sid = ?1 AND r.ts = h.ts
        WHERE r.quality = {int(Quality.GOOD)} AND h.quality <> {int(Quality.GOOD)})
"""  # noqa: S608 -- constants of this package
_KEPT_FROM = "UPDATE series SET kept_from = max(kept_from, ?) WHERE channel = ?"


class Archiver:
    """Moves months out of the database, folds late readings in, lets go what retention lets go."""

    def __init__(
        self,
        writer: Writer,
        contests: Contests,
        thread: WriterThread,
        readers: ReaderPool,
        settings: ArchiveSettings,
        slice_rows: int,
        cover_ms: Callable[[int], int],
        retention_of: RetentionOf,
    ) -> None:
        self._writer, self._contests, self._thread, self._readers = writer, contests, thread, readers
        self._settings, self._slice_rows = settings, slice_rows
        self._cover_ms, self._retention_of = cover_ms, retention_of
        self._folder = writer.path.parent / FOLDER
        self._one_at_a_time = asyncio.Lock()
        self._looked_through: dict[Part, int] = {}
        """Files known to hold none of the channels whose retention has run out for them, and how many those are."""

    async def run(self, clock: Clock) -> None:
        """Do what is due, for ever; what fails is tried again at the next check."""
        while True:
            try:
                await self.archive(clock.now_ms(), log.info)
            except (OperatorError, OSError) as error:
                log.warning("archiving put off: %s", error)
            await asyncio.sleep(self._settings.check_every_seconds)

    async def archive(self, now_ms: int, say: Say, only_month_ms: int | None = None) -> None:
        """Bring the archive to where it should be at a moment, or one month of it whatever its age.

        Cancelled at any point it leaves every answer right; the next call goes on.
        """
        arrow()
        async with self._one_at_a_time:
            await asyncio.to_thread(_sweep, self._folder)
            before = closed_before(now_ms, self._settings) if only_month_ms is None else month_end(only_month_ms)
            found = await self._ask(lambda reader: months_with_readings(reader.connection, before))
            for month, channels in found.items():
                if only_month_ms in (None, month):
                    await self._add_parts(month, channels, say)
                    await self._tend(month, channels, now_ms, say, fold_all=only_month_ms is not None)
            await self._let_go(now_ms, say)

    async def _add_parts(self, month: int, channels: Channels, say: Say) -> None:
        while (part := next_part((await self._ask(lambda reader: reader.parts)), month)) is not None:
            part, readings = await self._write(part, channels)
            await self._thread.run(partial(self._list, part))
            say(f"{_month(part)}: part {part.number + 1} written, {readings:,} readings")
            await self._delete(part, channels)

    async def _tend(self, month: int, channels: Channels, now_ms: int, say: Say, *, fold_all: bool) -> None:
        for part in await self._ask(lambda reader: reader.parts.of_month(month)):
            await self._delete(part, channels)
            late = await self._ask(partial(_late, part, channels))
            if fold_is_due(late, now_ms, self._settings) or (fold_all and late.readings):
                await self._compare(part, channels, self._tell_doubts_over)
                archived = await self._ask(partial(_channels, part))
                sids = self._writer.series.sids
                await self._write(part, channels | {channel: sids[channel] for channel in archived})
                say(f"{_month(part)}: part {part.number + 1} written anew with {late.readings:,} late readings")
                await self._delete(part, channels)

    async def _let_go(self, now_ms: int, say: Say) -> None:
        """Write those files anew that hold channels whose retention has run out for the whole month."""
        for part in await self._ask(lambda reader: reader.parts.all()):
            run_out = sum(
                part.holds(channel) and self._has_run_out(channel, part, now_ms)
                for channel in list(self._writer.series.sids)
            )
            if self._looked_through.get(part, 0) == run_out:
                continue
            archived = await self._ask(partial(_channels, part))
            gone = [channel for channel in archived if self._has_run_out(channel, part, now_ms)]
            if gone:
                # First the mark that hours before it are not to be computed from raw readings any more.
                await self._thread.run(partial(self._mark_gone, part, gone))
                sids = self._writer.series.sids
                await self._write(part, {channel: sids[channel] for channel in archived if channel not in gone})
                say(f"{_month(part)}: part {part.number + 1} written anew without {len(gone):,} channels")
            self._looked_through[part] = run_out

    def _has_run_out(self, channel: str, part: Part, now_ms: int) -> bool:
        kept = self._retention_of(channel).raw_ms
        return kept is not None and self._first_right_hour(channel, part) <= now_ms - kept

    def _first_right_hour(self, channel: str, part: Part) -> int:
        """Return the first hour that needs no reading of the part."""
        return floor_to(part.end_ms + self._cover_ms(self._writer.series.sids[channel]) + HOUR_MS - 1, HOUR_MS)

    async def _write(self, part: Part, channels: Channels) -> tuple[Part, int]:
        """Write a part from everything known of these channels; a new one ends at a channel when it is full."""
        names = sorted(channel for channel in channels if part.holds(channel))
        new = part not in await self._ask(lambda reader: reader.parts.all())
        writer = await asyncio.to_thread(PartWriter(self._folder / part.name).__enter__)
        try:
            for start in range(0, len(names), _CHANNELS_PER_QUESTION):
                some = [(name, channels[name]) for name in names[start : start + _CHANNELS_PER_QUESTION]]
                await _to_its_end(self._ask(partial(_add, writer, part, some)))
                following = names[start + _CHANNELS_PER_QUESTION :][:1]
                if new and following and writer.readings >= self._settings.part_readings:
                    part = part._replace(upper=following[0])
                    break
        except BaseException as error:
            await asyncio.to_thread(writer.__exit__, type(error), error, None)
            raise
        await asyncio.to_thread(writer.__exit__, None, None, None)
        return part, writer.readings

    def _list(self, part: Part) -> None:
        connection = self._writer.connection
        with transaction(connection, self._writer.path):
            connection.execute("INSERT INTO archive_part VALUES(?, ?, ?, ?)", part)
            connection.execute("UPDATE meta SET value = value + 1 WHERE key = 'archive_version'")

    def _mark_gone(self, part: Part, channels: Sequence[str]) -> None:
        connection = self._writer.connection
        with transaction(connection, self._writer.path):
            for channel in channels:
                connection.execute(_KEPT_FROM, (self._first_right_hour(channel, part), channel))

    async def _delete(self, part: Part, channels: Channels) -> None:
        """Delete what the file of a listed part answers for."""
        await self._compare(part, channels, self._delete_held)

    async def _compare(self, part: Part, channels: Channels, work: Callable[[int, Sequence[Row]], None]) -> None:
        """Do something with the rows of a listed part's file, a slice of a channel at a time."""
        file = await asyncio.to_thread(PartFile, self._folder / part.name)
        for channel, sid in channels.items():
            if not part.holds(channel):
                continue
            rows = await asyncio.to_thread(file.rows, channel, part.month_ms, part.end_ms)
            for start in range(0, len(rows), self._slice_rows):
                await self._thread.run(partial(work, sid, rows[start : start + self._slice_rows]))

    def _delete_held(self, sid: int, rows: Sequence[Row]) -> None:
        connection = self._writer.connection
        with transaction(connection, self._writer.path):
            self._hold(rows)
            repeated = self._contests.repeat(_LOST, (sid,))
            connection.execute(_DELETE, (sid,))
        self._writer.remember(repeated)

    def _tell_doubts_over(self, sid: int, rows: Sequence[Row]) -> None:
        """Repeat what takes the place of a doubtful reading that is archived already."""
        with transaction(self._writer.connection, self._writer.path):
            self._hold(rows)
            repeated = self._contests.repeat(_DOUBT_IS_OVER, (sid,))
        self._writer.remember(repeated)

    def _hold(self, rows: Sequence[Row]) -> None:
        connection = self._writer.connection
        connection.execute(_HELD)
        connection.execute("DELETE FROM temp.held")
        _HOLD.run(connection, [value for row in rows for value in row])

    async def _ask(self, question: Callable[[Reader], Answer]) -> Answer:
        return await self._readers.ask(lambda reader, _snapshot: question(reader))


def _add(writer: PartWriter, part: Part, channels: Sequence[tuple[str, int]], reader: Reader) -> None:
    for channel, sid in channels:
        writer.add(channel, reader.settled_rows(sid, part.month_ms, part.end_ms))


async def _to_its_end(work: Coroutine[Any, Any, object]) -> None:
    """Wait for work in a thread also when cancelled: what it works on is closed next."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


def _late(part: Part, channels: Channels, reader: Reader) -> Late:
    return late_for(reader.connection, part, channels)


def _channels(part: Part, reader: Reader) -> list[str]:
    return list(reader.shelf.file(part).channels())


def _sweep(folder: Path) -> None:
    """Remove what a run that was killed left half written."""
    for path in folder.glob(f"month=*/*{TEMPORARY}"):
        path.unlink()


def _month(part: Part) -> str:
    return f"{to_datetime(part.month_ms):%Y-%m}"

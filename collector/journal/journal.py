"""The journal: every reading is durable here before anything else happens with it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from collector.journal import letters
from collector.journal.archive.archiver import Archiver
from collector.journal.buckets import changes, rollups
from collector.journal.contests import Contests
from collector.journal.days import channels_changed, days
from collector.journal.errors import JournalUnwritable
from collector.journal.hours import hours_in_short
from collector.journal.letters import EVERY_LETTER, Letter, LetterFilter, LetterGroup
from collector.journal.marks import Stretch
from collector.journal.opening import OpenToRead, OpenToWrite, change_cursor
from collector.journal.reader import Answer, Reader, Snapshot, reading
from collector.journal.rollup import Resolution, Rollup, RollupChange
from collector.journal.settings import ArchiveSettings, IntervalOf, JournalSettings, RetentionOf, kept_for_ever
from collector.journal.settling import Settler
from collector.journal.threads import ReaderPool, WriterThread
from collector.journal.upkeep import Upkeep
from collector.journal.writer import Writer
from domain.channel_day import ChannelDay
from domain.instant import MINUTE_MS, Clock
from domain.kept import Kept
from domain.limits import LimitHistory
from domain.place_hour import HourQuestion, PlaceHour
from domain.reading import Reading
from domain.rejection import Reason, Rejected


class JournalStats(NamedTuple):
    """Where the journal stands, for metrics."""

    position: int
    """Position of the last reading committed: as many were ever committed, those that were repeated twice."""
    settled: int
    """Readings up to this position stand sorted in their series."""
    channels: int
    commits: int
    """Since the journal was opened."""
    commit_seconds: float
    """Time spent in these commits."""


def every_minute(channel: str) -> int:
    """Return the interval of a channel of which nothing is known."""
    return MINUTE_MS


class Journal:
    """All readings, durable, in order of arrival for followers and in order of time for queries.

    ``async with Journal.open(folder) as journal:``. One process writes into a folder; others open it ``read_only``:
    they query, follow and move cursors, and do nothing else. Raises subclasses of ``JournalError``.
    """

    def __init__(
        self, folder: Path, settings: JournalSettings, interval_of: IntervalOf, retention_of: RetentionOf, writes: bool
    ) -> None:
        """Remember what to open; nothing is touched before ``async with``."""
        self._folder, self._settings = folder, settings
        self._interval_of, self._retention_of = interval_of, retention_of
        self._writes = writes
        self._advanced = asyncio.Event()

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        settings: JournalSettings | None = None,
        interval_of: IntervalOf = every_minute,
        retention_of: RetentionOf = kept_for_ever,
        read_only: bool = False,
    ) -> Journal:
        """Return the journal of a folder, to be entered; ``interval_of`` and ``retention_of`` are called in threads."""
        return cls(folder, settings or JournalSettings(), interval_of, retention_of, not read_only)

    async def __aenter__(self) -> Self:
        self._thread = WriterThread(self._wake)
        try:
            self._opened = await self._thread.run(self._open)
        except BaseException:
            await self._thread.close()
            raise
        self._memory, self._writer = self._opened.memory, self._opened.writer
        self._readers = ReaderPool(self._folder, self._memory, self._settings.readers)
        self._upkeep: Upkeep | None = None
        self._archiver: Archiver | None = None
        if self._writer is not None:
            self._upkeep, self._archiver = self._background(self._writer)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._readers.close()
        await self._thread.close()
        await asyncio.to_thread(self._opened.close)

    # -- writing ------------------------------------------------------------------------------------------------

    async def commit(
        self, readings: Sequence[Reading], rejected: Sequence[Rejected] = (), *, copied: bool = False
    ) -> int:
        """Store in one transaction, durable when this returns the last position; raise ``JournalFull`` and others.

        The sequence is kept in memory and must not be changed afterwards. What raised stored nothing. ``copied``: they
        come from another store, and followers are told so (``marked``).
        """
        if self._writer is None:
            raise self._read_only()
        return await self._thread.run(partial(self._writer.commit, readings, rejected, copied=copied))

    async def settle(self) -> None:
        """Sort everything committed into its series and bring all roll-ups up to date."""
        await self._for_upkeep().settle()

    def judge_by(self, limits: Mapping[str, LimitHistory]) -> None:
        """Judge all roll-ups by these limits, by channel; one that is left out has none.

        Taken over, durably, by the next round of background work or ``settle``. Hours judged by other limits, also
        hours long over, are judged anew as far as their raw readings are kept.
        """
        self._for_upkeep().judge_by(limits)

    async def prune(self, now_ms: int) -> None:
        """Delete what ``retention_of`` lets go at a moment."""
        await self._for_upkeep().prune(now_ms)

    async def archive(
        self, now_ms: int, *, month_ms: int | None = None, say: Callable[[str], None] = lambda _: None
    ) -> None:
        """Archive what is old enough at a moment, or the month that begins at ``month_ms`` whatever its age."""
        if self._archiver is None:
            raise self._read_only()
        await self._archiver.archive(now_ms, say, month_ms)

    async def run(self, clock: Clock) -> None:
        """Do the background work until cancelled; retention and archive go by the clock, the rest by real time."""
        upkeep, archiver = self._for_upkeep(), self._archiver
        if archiver is None or self._settings.archive is None:
            await upkeep.run(clock)
            return
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(upkeep.run(clock))
            tasks.create_task(archiver.run(clock))

    # -- following ----------------------------------------------------------------------------------------------

    @property
    def position(self) -> int:
        """Position of the last reading known to be committed; 0 in an empty journal."""
        return self._memory.unsettled.known if self._writer is None else self._writer.position

    async def read_after(self, position: int, limit: int) -> tuple[int, list[Reading]]:
        """Return the position of the last reading returned (or ``position``) and up to ``limit`` in order of arrival.

        Readings that every registered cursor passed may be gone: reading goes on with the first that is left.
        """
        found = self._writer.recent.after(position, limit) if self._writer else None
        if found is not None:
            await asyncio.sleep(0)
            return position + len(found), found
        return await self._readers.ask(lambda reader, snapshot: reader.after(snapshot, position, limit))

    async def marked(self, after: int, upto: int) -> list[Stretch]:
        """Return the stretches of (after, upto] whose readings did not arrive just then, ascending."""
        if self._writer is not None and after >= self._writer.marked_until:
            return []
        return await self._ask(lambda reader, _: reader.marked(after, upto))

    async def wait_beyond(self, position: int) -> int:
        """Wait until something was committed after a position; return the last position."""
        while self.position <= position:
            if self._writer is not None:
                await self._advanced.wait()
            elif await self._ask(lambda _, snapshot: snapshot.last) <= position:
                await asyncio.sleep(self._settings.poll_seconds)
        return self.position

    async def cursor(self, name: str) -> int | None:
        """Return a follower's position, or None for a name that is not registered."""
        return await self._ask(lambda reader, _: reader.cursor(name))

    async def move_cursor(self, name: str, position: int) -> None:
        """Register or move a cursor; readings after the least of all cursors stay readable in order of arrival."""
        await self._thread.run(partial(change_cursor, self._opened, name, position))

    async def cursors(self) -> dict[str, int]:
        """Return the position of every registered follower."""
        return await self._ask(lambda reader, _: reader.cursors())

    async def drop_cursor(self, name: str) -> None:
        """Forget a follower, so that the journal no longer keeps readings for it."""
        await self._thread.run(partial(change_cursor, self._opened, name, None))

    # -- asking -------------------------------------------------------------------------------------------------

    async def series(self, channel: str, from_ms: int, to_ms: int, limit: int | None = None) -> list[Reading]:
        """Return the readings of a channel measured in [from, to), in order, each moment once; at most ``limit``."""

        def question(reader: Reader, snapshot: Snapshot) -> list[Reading]:
            sid = reader.sid(channel)
            rows = [] if sid is None else reader.rows(snapshot, sid, from_ms, to_ms, -1 if limit is None else limit)
            return [reading(channel, row) for row in rows]

        return await self._ask(question)

    async def before(self, channel: str, moment_ms: int) -> Reading | None:
        """Return the last reading of a channel measured before a moment."""

        def question(reader: Reader, snapshot: Snapshot) -> Reading | None:
            sid = reader.sid(channel)
            row = None if sid is None else reader.before(snapshot, sid, moment_ms)
            return None if row is None else reading(channel, row)

        return await self._ask(question)

    async def latest(self) -> dict[str, Reading]:
        """Return the reading of every channel that was measured last, whatever its quality."""
        return await self._ask(Reader.newest)

    async def rollups(self, channel: str, from_ms: int, to_ms: int, resolution: Resolution) -> list[Rollup]:
        """Return the roll-ups of a channel that share time with [from, to), in order; empty ones are left out."""
        return (await self.rollups_of([channel], from_ms, to_ms, resolution))[channel]

    async def rollups_of(
        self, channels: Sequence[str], from_ms: int, to_ms: int, resolution: Resolution
    ) -> dict[str, list[Rollup]]:
        """Return the roll-ups of several channels, all as of one moment: quicker than asking for each."""

        def of_channel(reader: Reader, snapshot: Snapshot, channel: str) -> list[Rollup]:
            sid = reader.sid(channel)
            if sid is None or from_ms >= to_ms:
                return []
            cover_ms = round(self._interval_of(channel) * self._settings.cover_factor)
            return rollups(reader, snapshot, sid, from_ms, to_ms, resolution, cover_ms)

        return await self._ask(lambda reader, snapshot: {name: of_channel(reader, snapshot, name) for name in channels})

    async def days(self, channels: Sequence[str], from_ms: int, to_ms: int) -> list[ChannelDay]:
        """Return the stored days of many channels that begin in [from, to), in any order, as far as settled."""
        return await self._ask(lambda reader, _: days(reader, channels, from_ms, to_ms))

    async def hours_in_short(self, questions: Mapping[str, HourQuestion], from_ms: int, to_ms: int) -> list[PlaceHour]:
        """Return the stored hours of places that begin in [from, to), in any order, as far as settled."""
        return await self._ask(lambda reader, _: hours_in_short(reader, questions, from_ms, to_ms))

    async def days_changed(self, position: int, from_ms: int, to_ms: int) -> tuple[int, frozenset[str]]:
        """Return the position of the last change, and whose days in [from, to) changed after a position."""
        return await self._ask(lambda reader, _: channels_changed(reader, position, from_ms, to_ms))

    async def kept(self, channel: str) -> Kept:
        """Return from when on what of a channel is kept."""

        def question(reader: Reader, _: Snapshot) -> Kept:
            sid = reader.sid(channel)
            return Kept() if sid is None else reader.kept(sid)

        return await self._ask(question)

    async def rollup_changes(self, position: int, limit: int) -> list[RollupChange]:
        """Return up to ``limit`` stored roll-ups that were computed, or computed anew, after a position, in order.

        One that changes again moves to a new position: what a follower has passed and missed comes once more.
        """
        return await self._ask(lambda reader, _: changes(reader, position, limit))

    async def last_rollup_change(self) -> int:
        """Return the position of the newest change of a stored roll-up; 0 where there was none."""
        return await self._ask(lambda reader, _: reader.rollup_changes())

    async def letters(
        self, wanted: LetterFilter = EVERY_LETTER, *, limit: int, newest_first: bool = False
    ) -> list[Letter]:
        """Return up to ``limit`` of what was refused, in the order of arrival; what is kept of it is bounded."""
        return await self._ask(
            lambda reader, _: letters.find(reader.connection, wanted, limit, newest_first=newest_first)
        )

    async def letter_groups(self, wanted: LetterFilter = EVERY_LETTER) -> list[LetterGroup]:
        """Return what is kept of what was refused, counted by reason and sender."""
        return await self._ask(lambda reader, _: letters.groups(reader.connection, wanted))

    async def forget_letters(self, ids: Sequence[int]) -> None:
        """Delete letters, such as those that were replayed."""
        if self._writer is None:
            raise self._read_only()
        await self._thread.run(partial(self._writer.forget_letters, ids))

    async def rejected_counts(self) -> dict[Reason, int]:
        """Return how many records were ever refused, by reason."""
        return await self._ask(lambda reader, _: reader.rejected_counts())

    async def count(self) -> int:
        """Return the number of stored readings, each (channel, moment) once; reads the whole file."""
        return await self._ask(Reader.count)

    def stats(self) -> JournalStats:
        """Return where the journal stands."""
        commits, seconds = (self._writer.commits, self._writer.commit_seconds) if self._writer else (0, 0.0)
        memory = self._memory
        settled = self._writer.settled if self._writer else memory.unsettled.floor
        return JournalStats(self.position, settled, len(memory.series.sids), commits, seconds)

    async def _ask(self, question: Callable[[Reader, Snapshot], Answer]) -> Answer:
        return await self._readers.ask(question)

    def _open(self) -> OpenToWrite | OpenToRead:
        return OpenToWrite(self._folder, self._settings) if self._writes else OpenToRead(self._folder)

    def _background(self, writer: Writer) -> tuple[Upkeep, Archiver]:
        settings, contests = self._settings, Contests(writer)
        settler = Settler(writer, contests, settings, self._interval_of, self._retention_of)
        archiver = Archiver(
            writer,
            contests,
            self._thread,
            self._readers,
            settings.archive or ArchiveSettings(),
            settings.slice_rows,
            settler.cover_ms,
            self._retention_of,
        )
        return Upkeep(writer, settler, self._thread, self._readers, settings), archiver

    def _for_upkeep(self) -> Upkeep:
        if self._upkeep is None:
            raise self._read_only()
        return self._upkeep

    def _read_only(self) -> JournalUnwritable:
        return JournalUnwritable(f"the journal in {self._folder} was opened read-only")

    def _wake(self) -> None:
        """Let those look who wait for something to be committed."""
        self._advanced.set()
        self._advanced = asyncio.Event()

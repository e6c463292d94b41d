"""When the machine's clock is set to another time: what counts by it is moved along, once, over restarts too."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import BigInteger, Column, MetaData, String, Table, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from alerts.timers import shift_timers
from alerts.whole import whole
from app.clock import Beat, SteadyClock
from domain.instant import SECOND_MS, to_datetime

log = logging.getLogger(__name__)

METADATA = MetaData()

_BEAT = Table(
    "clock_beat",
    METADATA,
    Column("boot", String(80), primary_key=True),
    Column("wall_ms", BigInteger, nullable=False),
    Column("elapsed_ms", BigInteger, nullable=False),
)
"""One row: what the machine's clocks showed when timers were last right by them, and in which of its lives."""

BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


def machine_boot(path: Path = BOOT_ID) -> str:
    """Return what tells one start of the machine from another; empty where the system does not say."""
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def resumed(saved: Beat, *, same_boot: bool, now: Beat) -> Beat:
    """Return the beat to go on from, by the one that an earlier life saved.

    Within one start of the machine its two clocks tell how far one was set. Over a restart nobody knows how long it
    was off: time passed as the wall clock says, and none where that went back, as it does without a battery.
    """
    if same_boot and now.elapsed_ms >= saved.elapsed_ms:
        return saved
    return Beat(max(saved.wall_ms, now.wall_ms), now.elapsed_ms)


@dataclass
class Timekeeper:
    """Remembers what the clock showed, and says when timers are to be moved."""

    database: AsyncEngine
    clock: SteadyClock
    boot: str

    async def create_tables(self) -> None:
        """Create the table that is missing."""
        async with self.database.begin() as connection:
            await connection.run_sync(METADATA.create_all)

    async def resume(self) -> None:
        """Go on from what was saved last; what was not saved did not happen."""
        async with self.database.connect() as connection:
            row = (await connection.execute(select(_BEAT))).one_or_none()
        if row is not None:
            same_boot = bool(self.boot) and row.boot == self.boot
            saved = Beat(row.wall_ms, row.elapsed_ms)
            self.clock.begin_from(resumed(saved, same_boot=same_boot, now=self.clock.beat()))

    async def note(self, connection: AsyncConnection, now_ms: int) -> None:
        """Write down, in the caller's transaction, that the timers there are right where it is ``now_ms``."""
        elapsed_ms = self.clock.beat().elapsed_ms
        await connection.execute(delete(_BEAT))
        await connection.execute(insert(_BEAT).values(boot=self.boot, wall_ms=now_ms, elapsed_ms=elapsed_ms))

    async def follow(
        self, shift: Callable[[int, int], None], save: Callable[[AsyncConnection], Awaitable[None]]
    ) -> int:
        """Where the clock was set to another time, move all that counts by it, and show that time from then on.

        ``shift`` moves what is in memory, by so many milliseconds to this moment; ``save`` writes it, in the
        transaction that moves the timers of alerts. Returns by how much the clock was set; 0 where it was not.
        """
        jump_ms = self.clock.jump_ms
        if not jump_ms:
            return 0
        was_ms = self.clock.now_ms()
        log.warning("the clock was set by %+.0f s: timers keep what is left of them", jump_ms / SECOND_MS)
        shift(jump_ms, was_ms + jump_ms)
        # Nothing may come due in between: a clock set on is followed after its timers, one set back before them.
        if jump_ms < 0:
            self.clock.follow()
        await whole(self._move(jump_ms, was_ms, save))
        if jump_ms > 0:
            self.clock.follow()
        return jump_ms

    async def _move(self, jump_ms: int, was_ms: int, save: Callable[[AsyncConnection], Awaitable[None]]) -> None:
        async with self.database.begin() as connection:
            moved = await shift_timers(connection, timedelta(milliseconds=jump_ms), was=to_datetime(was_ms))
            await save(connection)
            await self.note(connection, was_ms + jump_ms)
        log.info("%d timers of alerts were moved", moved)

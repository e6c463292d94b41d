"""A process of its own that writes into, or follows, a journal until it is killed: run with a role and a folder."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from collector.journal import ArchiveSettings, Journal, JournalSettings
from domain.reading import Quality, Reading

BATCH = 50
CHANNELS = 20
NAME = "follower"
SETTINGS = JournalSettings(slice_rows=40, settle_rows=500, settle_after_seconds=0.05, check_seconds=0.01)

ARCHIVING = SETTINGS.model_copy(
    update={"archive": ArchiveSettings(part_readings=200, fold_readings=100, check_every_seconds=0.01)}
)


def batch(number: int) -> list[Reading]:
    """Return the readings of the commit with this number, always the same."""
    first = number * BATCH
    return [
        Reading(f"c{n % CHANNELS}", 1_760_000_000_000 + n * 1000, n / 7, Quality.GOOD, 1_760_000_000_000 + n)
        for n in range(first, first + BATCH)
    ]


class StandingClock:
    """A clock that stands still: retention plays no part here."""

    def now_ms(self) -> int:
        """Return a moment after all readings."""
        return 1_770_000_000_000

    async def sleep(self, seconds: float) -> None:
        """Wait in real time."""
        await asyncio.sleep(seconds)


async def write(folder: Path, settings: JournalSettings) -> None:
    """Commit, settle and move a cursor, saying ``position cursor`` after each commit that returned."""
    async with Journal.open(folder, settings=settings) as journal, asyncio.TaskGroup() as tasks:
        tasks.create_task(journal.run(StandingClock()))
        cursor = await journal.cursor(NAME) or 0
        while True:
            position = await journal.commit(batch(journal.position // BATCH))
            if position % (7 * BATCH) == 0:
                await journal.move_cursor(NAME, position - 3 * BATCH)
                cursor = position - 3 * BATCH
            sys.stdout.write(f"{position} {cursor}\n")
            sys.stdout.flush()


async def follow(folder: Path, upto: int) -> None:
    """Print what arrives as another process sees it, moving the cursor behind, up to a position."""
    async with Journal.open(folder, settings=SETTINGS, read_only=True) as journal:
        position = await journal.cursor(NAME) or 0
        while position < upto:
            await journal.wait_beyond(position)
            position, arrived = await journal.read_after(position, 70)
            for reading in arrived:
                sys.stdout.write(f"{reading.channel} {reading.measured_at_ms} {reading.value!r}\n")
            sys.stdout.flush()
            await journal.move_cursor(NAME, position)


if __name__ == "__main__":
    role, where, *rest = sys.argv[1:]
    if role == "follow":
        asyncio.run(follow(Path(where), int(rest[0])))
    else:
        asyncio.run(write(Path(where), ARCHIVING if role == "archive" else SETTINGS))

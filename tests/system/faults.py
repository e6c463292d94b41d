"""Everything goes wrong at random while nodes measure: ``python -m tests.system.faults --minutes 5 --seed 1``.

Collector, broker and InfluxDB are killed, the disk is slow, then full, a flood comes in, and the registry changes ten
times a second. In the end what the nodes sent is compared with what journal and InfluxDB have, and every hour's time
outside the limits with a count straight from the definition.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from collector.journal import Journal, JournalSettings, Resolution
from domain.instant import HOUR_MS, SECOND_MS
from domain.limits import LimitHistory
from domain.reading import Quality, Reading
from tests.collector.journal_world import close, naive_rollups
from tests.system.fault_site import FAULTS, Site, faulty_site
from tests.system.servers import InfluxServer

DRAIN_SECONDS = 180.0
BETWEEN_SECONDS = (0.2, 2.5)
"""Between two faults: often one comes before the last is overcome."""
COVER_MS = round(SECOND_MS * JournalSettings().cover_factor)

Sent = Mapping[str, Mapping[int, float]]
"""Values by moment, by channel."""


class Compared(NamedTuple):
    """What a store has, against what was sent."""

    lost: int
    doubled: int
    """Stored more than once."""
    other: int
    """Stored with another value, or never sent."""

    def __str__(self) -> str:
        return f"lost {self.lost}, doubled {self.doubled}, other {self.other}"


class Tally(NamedTuple):
    """What happened and what came of it."""

    seconds: float
    faults: Counter[str]
    died: int
    """How often the service ended though nobody killed it."""
    refused: int
    """How often it would not start, which it may on a full disk."""
    sent: int
    journal: Compared
    influx: Compared
    hours: int
    wrong_hours: int
    """Whose roll-up, or time outside the limits, is not what the definition says."""
    imports: int
    new_channels: int
    taken_seconds: float
    """How long a new channel waited for the service, at most."""

    @property
    def good(self) -> bool:
        """Tell whether everything was kept, once and right."""
        return self.journal == self.influx == Compared(0, 0, 0) and not self.wrong_hours and not self.died

    def __str__(self) -> str:
        events = ", ".join(f"{what} {count}" for what, count in sorted(self.faults.items()))
        return (
            f"{self.seconds:.0f} s, faults survived {self.faults.total()} ({events}), service died {self.died},"
            f" would not start {self.refused},"
            f" readings sent {self.sent}, journal: {self.journal}, InfluxDB: {self.influx},"
            f" roll-ups wrong {self.wrong_hours} of {self.hours}, imports {self.imports},"
            f" new channels {self.new_channels} taken up within {self.taken_seconds:.1f} s"
        )


async def faults(folder: Path, *, seconds: float, seed: int, only: Sequence[str] = FAULTS) -> Tally:
    """Let faults happen for so long, then let everything come to rest and compare."""
    chance, started_s = random.Random(seed), time.monotonic()
    happened: Counter[str] = Counter()
    async with faulty_site(folder) as site, asyncio.TaskGroup() as tasks:
        watching = [tasks.create_task(site.supervise()), tasks.create_task(site.registry.watch())]
        stop = asyncio.Event()
        measuring = [tasks.create_task(node.measure(stop)) for node in site.nodes]
        sending = [tasks.create_task(node.run()) for node in site.nodes]
        await _let_happen(site, chance, happened, started_s + seconds, only)
        stop.set()
        async with asyncio.timeout(DRAIN_SECONDS):
            await asyncio.gather(*measuring, *sending)
            sent = {
                f"clinic/fridge/{node.name}.{name}": found for node in site.nodes for name, found in node.sent.items()
            }
            influx = await _until_forwarded(site.influx, sent)
        for task in watching:
            task.cancel()
        await site.service.stop()
        limits, registry = await site.registry.limits(), site.registry
        journal, hours, wrong = await _compare_journal(site.data, sent, limits)
        return Tally(
            time.monotonic() - started_s, happened, site.died, site.refused, sum(map(len, sent.values())),
            journal, influx, hours, wrong, registry.imports, registry.taken, registry.longest_seconds,
        )  # fmt: skip


async def _let_happen(
    site: Site, chance: random.Random, happened: Counter[str], until_s: float, only: Sequence[str]
) -> None:
    under_way: set[str] = set()

    async def happen(what: str) -> None:
        under_way.add(what)
        await site.suffer(what, chance)
        happened[what] += 1
        under_way.discard(what)

    async with asyncio.TaskGroup() as tasks:
        while time.monotonic() < until_s:
            await asyncio.sleep(chance.uniform(*BETWEEN_SECONDS))
            victims = {what.split()[1] for what in under_way}
            possible = [what for what in only if what.split()[1] not in victims]
            if possible:
                tasks.create_task(happen(chance.choice(possible)))


async def _until_forwarded(server: InfluxServer, sent: Sent) -> Compared:
    """Return what InfluxDB has once it has as much as was sent, or nothing more comes for a while."""
    found, quiet, before = Compared(1, 0, 0), 0, -1
    while found.lost and quiet < 20:
        await asyncio.sleep(1)
        rows: list[tuple[str, int, float]] = []
        for series in await server.query("SELECT value FROM temperature_celsius GROUP BY channel", database="vitals"):
            rows += ((series["tags"]["channel"], at_ms, value) for at_ms, value in series["values"])
        found = _compared(rows, sent)
        quiet, before = (quiet + 1 if found.lost == before else 0), found.lost
    return found


async def _compare_journal(folder: Path, sent: Sent, limits: Mapping[str, LimitHistory]) -> tuple[Compared, int, int]:
    """Return what the journal has, how many roll-ups, and how many of them are wrong."""
    rows: list[tuple[str, int, float | None]] = []
    hours = wrong = 0
    moments = [moment for values in sent.values() for moment in values]
    starts = range(min(moments) // HOUR_MS * HOUR_MS, max(moments) + COVER_MS, HOUR_MS)
    async with Journal.open(folder, interval_of=lambda _: SECOND_MS) as journal:
        journal.judge_by(limits)
        await journal.settle()
        for channel, values in sent.items():
            rows += ((channel, r.measured_at_ms, r.value) for r in await journal.series(channel, 0, 2**53))
            told = await journal.rollups(channel, starts.start, starts.stop, Resolution.HOUR)
            series = [Reading(channel, at_ms, value, Quality.GOOD, at_ms) for at_ms, value in sorted(values.items())]
            expected = naive_rollups(series, limits[channel], starts, COVER_MS)
            hours += len(expected)
            right = sum(close([ours], [naive]) for ours, naive in zip(told, expected, strict=False))
            wrong += max(len(told), len(expected)) - right
    return _compared(rows, sent), hours, wrong


def _compared(rows: list[tuple[str, int, float]] | list[tuple[str, int, float | None]], sent: Sent) -> Compared:
    stored = {(channel, at_ms): value for channel, at_ms, value in rows}
    wanted = {(channel, at_ms): value for channel, values in sent.items() for at_ms, value in values.items()}
    other = sum(wanted.get(key) != value for key, value in stored.items())
    return Compared(len(wanted.keys() - stored.keys()), len(rows) - len(stored), other)


def main() -> int:
    """Run from the command line; the exit code tells whether everything was kept."""
    parser = argparse.ArgumentParser(prog="python -m tests.system.faults", description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", action="append", choices=FAULTS, help="one fault; given again, another one")
    options = parser.parse_args()
    only = options.only or FAULTS
    with tempfile.TemporaryDirectory(prefix="vitals-faults-") as folder:
        Path(folder).chmod(0o755)  # mosquitto gives up root
        tally = asyncio.run(faults(Path(folder), seconds=options.minutes * 60, seed=options.seed, only=only))
    print(tally)  # noqa: T201 - the figure
    return 0 if tally.good else 1


if __name__ == "__main__":
    sys.exit(main())

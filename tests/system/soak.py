"""Edge, broker and collector are killed at random instants while a node counts: ``python -m tests.system.soak``.

In the end what the outbox accepted is compared with what the journal has: the same readings, each once, in order.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from app.demo.link import Link
from collector.journal import Journal
from tests.system.brokers import MosquittoServer, mosquitto_server
from tests.system.counting_node import CHANNELS, rounds_in
from tests.system.servers import ServerProcess

REPOSITORY = Path(__file__).parents[2]
DRAIN_SECONDS = 120.0
CUT_SECONDS = 2.0
BETWEEN_SECONDS = (0.2, 2.5)
"""Between two disasters: often one comes before the last is overcome."""
EDGE = """\
node: node-1
broker: mqtt://127.0.0.1:{port}
outbox: {folder}/outbox.db
interval: 50ms
publish: {{reconnect_first: 100ms, reconnect_longest: 500ms, receipt_timeout: 1s, backfill_readings_per_second: null}}
drivers: [{{driver: counting, folder: {folder}}}]
"""
SERVICE = """\
data: {folder}/data
listen: {{port: 0}}
mqtt: {{url: "mqtt://127.0.0.1:{port}", reconnect_first: 100ms, reconnect_longest: 500ms}}
registry: {folder}/registry.yaml
rules: {{catalogue: false}}
"""
REGISTRY = """\
facilities:
  - id: clinic
    name: Clinic
    country: Uganda
    region: Western
    district: Kasese
    nodes: [{id: node-1, name: Gateway}]
    equipment:
      - id: gateway
        kind: gateway
        name: Gateway
        channels:
"""


class Tally(NamedTuple):
    """What happened and what came of it."""

    seconds: float
    disasters: Counter[str]
    accepted: int
    """Readings that the outbox accepted."""
    lost: int
    """Accepted and not stored."""
    doubled: int
    """Stored more than once, under different times."""
    disordered: int
    """Stored with a time at which another number was due."""
    invented: int
    """Stored and never measured."""

    @property
    def kills(self) -> int:
        """Return how many processes were killed."""
        return sum(count for what, count in self.disasters.items() if what.startswith("kill"))

    def __str__(self) -> str:
        events = ", ".join(f"{what} {count}" for what, count in sorted(self.disasters.items()))
        return (
            f"{self.seconds:.0f} s, kills survived {self.kills} ({events}), readings checked {self.accepted},"
            f" lost {self.lost}, stored twice {self.doubled}, out of order {self.disordered}, invented {self.invented}"
        )


class Chain:
    """A node, a link, a broker and a service, each of which can be ended at any moment and comes back."""

    def __init__(self, node: ServerProcess, link: Link, broker: MosquittoServer, service: ServerProcess) -> None:
        self.node, self.link, self.broker, self.service = node, link, broker, service
        self.disasters: dict[str, Callable[[random.Random], Awaitable[None]]] = {
            "kill edge": lambda chance: _kill(self.node, chance),
            "kill collector": lambda chance: _kill(self.service, chance),
            "kill broker": self._kill_broker,
            "stop broker": self._stop_broker,
            "cut link": self._cut,
        }

    async def _kill_broker(self, chance: random.Random) -> None:
        await self.broker.kill()
        await asyncio.sleep(chance.uniform(0, 1))
        await self.broker.restart()

    async def _stop_broker(self, chance: random.Random) -> None:
        await self.broker.stop()
        await asyncio.sleep(chance.uniform(0, 1))
        await self.broker.restart()

    async def _cut(self, chance: random.Random) -> None:
        self.link.set_whole(False)
        await asyncio.sleep(chance.uniform(0, CUT_SECONDS))
        self.link.set_whole(True)


async def soak(folder: Path, *, seconds: float, seed: int) -> Tally:
    """Let disasters happen for so long, then let everything come to rest and compare."""
    chance = random.Random(seed)
    started_s = time.monotonic()
    disasters: Counter[str] = Counter()
    async with _chain(folder) as chain:
        under_way: set[str] = set()

        async def happen(what: str) -> None:
            under_way.add(what)
            await chain.disasters[what](chance)
            under_way.discard(what)

        async with asyncio.TaskGroup() as tasks:
            while time.monotonic() - started_s < seconds:
                await asyncio.sleep(chance.uniform(*BETWEEN_SECONDS))
                possible = [what for what in chain.disasters if not _same_victim(what, under_way)]
                if possible:
                    what = chance.choice(possible)
                    disasters[what] += 1
                    tasks.create_task(happen(what))
        (folder / "stop").touch()
        await _until_drained(folder)
    return await _compare(folder, time.monotonic() - started_s, disasters)


def _same_victim(what: str, under_way: set[str]) -> bool:
    return any(what.split()[1] == other.split()[1] for other in under_way)


async def _kill(process: ServerProcess, chance: random.Random) -> None:
    await process.kill()
    await asyncio.sleep(chance.uniform(0, 1))
    await process.start()


@asynccontextmanager
async def _chain(folder: Path) -> AsyncIterator[Chain]:
    """Run everything in a folder; the service and the node as an operator and a technician run them."""
    async with AsyncExitStack() as stack:
        broker = await stack.enter_async_context(mosquitto_server(folder))
        link = await stack.enter_async_context(Link(broker.port).open())
        channels = "".join(
            f"          - {{quantity: queue_depth, id: c{n}, node: node-1, name: c{n}, interval: 1s}}\n"
            for n in range(CHANNELS)
        )
        (folder / "registry.yaml").write_text(REGISTRY + channels, encoding="utf-8")
        (folder / "vitals.yaml").write_text(SERVICE.format(folder=folder, port=broker.port), encoding="utf-8")
        (folder / "edge.yaml").write_text(EDGE.format(folder=folder, port=link.port), encoding="utf-8")
        service = _process(folder, "service", ["-m", "app.cli", "run", "--config", str(folder / "vitals.yaml")])
        node = _process(folder, "node", ["-m", "tests.system.counting_node", str(folder / "edge.yaml"), str(folder)])
        for process in (service, node):
            stack.push_async_callback(process.stop)
            await process.start()
        yield Chain(node, link, broker, service)


def _process(folder: Path, name: str, arguments: Sequence[str]) -> ServerProcess:
    async def at_once() -> bool:
        return True

    command = ["env", f"PYTHONPATH={REPOSITORY}", sys.executable, *arguments]
    return ServerProcess(command, log=folder / f"{name}.log", ready=at_once)


async def _until_drained(folder: Path) -> None:
    """Return when nothing waits in the outbox; raise ``TimeoutError`` when that does not come about."""
    async with asyncio.timeout(DRAIN_SECONDS):
        quiet = 0
        while quiet < 5:
            (folder / "depth").unlink(missing_ok=True)
            await asyncio.sleep(0.5)
            depth = (folder / "depth").read_text(encoding="ascii") if (folder / "depth").exists() else ""
            quiet = quiet + 1 if depth == "0" else 0


async def _compare(folder: Path, seconds: float, disasters: Counter[str]) -> Tally:
    accepted, offered = set(rounds_in(folder / "accepted")), set(rounds_in(folder / "offered"))
    lost = doubled = disordered = invented = 0
    async with Journal.open(folder / "data") as journal:
        for number in range(CHANNELS):
            series = await journal.series(f"clinic/gateway/c{number}", 0, 2**53)
            stored = [int(reading.value or 0) for reading in series]
            lost += len(accepted - set(stored))
            doubled += len(stored) - len(set(stored))
            disordered += sum(later <= earlier for earlier, later in itertools.pairwise(stored))
            invented += len(set(stored) - offered)
    return Tally(seconds, disasters, len(accepted) * CHANNELS, lost, doubled, disordered, invented)


def main() -> int:
    """Run from the command line; the exit code tells whether everything was kept."""
    parser = argparse.ArgumentParser(prog="python -m tests.system.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vitals-soak-") as folder:
        Path(folder).chmod(0o755)  # mosquitto gives up root
        tally = asyncio.run(soak(Path(folder), seconds=options.minutes * 60, seed=options.seed))
    print(tally)  # noqa: T201 - the figure
    return 1 if tally.lost or tally.doubled or tally.disordered or tally.invented else 0


if __name__ == "__main__":
    sys.exit(main())

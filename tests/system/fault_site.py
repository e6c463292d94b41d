"""A service with its broker and InfluxDB on a small disk, and everything that can happen to them."""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from domain.instant import MINUTE_MS
from tests.system.brokers import MosquittoServer, mosquitto_server
from tests.system.fault_nodes import MeasuringNode, flood
from tests.system.fault_registry import ChangingRegistry
from tests.system.full_disk import fill
from tests.system.servers import InfluxServer, ServerProcess, free_ports, influxdb, require
from tests.system.small_disk import small_disk

REPOSITORY = Path(__file__).parents[2]
NODES = 3
CHANNELS = 20
"""Of each node, to begin with."""
LATE_MS = 55 * MINUTE_MS
"""So much later than the one before it does each node tell what it measures."""
DISK = "192m"
FAULTS = (
    "kill collector", "kill broker", "kill influxdb", "slow disk", "full disk", "flood intake", "storm registry",
)  # fmt: skip
"""What happens, and to whom: two of one victim never happen at once."""
BEGINS, RUNNING = "-- a new life begins", "Vitals is running"
SYNC_SECONDS = 0.2
"""How much longer a slow disk takes for what has to be durable."""
SERVICE = """\
data: {folder}/disk/data
listen: {{port: {http}}}
access: {{open: true}}
mqtt: {{url: "{broker}", reconnect_first: 100ms, reconnect_longest: 500ms}}
influxdb: {{url: "{influx}", max_age: 200ms, retry_first: 100ms, retry_longest: 1s, retry_slowly: 1s}}
journal: {{settle_after_seconds: 2, check_seconds: 0.2}}
rules: {{catalogue: false}}
"""


class Site:
    """What can be hurt, and how."""

    def __init__(
        self, folder: Path, service: ServerProcess, broker: MosquittoServer, influx: InfluxServer,
        nodes: Sequence[MeasuringNode], registry: ChangingRegistry,
    ) -> None:  # fmt: skip
        self.data = folder / "disk" / "data"
        self.service, self.broker, self.influx, self.nodes, self.registry = service, broker, influx, nodes, registry
        self.died = self.refused = 0
        """How often the service ended though nobody killed it, and how often it would not start on a full disk."""
        self._log = folder / "service.log"
        self._killed = False
        self._tracer = require("strace", package="strace")

    async def suffer(self, fault: str, chance: random.Random) -> None:
        """Let one of ``FAULTS`` happen, and return when it is over."""
        kinds: dict[str, Callable[[random.Random], Awaitable[None]]] = {
            "kill collector": self._kill_collector,
            "kill broker": self._kill_broker,
            "kill influxdb": self._kill_influxdb,
            "slow disk": self._slow_disk,
            "full disk": self._full_disk,
            "flood intake": self._flood,
            "storm registry": self.registry.storm,
        }
        await kinds[fault](chance)

    async def _flood(self, chance: random.Random) -> None:
        await flood(self.broker.url, chance.choice(self.nodes), chance)

    async def _kill_collector(self, chance: random.Random) -> None:
        self._killed = True
        await self.service.kill()
        await asyncio.sleep(chance.uniform(0, 1))
        await self._start()
        self._killed = False

    async def _start(self) -> None:
        with self._log.open("a", encoding="utf-8") as log:
            log.write(f"{BEGINS}\n")
        await self.service.start()

    async def _kill_broker(self, chance: random.Random) -> None:
        await self.broker.kill()
        await asyncio.sleep(chance.uniform(0, 1))
        await self.broker.restart()

    async def _kill_influxdb(self, chance: random.Random) -> None:
        await self.influx.kill()
        await asyncio.sleep(chance.uniform(1, 5))
        await self.influx.restart()

    async def _slow_disk(self, chance: random.Random) -> None:
        """Have the kernel hold every sync of the service for a while, from outside, as a worn card does."""
        pid = self.service.pid
        if pid is None:
            return
        delay = f"inject=fsync,fdatasync:delay_exit={round(SYNC_SECONDS * 1e6)}"
        command = [
            self._tracer,
            "-qq",
            "-f",
            "-p",
            str(pid),
            "-e",
            "trace=fsync,fdatasync",
            "-e",
            delay,
            "-o",
            "/dev/null",
        ]
        tracer = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.DEVNULL)
        try:
            await asyncio.sleep(chance.uniform(1, 4))
        finally:
            if tracer.returncode is None:
                tracer.terminate()
            await tracer.wait()

    async def _full_disk(self, chance: random.Random) -> None:
        ballast = fill(self.data.parent)
        await asyncio.sleep(chance.uniform(0.5, 3))
        fill(self.data.parent)  # what was let go meanwhile
        await asyncio.sleep(0.5)
        ballast.unlink()

    async def supervise(self) -> None:
        """Start the service again when it ended by itself, as systemd would; until cancelled."""
        while True:
            await asyncio.sleep(0.5)
            if self.service.pid is None and not self._killed:
                last_life = self._log.read_text(encoding="utf-8").rpartition(BEGINS)[2]
                self.died += RUNNING in last_life
                self.refused += RUNNING not in last_life
                await self._start()


@asynccontextmanager
async def faulty_site(folder: Path) -> AsyncIterator[Site]:
    """Run everything in a folder, the service as an operator runs it."""
    async with AsyncExitStack() as stack:
        stack.enter_context(small_disk(folder / "disk", size=DISK))
        (folder / "disk" / "data").mkdir()
        broker = await stack.enter_async_context(mosquitto_server(folder))
        influx = await stack.enter_async_context(influxdb(folder))
        (http,) = free_ports(1)
        names = {f"node-{n}": [f"c{c}" for c in range(CHANNELS)] for n in range(NODES)}
        nodes = [
            MeasuringNode(broker.url, node, list(channels), late_ms=number * LATE_MS)
            for number, (node, channels) in enumerate(names.items())
        ]
        registry = ChangingRegistry(folder / "disk" / "data" / "vitals.db", f"http://127.0.0.1:{http}", nodes)
        await registry.register(names)
        configuration = SERVICE.format(folder=folder, http=http, broker=broker.url, influx=influx.url)
        (folder / "vitals.yaml").write_text(configuration, encoding="utf-8")
        service = _service(folder)
        stack.push_async_callback(service.stop)
        await service.start()
        yield Site(folder, service, broker, influx, nodes, registry)


def _service(folder: Path) -> ServerProcess:
    async def at_once() -> bool:
        return True

    command = [sys.executable, "-m", "app.cli", "run", "--config", str(folder / "vitals.yaml")]
    return ServerProcess(["env", f"PYTHONPATH={REPOSITORY}", *command], log=folder / "service.log", ready=at_once)

"""Real MQTT brokers for tests: Debian's mosquitto as a process of its own, amqtt inside the test's process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from amqtt.broker import Broker
from amqtt.contexts import BrokerConfig, ListenerConfig

from tests.system.servers import ServerProcess, free_ports, require

MOSQUITTO_CONFIGURATION = """\
listener {port} 127.0.0.1
allow_anonymous true
persistence true
persistence_location {home}/
autosave_interval 1
max_queued_messages {max_queued}
max_inflight_messages 100
{extra}
"""


class MosquittoServer:
    """A real mosquitto of this test alone, which can be killed and started again on the same port and data."""

    def __init__(self, port: int, process: ServerProcess) -> None:
        self.port = port
        self.url = f"mqtt://127.0.0.1:{port}"
        self._process = process

    async def stop(self) -> None:
        """End the broker as an operator would."""
        await self._process.stop()

    async def kill(self) -> None:
        """End the broker at once, as a power cut would."""
        await self._process.kill()

    async def restart(self) -> None:
        """Start the broker again, after ending it where it still runs."""
        await self._process.stop()
        await self._process.start()


@asynccontextmanager
async def mosquitto_server(folder: Path, *, max_queued: int = 0, extra: str = "") -> AsyncIterator[MosquittoServer]:
    """Run mosquitto with its data in ``folder``; ``extra`` is appended to its configuration file."""
    binary = require("mosquitto", package="mosquitto")
    home = folder / "mosquitto"
    home.mkdir(parents=True, exist_ok=True)
    home.chmod(0o777)  # mosquitto gives up root and must still write here
    (port,) = free_ports(1)
    configuration = home / "mosquitto.conf"
    configuration.write_text(
        MOSQUITTO_CONFIGURATION.format(port=port, home=home, max_queued=max_queued, extra=extra), encoding="utf-8"
    )
    process = ServerProcess(
        [binary, "-c", str(configuration)], log=home / "log.txt", ready=lambda: accepts("127.0.0.1", port)
    )
    try:
        await process.start()
        yield MosquittoServer(port, process)
    finally:
        await process.stop()


@asynccontextmanager
async def mosquitto(folder: Path) -> AsyncIterator[str]:
    """Run mosquitto with its data in ``folder``; yields its ``mqtt://`` address."""
    async with mosquitto_server(folder) as server:
        yield server.url


@asynccontextmanager
async def amqtt_broker(port: int | None = None) -> AsyncIterator[str]:
    """Run amqtt in this event loop, on a free port where none is given; yields its ``mqtt://`` address."""
    port = port or free_ports(1)[0]
    broker = Broker(
        BrokerConfig(
            listeners={"default": ListenerConfig(bind=f"127.0.0.1:{port}")},
            plugins={"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
        )
    )
    await broker.start()
    try:
        yield f"mqtt://127.0.0.1:{port}"
    finally:
        await broker.shutdown()


async def accepts(host: str, port: int) -> bool:
    """Tell whether somebody accepts TCP connections there."""
    try:
        _, writer = await asyncio.open_connection(host, port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True

"""A real agent process, a real broker, and the service's own commands to the node."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from app.node_commands import send_command, send_config
from collector.settings import MqttSourceSettings
from domain.errors import PeerError
from tests.system.brokers import mosquitto_server
from tests.system.receipting_peer import ReceiptingPeer, receipting_peer
from tests.system.test_edge_agent import probe

pytestmark = pytest.mark.system

KEY = "0123456789abcdef0123456789abcdef"
PATIENCE = timedelta(seconds=40)
FRIDGE, FREEZER = "28-000000000001", "28-000000000002"
CONFIG = """\
node: n1
broker: {url}
outbox: state/outbox.db
command_key: {{file: command.key}}
commands: {{trial: {trial}}}
clock: {{trust: always}}
interval: 100ms
publish: {{reconnect_first: 50ms, reconnect_longest: 200ms, receipt_timeout: 1s}}
drivers:
  - {{driver: ds18b20, root: {root}, probes: {{{fridge}: fridge}}}}
"""
DRIVERS = "drivers:\n  - {{driver: ds18b20, root: {root}, probes: {{{device}: {channel}}}}}\n"


class Site:
    """A node in a folder, its broker, and what it said to the service."""

    def __init__(self, folder: Path, url: str, peer: ReceiptingPeer, *, trial: str) -> None:
        self.folder = folder
        self.peer = peer
        self.broker = MqttSourceSettings(url=url)
        self.said: list[str] = []
        self.config = folder / "edge.yaml"
        (folder / "command.key").write_text(f"{KEY}\n")
        self.config.write_text(CONFIG.format(url=url, trial=trial, root=folder / "w1", fridge=FRIDGE))
        probe(folder / "w1", FRIDGE, 4.5)

    async def command(self, name: str, *arguments: str, key: str = KEY) -> bool:
        """Send a command as the service does."""
        return await send_command(self.broker, "n1", key, name, arguments, patience=PATIENCE, say=self.said.append)

    async def configure(self, text: str, *, patience: timedelta = PATIENCE) -> bool:
        """Send a configuration as the service does."""
        document = self.folder / "remote.yaml"
        document.write_text(text)
        return await send_config(self.broker, "n1", KEY, document, patience=patience, say=self.said.append)

    def outcomes(self) -> list[str]:
        """Return the outcomes that were shown, and forget them."""
        outcomes = [line.split(maxsplit=3)[2].rstrip(":") for line in self.said]
        self.said.clear()
        return outcomes

    def drivers(self, device: str, channel: str) -> str:
        """Return a configuration with one probe."""
        return DRIVERS.format(root=self.folder / "w1", device=device, channel=channel)

    async def measures(self, channel: str) -> None:
        """Return when a new reading of this channel has come."""
        known = sum(name == channel for _, name, _ in self.peer.samples)
        await self.peer.until(lambda: sum(name == channel for _, name, _ in self.peer.samples) > known)

    async def births(self, count: int) -> None:
        """Return when so many agents have announced themselves."""
        await self.peer.until(lambda: sum(json.loads(state)["online"] for state in self.peer.states) >= count)


@asynccontextmanager
async def site(folder: Path, *, trial: str = "30s") -> AsyncIterator[Site]:
    """Run a broker and a stand-in for the collector."""
    async with mosquitto_server(folder) as broker, receipting_peer(broker.url) as peer:
        yield Site(folder, broker.url, peer, trial=trial)


@asynccontextmanager
async def agent(place: Site) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run the agent as a process; kill it at the end of the block."""
    with (place.folder / "log.txt").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "app.cli", "edge", "--config", place.config, stdout=log, stderr=log
        )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def test_a_node_does_what_it_is_told(tmp_path: Path) -> None:
    """Each command is done and replied to, across the restart that one of them asks for."""
    async with site(tmp_path) as place, agent(place) as process:
        await place.measures("fridge")
        assert await place.command("sample_now")
        assert place.said[-1] == "n1: sample_now done: 1 readings, 1 with a value"
        assert await place.command("identify", "seconds=1")
        assert "THIS IS n1" in (tmp_path / "log.txt").read_text()
        assert await place.command("restart")
        await place.births(2)
        await place.measures("fridge")
        assert process.returncode is None  # the same process, begun anew
        assert place.outcomes() == ["done"] * 3


async def test_readings_that_were_confirmed_are_sent_again(tmp_path: Path) -> None:
    """A centre that lost what it had confirmed gets it again from the node's history; what is gone is refused."""
    async with site(tmp_path) as place, agent(place):
        await place.peer.until(lambda: len(place.peer.samples) >= 20)
        lost = dict(place.peer.samples)
        place.peer.samples.clear()
        assert await place.command("resend", "from=2020-01-01T00:00:00Z", "to=2100-01-01T00:00:00Z")
        await place.peer.until(lambda: lost.items() <= place.peer.samples.items())
        assert not await place.command("resend", "from=2020-01-01T00:00:00Z", "to=2021-01-01T00:00:00Z")
        assert place.outcomes() == ["done", "refused"]


async def test_whoever_has_not_the_key_is_refused(tmp_path: Path) -> None:
    """The broker lets the message pass; the node does not obey it, and says so."""
    async with site(tmp_path) as place, agent(place):
        await place.measures("fridge")
        assert not await place.command("restart", key=KEY[::-1])
        assert place.said[-1].startswith("n1: restart refused (bad_signature): ")


async def test_a_configuration_is_tried_kept_and_survives_a_power_cut(tmp_path: Path) -> None:
    """The new sensor is measured, the configuration kept, and in use after the process was killed."""
    async with site(tmp_path) as place:
        async with agent(place):
            await place.measures("fridge")
            probe(tmp_path / "w1", FREEZER, -18.0)
            assert await place.configure(place.drivers(FREEZER, "freezer"))
            assert place.outcomes() == ["trying", "kept"]
        before = len(place.peer.states)
        async with agent(place):
            await place.measures("freezer")
            birth = next(state for state in map(json.loads, place.peer.states[before:]) if state["online"])
            assert birth["config_state"] == "kept"


async def test_a_configuration_that_measures_nothing_is_rolled_back(tmp_path: Path) -> None:
    """The node finds its own way back to what it measured before, and says why."""
    async with site(tmp_path, trial="2s") as place, agent(place):
        await place.measures("fridge")
        assert not await place.configure(place.drivers("28-00000000dead", "freezer"))
        assert "no sensor gave a usable value" in place.said[-1]
        assert place.outcomes() == ["trying", "rolled_back"]
        await place.measures("fridge")


async def test_a_configuration_that_nobody_hears_of_is_rolled_back(tmp_path: Path) -> None:
    """Sensors alone are not enough: what the node measures must be confirmed by the centre."""
    async with site(tmp_path, trial="3s") as place, agent(place):
        await place.measures("fridge")
        place.peer.answer = lambda seq: False
        assert not await place.configure("interval: 200ms\n")
        assert "the centre confirmed nothing" in place.said[-1]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("interval: 1min\ndrivers:\n  - driver: abacus\n", "refused (invalid): configuration:3:5: drivers.0"),
        ("interval: 1min\nnode: n2\n", "refused (protected): configuration:2:1: node"),
    ],
)
async def test_a_bad_configuration_changes_nothing(tmp_path: Path, text: str, why: str) -> None:
    """The whole of it is refused, with the line and the field, and the agent that runs is not disturbed."""
    async with site(tmp_path) as place, agent(place):
        await place.measures("fridge")
        assert not await place.configure(text)
        assert why in place.said[-1]
        assert sum(json.loads(state)["online"] for state in place.peer.states) == 1


async def test_a_node_that_is_away_gets_its_configuration_when_it_comes(tmp_path: Path) -> None:
    """The broker keeps the newest one; the sender is told that nobody has replied yet."""
    async with site(tmp_path) as place:
        probe(tmp_path / "w1", FREEZER, -18.0)
        with pytest.raises(PeerError, match="the broker keeps it"):
            await place.configure(place.drivers(FREEZER, "freezer"), patience=timedelta(seconds=0.5))
        async with agent(place):
            await place.measures("freezer")


async def test_the_service_manager_is_told(tmp_path: Path) -> None:
    """The process that systemd starts says when it is ready, that it lives, and that it ends."""
    async with site(tmp_path) as place:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as endpoint:
            endpoint.bind(str(tmp_path / "notify"))
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", "app.cli", "edge", "--config", str(place.config)),
                env=os.environ | {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "300000"},
            )
            loop = asyncio.get_running_loop()
            async with asyncio.timeout(30):
                heard = [await loop.sock_recv(endpoint, 4096) for _ in range(3)]
                process.terminate()
                while heard[-1] != b"STOPPING=1":
                    heard.append(await loop.sock_recv(endpoint, 4096))
                assert await process.wait() == 0
    assert heard[0] == b"READY=1"
    assert heard[1].startswith(b"WATCHDOG=1\nSTATUS=")

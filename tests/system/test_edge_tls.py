"""Nodes and a broker that knows them: by certificate or password, over TLS, each within its own topics."""

from __future__ import annotations

import asyncio
import contextlib
import re
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from app.clock import SystemClock
from domain.reading import Sample
from edge.outbox import Outbox
from edge.publisher import Publisher
from edge.settings import BrokerSettings
from tests.system.brokers import mosquitto_server
from tests.system.certificates import certificates
from tests.system.receipting_peer import ReceiptingPeer, receipting_peer
from tests.system.servers import free_ports, require
from tests.system.test_edge_publisher import QUICK

pytestmark = pytest.mark.system

ACCESS = "topic readwrite vitals/#\npattern readwrite vitals/v1/%u/#\n"
"""Without a name, on the plain loopback listener of the collector's stand-in: everything; a node: its own."""


class Secured(NamedTuple):
    """A broker, and what a node needs to get in."""

    folder: Path
    peer: ReceiptingPeer
    by_certificate: int
    by_password: int

    def certificate_of(self, name: str, **changes: Any) -> BrokerSettings:
        """Return the settings of a node with this node's certificate."""
        fields = {
            "url": f"mqtts://127.0.0.1:{self.by_certificate}",
            "ca_file": self.folder / "ca.pem",
            "certificate_file": self.folder / f"{name}.pem",
            "key_file": self.folder / f"{name}.key",
        }
        return BrokerSettings.model_validate(fields | changes)

    def password_of(self, name: str, password: str) -> BrokerSettings:
        """Return the settings of a node with a name and a password."""
        url = f"mqtts://127.0.0.1:{self.by_password}"
        fields = {"url": url, "ca_file": self.folder / "ca.pem", "username": name, "password": password}
        return BrokerSettings.model_validate(fields)


def write_password(path: Path, name: str, password: str) -> None:
    """Write a password file that lets one node in."""
    program = require("mosquitto_passwd", package="mosquitto")
    subprocess.run([program, "-c", "-b", path, name, password], check=True, capture_output=True)


@asynccontextmanager
async def secured(folder: Path) -> AsyncIterator[Secured]:
    """Run a mosquitto with a listener for certificates and one for passwords."""
    files = folder / "certificates"
    certificates(files, "server", "n1", "n2")
    passwords, access = folder / "passwords", folder / "access"
    write_password(passwords, "n1", "right")
    access.write_text(ACCESS)
    first, second = free_ports(2)
    own = f"cafile {files}/ca.pem\ncertfile {files}/server.pem\nkeyfile {files}/server.key\n"
    extra = (
        f"user root\nacl_file {access}\npassword_file {passwords}\n"
        f"listener {first} 127.0.0.1\n{own}require_certificate true\nuse_identity_as_username true\n"
        # Else whoever takes another node's client id disconnects that node.
        "use_username_as_clientid true\n"
        f"listener {second} 127.0.0.1\n{own}"
    )
    async with mosquitto_server(folder, extra=extra) as broker, receipting_peer(broker.url) as peer:
        yield Secured(files, peer, first, second)


@asynccontextmanager
async def node(secure: Secured, name: str, broker: BrokerSettings, *, readings: int = 5) -> AsyncIterator[Publisher]:
    """Run the publisher of a node with a few readings to tell."""
    outbox = Outbox.open(secure.folder / f"outbox-of-{readings}.db", batch_readings=1)
    now_ms = SystemClock().now_ms()
    outbox.put([Sample("a", now_ms - number * 1000, float(number)) for number in range(readings)])
    publisher = Publisher(
        outbox,
        node=name,
        broker=broker,
        settings=QUICK,
        clock=SystemClock(),
        version="0",
        on_receipt=secure.peer.look_again,
    )
    task = asyncio.create_task(publisher.run())
    try:
        yield publisher
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        outbox.close()


async def failure_of(publisher: Publisher) -> str:
    """Return why the publisher could not connect, or stay."""
    async with asyncio.timeout(20):
        while publisher.link.last_error is None:  # noqa: ASYNC110 - a test may look again and again
            await asyncio.sleep(0.01)
    return publisher.link.last_error


@pytest.mark.parametrize("way", ["certificate", "password"])
async def test_a_node_that_the_broker_knows_is_heard_and_receipted(tmp_path: Path, way: str) -> None:
    """By its own certificate, whose common name is its name, or by its password: readings go out, receipts come in."""
    async with secured(tmp_path) as secure:
        broker = secure.certificate_of("n1") if way == "certificate" else secure.password_of("n1", "right")
        async with node(secure, "n1", broker) as publisher:
            await secure.peer.until(lambda: publisher.link.receipted_readings == 5)
        assert {name for name, _, _ in secure.peer.samples} == {"n1"}


async def test_a_certificate_speaks_for_its_own_node_alone(tmp_path: Path) -> None:
    """A node that calls itself another one is thrown out, and does not keep that one from being heard."""
    async with secured(tmp_path) as secure:
        async with node(secure, "n2", secure.certificate_of("n1")) as impostor:
            await failure_of(impostor)
            async with node(secure, "n2", secure.certificate_of("n2"), readings=3) as honest:
                await secure.peer.until(lambda: honest.link.receipted_readings == 3)
            assert impostor.link.receipted_readings == 0
        assert len(secure.peer.samples) == 3


@pytest.mark.parametrize(
    ("name", "said"), [("no certificate", ""), ("wrong password", "[Nn]ot authori"), ("stranger", "CERTIFICATE_VERIFY")]
)
async def test_whoever_cannot_prove_who_he_is_stays_outside(tmp_path: Path, name: str, said: str) -> None:
    """The broker refuses a node without its proof, the node a broker that its authority does not vouch for."""
    async with secured(tmp_path) as secure:
        certificates(tmp_path / "strangers", "server")
        broker = {
            "no certificate": secure.certificate_of("n1", certificate_file=None, key_file=None),
            "wrong password": secure.password_of("n1", "wrong"),
            "stranger": secure.certificate_of("n1", ca_file=tmp_path / "strangers/ca.pem"),
        }[name]
        async with node(secure, "n1", broker) as publisher:
            error = await failure_of(publisher)
            assert not publisher.link.connected
        assert not secure.peer.samples
    assert re.search(said, error)

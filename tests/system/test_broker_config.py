"""The broker's written configuration, tried on a real mosquitto: who gets in, and what a hostile client can do."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import aiomqtt
import pytest

from app.clock import SystemClock
from app.config import SERVICE_PASSWORD_FILE, ServiceConfig, read_config
from app.edge import read_edge_config
from app.issuing.authority import Authority
from app.issuing.broker import write_broker_config
from app.issuing.mosquitto import Places
from app.issuing.provisioning import SERVICE_NAME, add_node, revoke_node
from domain.reading import Sample
from edge.outbox import Outbox
from edge.publisher import Publisher
from tests.system.brokers import accepts
from tests.system.receipting_peer import receipting_peer
from tests.system.servers import ServerProcess, free_ports, require
from tests.system.test_edge_publisher import QUICK

pytestmark = pytest.mark.system

NOW = datetime.now(UTC)
SOON = 0.7
"""How long a message that must not arrive is waited for."""


class Site(NamedTuple):
    """A service's folder, and a broker that runs with what was written for it."""

    folder: Path
    config: ServiceConfig
    places: Places
    broker: ServerProcess

    @property
    def service_url(self) -> str:
        """Return the address with the service's own name and password."""
        password = (self.config.data / SERVICE_PASSWORD_FILE).read_text("utf-8")
        return f"mqtt://{SERVICE_NAME}:{password}@127.0.0.1:{self.places.service_port}"

    async def issue(self, node: str, *, by_password: bool = False, again: bool = False) -> Path:
        """Issue what a node needs; return its folder."""
        port = self.places.password_port if by_password else self.places.certificate_port
        out = self.folder / (f"{node}-again" if again else node)
        await add_node(
            self.config,
            node,
            broker=f"mqtts://127.0.0.1:{port}",
            by_password=by_password,
            out=out,
            now=NOW,
            overlap=timedelta(0) if again else None,
            say=print,
        )
        return out

    async def write(self, *, displays: Sequence[str] = ()) -> None:
        """Write the broker's files and start it anew with them."""
        await write_broker_config(
            self.config,
            "mosquitto",
            self.folder / "broker",
            hosts=["127.0.0.1", "localhost"],
            places=self.places,
            now=NOW + timedelta(seconds=1),
            say=print,
            displays=displays,
        )
        await self.broker.stop()
        await self.broker.start()

    def client(self, folder: Path, *, name: str | None = None, **options: object) -> aiomqtt.Client:
        """Return a client with the credentials in a node's folder, under any client id and with any options."""
        settings = read_edge_config(folder / "edge.yaml", {}).broker
        address = settings.address()
        context = ssl.create_default_context(cafile=str(settings.ca_file))
        if settings.certificate_file is not None:
            context.load_cert_chain(settings.certificate_file, settings.key_file)
        fields: dict[str, object] = {
            "port": address.port,
            "username": address.username,
            "password": address.password,
            "tls_context": context,
            "identifier": name,
            "timeout": 3,
        }
        return aiomqtt.Client(address.host, **(fields | options))  # type: ignore[arg-type]  # names are checked there


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """Return a folder that mosquitto may enter after it gave up root, as it may enter /etc."""
    with tempfile.TemporaryDirectory(prefix="vitals-broker-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "state").mkdir()
        (folder / "state").chmod(0o777)
        (folder / "vitals.yaml").write_text("data: data\n", "utf-8")
        yield folder


@asynccontextmanager
async def site(folder: Path) -> AsyncIterator[Site]:
    """Prepare a service and a broker that is started by ``write``."""
    binary = require("mosquitto", package="mosquitto")
    by_certificate, by_password, service = free_ports(3)
    places = Places(str(folder / "broker"), str(folder / "state"), "127.0.0.1", by_certificate, by_password, service)
    broker = ServerProcess(
        [binary, "-c", str(folder / "broker" / "mosquitto.conf")],
        log=folder / "log.txt",
        ready=lambda: accepts("127.0.0.1", service),
    )
    try:
        yield Site(folder, read_config(folder / "vitals.yaml", {}), places, broker)
    finally:
        await broker.stop()


class Heard:
    """What a client received."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, bytes]] = []

    async def listen(self, client: aiomqtt.Client) -> None:
        """Note everything that comes."""
        with contextlib.suppress(aiomqtt.MqttError):
            async for message in client.messages:
                self.messages.append((str(message.topic), bytes(message.payload)))


@asynccontextmanager
async def listening(client: aiomqtt.Client, *filters: str) -> AsyncIterator[Heard]:
    """Connect, subscribe to what the broker allows, and note what comes."""
    heard = Heard()
    async with client:
        for each in filters:
            with contextlib.suppress(aiomqtt.MqttError):
                await client.subscribe(each, qos=1)
        task = asyncio.create_task(heard.listen(client))
        try:
            yield heard
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def service(site: Site) -> aiomqtt.Client:
    """Return a client that is the service."""
    password = (site.config.data / SERVICE_PASSWORD_FILE).read_text("utf-8")
    return aiomqtt.Client("127.0.0.1", site.places.service_port, username=SERVICE_NAME, password=password, timeout=3)


@pytest.mark.parametrize("by_password", [False, True], ids=["certificate", "password"])
async def test_a_provisioned_agent_is_heard_and_receipted(tmp_path: Path, by_password: bool) -> None:
    """The folder that was issued is all that an agent needs; the service hears it and answers."""
    async with site(tmp_path) as here:
        folder = await here.issue("n1", by_password=by_password)
        await here.write()
        outbox = Outbox.open(tmp_path / "outbox.db")
        outbox.put([Sample("a", SystemClock().now_ms(), 1.0)])
        async with receipting_peer(here.service_url) as peer:
            publisher = Publisher(
                outbox,
                node="n1",
                broker=read_edge_config(folder / "edge.yaml", {}).broker,
                settings=QUICK,
                clock=SystemClock(),
                version="0",
                on_receipt=peer.look_again,
            )
            task = asyncio.create_task(publisher.run())
            await peer.until(lambda: publisher.link.receipted_readings == 1)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        outbox.close()


@pytest.mark.parametrize("by_password", [False, True], ids=["certificate", "password"])
async def test_a_hostile_node_reaches_nobody_elses_topics(tmp_path: Path, by_password: bool) -> None:
    """It publishes for nobody else, cannot command or receipt itself or others, and reads only its own down topics."""
    async with site(tmp_path) as here:
        hostile = await here.issue("evil", by_password=by_password)
        victim = await here.issue("good", by_password=by_password)
        await here.write()
        filters = (
            "#",
            "+/+/+/#",
            "vitals/v1/good/#",
            "vitals/v1/+/down/#",
            "vitals/v1/evil/up/#",
            "$share/g/vitals/v1/+/down/#",
            "$share/g/vitals/v1/good/up/#",
            "$SYS/#",
        )
        topics = (
            "vitals/v1/good/up/live",
            "vitals/v1/good/up/state",
            "vitals/v1/good/down/config",
            "vitals/v1/good/down/receipt",
            "vitals/v1/evil/down/command",
            "vitals/v1/evil",
            "vitals/v1//up/live",
            "anything/else",
            "$SYS/broker/version",
        )
        will = aiomqtt.Will("vitals/v1/good/up/state", b'{"online": false}', qos=1, retain=True)
        async with (
            service(here) as centre,
            listening(service(here), "vitals/v1/#") as arrived,
            listening(here.client(victim), "vitals/v1/good/down/#") as told,
        ):
            async with listening(here.client(hostile, will=will), *filters) as read:
                await centre.publish("vitals/v1/good/down/receipt", b"for good", qos=1)
                await centre.publish("vitals/v1/good/up/live", b"of good", qos=1)
                await asyncio.sleep(SOON)
                # The same identity once more ends the connection that listens, and its will is due.
                for topic in topics:
                    with contextlib.suppress(aiomqtt.MqttError):
                        async with here.client(hostile, name="another") as attacker:
                            await attacker.publish(topic, b"forged", qos=1, retain=True)
            await asyncio.sleep(SOON)
        assert {payload for _, payload in arrived.messages} == {b"of good", b"for good"}
        assert told.messages == [("vitals/v1/good/down/receipt", b"for good")]
        assert read.messages == []


async def test_a_node_is_told_what_is_meant_for_it(tmp_path: Path) -> None:
    """The other side of the wall: its own down topics it reads, its own up topics it writes."""
    async with site(tmp_path) as here:
        folder = await here.issue("n1")
        await here.write()
        async with (
            service(here) as centre,
            listening(service(here), "vitals/v1/+/up/#") as arrived,
            listening(here.client(folder), "vitals/v1/n1/down/#") as told,
            here.client(folder, name="x") as second,
        ):
            await second.publish("vitals/v1/n1/up/live", b"mine", qos=1)
            await asyncio.sleep(SOON)
            await centre.publish("vitals/v1/n1/down/command", b"do", qos=1)
            await asyncio.sleep(SOON)
        assert arrived.messages == [("vitals/v1/n1/up/live", b"mine")]
        assert told.messages in ([("vitals/v1/n1/down/command", b"do")], [])


async def test_a_display_reads_the_alerts_of_facilities_and_writes_none(tmp_path: Path) -> None:
    """Only nodes that are named as displays read them; nobody but the service says what they show."""
    async with site(tmp_path) as here:
        siren, other = await here.issue("siren-1"), await here.issue("n1", by_password=True)
        await here.write(displays=["siren-1"])
        topic = "vitals/v1/facility/kasese-3/alerts"
        async with (
            service(here) as centre,
            listening(service(here), "vitals/v1/#") as arrived,
            listening(here.client(other), "vitals/v1/facility/#", "#") as denied,
        ):
            async with here.client(siren) as display:
                await display.publish(topic, b"forged", qos=1)
            async with listening(here.client(siren), "vitals/v1/facility/#", "vitals/v1/+/up/#") as shown:
                await centre.publish(topic, b"one alert", qos=1)
                await centre.publish("vitals/v1/n1/up/live", b"a reading", qos=1)
                await asyncio.sleep(SOON)
        assert shown.messages == [(topic, b"one alert")]
        assert {payload for _, payload in arrived.messages} == {b"one alert", b"a reading"}
        assert denied.messages == []


async def test_nobody_takes_another_nodes_place(tmp_path: Path) -> None:
    """A client id is the name in the certificate, whatever a client calls itself: the victim stays connected."""
    async with site(tmp_path) as here:
        victim, hostile = await here.issue("good"), await here.issue("evil")
        await here.write()
        async with here.client(victim, name="good") as good:
            async with here.client(hostile, name="good"):
                await good.publish("vitals/v1/good/up/live", b"still here", qos=1)
            await good.publish("vitals/v1/good/up/live", b"still here", qos=1)


async def test_who_was_never_or_is_no_longer_let_in_stays_outside(tmp_path: Path) -> None:
    """A revoked certificate and password, a foreign authority, an expired certificate, a wrong password, nobody."""
    async with site(tmp_path) as here:
        gone, gone_too = await here.issue("gone"), await here.issue("gone-too", by_password=True)
        kept = await here.issue("kept")
        await here.write()
        for folder in (gone, gone_too, kept):
            async with here.client(folder):
                pass
        for node in ("gone", "gone-too"):
            await revoke_node(here.config, node, now=NOW, say=print)
        renewed = await here.issue("kept", again=True)
        await here.write()
        async with here.client(renewed):
            pass
        for folder in (gone, gone_too, kept):
            with pytest.raises(aiomqtt.MqttError):
                async with here.client(folder):
                    pass
        _replace(kept, Authority.open(tmp_path / "strangers", now=NOW), NOW)
        with pytest.raises(aiomqtt.MqttError):
            async with here.client(kept):
                pass
        _replace(kept, Authority.open(here.config.authority_folder, now=NOW), NOW - timedelta(days=5 * 366))
        with pytest.raises(aiomqtt.MqttError):
            async with here.client(kept):
                pass
        for options in ({"username": SERVICE_NAME, "password": "guess"}, {}, {"username": "kept"}):
            with pytest.raises(aiomqtt.MqttError):
                async with aiomqtt.Client("127.0.0.1", here.places.service_port, timeout=3, **options):  # type: ignore[arg-type]
                    pass
        # The server's own certificate is no way in: it is for servers.
        (kept / "node.pem").write_bytes((tmp_path / "broker" / "server.pem").read_bytes())
        (kept / "node.key").write_bytes((tmp_path / "broker" / "server.key").read_bytes())
        with pytest.raises(aiomqtt.MqttError):
            async with here.client(kept):
                pass


async def test_a_message_that_is_too_large_costs_its_sender_the_connection(tmp_path: Path) -> None:
    """Nobody else notices, and nothing of it arrives."""
    async with site(tmp_path) as here:
        folder = await here.issue("n1")
        await here.write()
        async with listening(service(here), "vitals/v1/+/up/#") as arrived:
            with contextlib.suppress(aiomqtt.MqttError):
                async with here.client(folder) as client:
                    await client.publish("vitals/v1/n1/up/live", b"x" * 1_100_000, qos=1)
            async with here.client(folder) as client:
                await client.publish("vitals/v1/n1/up/live", b"small", qos=1)
            await asyncio.sleep(SOON)
        assert [len(payload) for _, payload in arrived.messages] == [5]


def _replace(folder: Path, authority: Authority, now: datetime) -> None:
    issued = authority.issue(json.dumps(folder.name)[1:-1], now=now)
    (folder / "node.pem").write_bytes(issued.certificate)
    (folder / "node.key").write_bytes(issued.key)

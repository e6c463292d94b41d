"""The publisher against real brokers: nothing is lost, nothing changes on the way, and receipts alone delete."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from app.clock import SystemClock
from app.demo.link import Link
from domain.reading import Sample
from domain.senml import WireFormat
from edge.outbox import Outbox
from edge.publisher import Publisher
from edge.settings import BrokerSettings, PublishSettings
from tests.system.brokers import amqtt_broker, mosquitto, mosquitto_server
from tests.system.receipting_peer import ReceiptingPeer, receipting_peer

pytestmark = pytest.mark.system

QUICK = PublishSettings(
    batch_readings=20,
    backfill_readings_per_second=None,
    receipt_timeout=timedelta(seconds=1),
    reconnect_first=timedelta(milliseconds=50),
    reconnect_longest=timedelta(milliseconds=400),
)


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    """Return a new outbox."""
    return Outbox.open(tmp_path / "outbox.sqlite", batch_readings=QUICK.batch_readings)


def readings(count: int, *, start: int = 0) -> list[Sample]:
    """Return as many readings of three channels, one a second up to now."""
    now_ms = SystemClock().now_ms()
    numbers = range(start, start + count)
    return [Sample(f"channel-{number % 3}", now_ms - number * 1000, number / 10, unit="Cel") for number in numbers]


def publisher_of(
    outbox: Outbox, url: str, settings: PublishSettings = QUICK, peer: ReceiptingPeer | None = None
) -> Publisher:
    """Return the publisher of node ``n1``; a peer's test is told of every receipt that came home."""
    return Publisher(
        outbox,
        node="n1",
        broker=BrokerSettings(url=url),
        settings=settings,
        clock=SystemClock(),
        version="0",
        on_receipt=peer.look_again if peer else None,
    )


@asynccontextmanager
async def running(publisher: Publisher) -> AsyncIterator[asyncio.Task[None]]:
    """Run a publisher, and stop it as the agent would."""
    task = asyncio.create_task(publisher.run())
    try:
        yield task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def is_all(peer: ReceiptingPeer, expected: list[Sample]) -> bool:
    """Tell whether the peer has exactly these readings."""
    return peer.samples == {("n1", sample.name, sample.measured_at_ms): sample for sample in expected}


@asynccontextmanager
async def either_broker(name: str, folder: Path) -> AsyncIterator[str]:
    """Run the broker of this name."""
    async with mosquitto(folder) if name == "mosquitto" else amqtt_broker() as url:
        yield url


@pytest.mark.parametrize("broker", ["mosquitto", "amqtt"])
@pytest.mark.parametrize("settings", [QUICK, QUICK.model_copy(update={"format": WireFormat.CBOR, "deflate": True})])
async def test_everything_arrives_and_is_deleted_on_receipt(
    broker: str, settings: PublishSettings, tmp_path: Path, outbox: Outbox
) -> None:
    """Live and old readings pass a real broker in either format, and the outbox is empty in the end."""
    sent = readings(1500)
    outbox.put(sent)
    async with (
        either_broker(broker, tmp_path) as url,
        receipting_peer(url) as peer,
        running(publisher_of(outbox, url, settings, peer)) as task,
    ):
        await peer.until(lambda: is_all(peer, sent) or task.done())
        await peer.until(lambda: outbox.depth() == 0)
    assert peer.refused == 0


async def test_nothing_is_deleted_without_a_receipt(tmp_path: Path, outbox: Outbox) -> None:
    """The broker's acknowledgement is no receipt; what is not receipted is sent again, byte for byte."""
    outbox.put(readings(1500))
    async with mosquitto(tmp_path) as url, receipting_peer(url) as peer, running(publisher_of(outbox, url, peer=peer)):
        peer.answer = lambda seq: False
        await peer.until(lambda: len(peer.deliveries) == QUICK.window)
        await peer.until(lambda: min(peer.deliveries.values()) >= 2)
        assert outbox.depth() == 1500
        assert len(peer.deliveries) == QUICK.window
        peer.answer = lambda seq: True
        await peer.until(lambda: len(peer.samples) == 1500)
        await peer.until(lambda: outbox.depth() == 0)
    assert {len(payloads) for payloads in peer.payloads.values()} == {1}


async def test_the_newest_readings_come_first_after_an_outage(tmp_path: Path, outbox: Outbox) -> None:
    """Readings of a day arrive with the live lane ahead of the history."""
    now_ms = SystemClock().now_ms()
    outbox.put([Sample("a", now_ms - age * 60_000, 1.0) for age in range(1440)])
    async with mosquitto(tmp_path) as url, receipting_peer(url) as peer, running(publisher_of(outbox, url, peer=peer)):
        await peer.until(lambda: outbox.depth() == 0)
    assert peer.lanes[0] == "live"
    assert set(peer.lanes[1:]) == {"backfill"}


async def test_a_killed_broker_costs_nothing(tmp_path: Path, outbox: Outbox) -> None:
    """The broker dies again and again while readings are put; in the end every one is there, once."""
    sent: list[Sample] = []
    async with mosquitto_server(tmp_path) as broker, receipting_peer(broker.url) as peer:
        publisher = publisher_of(outbox, broker.url, peer=peer)
        async with running(publisher):
            for round_number in range(4):
                more = readings(200, start=1000 * round_number)
                sent += more
                await asyncio.to_thread(outbox.put, more)
                publisher.wake()
                known = len(peer.samples)
                await peer.until(lambda: len(peer.samples) > known)  # noqa: B023 - awaited within the round
                await broker.kill()
                await broker.restart()
            await peer.until(lambda: is_all(peer, sent))
            await peer.until(lambda: outbox.depth() == 0)
    assert {len(payloads) for payloads in peer.payloads.values()} == {1}


async def test_a_restarted_node_goes_on_where_it_was(tmp_path: Path, outbox: Outbox) -> None:
    """Unreceipted batches of an earlier life of the process go out again under their old numbers."""
    sent = readings(80)
    outbox.put(sent)
    async with mosquitto(tmp_path) as url, receipting_peer(url) as peer:
        peer.answer = lambda seq: False
        async with running(publisher_of(outbox, url, peer=peer)):
            await peer.until(lambda: len(peer.samples) == 80)
        outbox.close()
        peer.answer = lambda seq: True
        reopened = Outbox.open(tmp_path / "outbox.sqlite", batch_readings=7)
        async with running(publisher_of(reopened, url, peer=peer)):
            await peer.until(lambda: reopened.depth() == 0)
        assert is_all(peer, sent)
    assert {len(payloads) for payloads in peer.payloads.values()} == {1}


async def test_birth_and_death_are_told(tmp_path: Path, outbox: Outbox) -> None:
    """The state topic says who is online, with which epoch, and that a stopped node is not."""
    async with mosquitto(tmp_path) as url, receipting_peer(url) as peer:
        async with running(publisher_of(outbox, url, peer=peer)):
            await peer.until(lambda: len(peer.states) == 1)
        await peer.until(lambda: len(peer.states) == 2)
    birth, death = (json.loads(state) for state in peer.states)
    assert birth == {"online": True, "agent": "0", "epoch": outbox.epoch, "thinned": 0, "dropped": 0}
    assert death == {"online": False}


async def test_the_will_is_told_when_the_link_breaks(tmp_path: Path, outbox: Outbox) -> None:
    """A node that vanishes is reported offline by the broker itself."""
    async with (
        mosquitto_server(tmp_path) as broker,
        receipting_peer(broker.url) as peer,
        Link(broker.port).open() as link,
        running(publisher_of(outbox, f"mqtt://127.0.0.1:{link.port}")),
    ):
        await peer.until(lambda: len(peer.states) == 1)
        link.set_whole(False)
        await peer.until(lambda: len(peer.states) >= 2)
    assert json.loads(peer.states[1]) == {"online": False}


async def test_stopping_takes_no_time_when_the_broker_does_not_answer(outbox: Outbox) -> None:
    """A server that accepts and says nothing cannot hold the node."""
    asked = asyncio.Event()

    async def never_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(2)
        asked.set()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(never_answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    task = asyncio.create_task(publisher_of(outbox, f"mqtt://127.0.0.1:{port}").run())
    await asked.wait()
    task.cancel()
    done, _ = await asyncio.wait({task}, timeout=1.0)
    server.close()
    assert done == {task}
    assert task.cancelled()

"""The whole agent, and whole recordings, through real brokers."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from app.clock import SystemClock
from domain.errors import PeerError
from domain.reading import Quality, Sample
from domain.senml import WireFormat
from edge.agent import build_agent
from edge.recordings import mapping_of, replay_samples
from edge.settings import BrokerSettings, EdgeSettings
from edge.transfer import BULK, Progress, publish_all
from tests.system.brokers import amqtt_broker, mosquitto, mosquitto_server
from tests.system.receipting_peer import receipting_peer
from tests.system.servers import free_ports

pytestmark = pytest.mark.system

DATA = Path(__file__).parents[2] / "../shared/data"
QTAG = DATA / "coldchain/berlinger/qtagCLm_RCPJ00010_02.readings.csv"
ESMI = DATA / "power/esmi_2015-01-04_APU001_APU002_APU003_1min.csv"
needs_data = pytest.mark.skipif(not DATA.exists(), reason="the folder with recorded data is not here")


@needs_data
@pytest.mark.parametrize("wire_format", WireFormat)
@pytest.mark.parametrize("broker", ["mosquitto", "amqtt"])
async def test_recordings_arrive_whole(broker: str, wire_format: WireFormat, tmp_path: Path) -> None:
    """Every row of two recordings arrives once, and publishing them again changes nothing."""
    recorded = [
        *replay_samples([QTAG], mapping_of("qtag")),
        *replay_samples([ESMI], mapping_of("esmi")),
    ]
    reports: list[Progress] = []
    async with mosquitto(tmp_path) if broker == "mosquitto" else amqtt_broker() as url, receipting_peer(url) as peer:
        for _ in range(2):
            total = await publish_all(
                recorded,
                node="n1",
                broker=BrokerSettings(url=url),
                clock=SystemClock(),
                publish=BULK.model_copy(update={"format": wire_format}),
                progress=reports.append,
            )
            assert total == Progress(len(recorded), len(recorded), 0)
            assert peer.samples == {("n1", sample.name, sample.measured_at_ms): sample for sample in recorded}
    assert peer.states == []
    assert reports[-1] == total


async def test_a_transfer_without_a_broker_says_so() -> None:
    """The error names the address that does not answer."""
    (port,) = free_ports(1)
    with pytest.raises(PeerError, match=f"broker at mqtt://127.0.0.1:{port} cannot be reached"):
        await publish_all(
            [Sample("a", 1_600_000_000_000, 1.0)],
            node="n1",
            broker=BrokerSettings(url=f"mqtt://127.0.0.1:{port}"),
            clock=SystemClock(),
            patience_seconds=0.5,
        )


async def test_a_transfer_without_a_collector_says_so(tmp_path: Path) -> None:
    """A broker that takes everything is not enough: nobody has stored it."""
    async with mosquitto(tmp_path) as url:
        with pytest.raises(PeerError, match="no collector has receipted"):
            await publish_all(
                [Sample("a", 1_600_000_000_000, 1.0)],
                node="n1",
                broker=BrokerSettings(url=url),
                clock=SystemClock(),
                patience_seconds=1.0,
            )


async def test_a_transfer_survives_the_brokers_death(tmp_path: Path) -> None:
    """A broker killed in the middle costs time, not readings."""
    samples = [Sample("a", 1_600_000_000_000 + number * 1000, float(number)) for number in range(6000)]
    async with mosquitto_server(tmp_path) as broker, receipting_peer(broker.url) as peer:
        transfer = asyncio.create_task(
            publish_all(
                samples,
                node="n1",
                broker=BrokerSettings(url=broker.url),
                clock=SystemClock(),
                publish=BULK.model_copy(update={"receipt_timeout": timedelta(seconds=1)}),
            )
        )
        await peer.until(lambda: len(peer.samples) > 500)
        await broker.kill()
        await broker.restart()
        assert (await transfer).receipted == len(samples)
    assert len(peer.samples) == len(samples)


def probe(root: Path, device: str, celsius: float) -> None:
    """Write a probe's file as the kernel shows it."""
    folder = root / device
    folder.mkdir(parents=True, exist_ok=True)
    scratchpad = "48 01 4b 46 7f ff 0c 10 5f"
    (folder / "w1_slave").write_text(f"{scratchpad} : crc=5f YES\n{scratchpad} t={round(celsius * 1000)}\n")


async def test_a_node_measures_through_the_death_of_its_broker(tmp_path: Path) -> None:
    """From the probe's file to the receipt, with a broker that is killed in between and one probe missing."""
    probe(tmp_path / "w1", "28-000000000001", 4.5)
    async with mosquitto_server(tmp_path) as broker, receipting_peer(broker.url) as peer:
        settings = EdgeSettings.model_validate(
            {
                "node": "n1",
                "broker": broker.url,
                "outbox": tmp_path / "outbox.sqlite",
                "interval": 0.05,
                "publish": {"reconnect_first": 0.05, "reconnect_longest": 0.2, "receipt_timeout": 0.5},
                "drivers": [
                    {
                        "driver": "ds18b20",
                        "root": tmp_path / "w1",
                        "probes": {"28-000000000001": "fridge", "28-000000000002": "freezer"},
                    }
                ],
            }
        )
        agent = asyncio.create_task(build_agent(settings, SystemClock()).run())
        await peer.until(lambda: len(peer.samples) >= 10)
        await broker.kill()
        probe(tmp_path / "w1", "28-000000000001", 9.5)
        await broker.restart()
        known = len(peer.samples)
        await peer.until(lambda: len(peer.samples) >= known + 20)
        agent.cancel()
        await asyncio.wait({agent}, timeout=1.0)
        assert agent.cancelled()
    found = {(sample.name, sample.value, sample.quality) for sample in peer.samples.values()}
    assert found == {
        ("fridge", 4.5, Quality.GOOD),
        ("fridge", 9.5, Quality.GOOD),
        ("freezer", None, Quality.SENSOR_GONE),
    }

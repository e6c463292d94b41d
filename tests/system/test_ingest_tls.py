"""The connection to the broker over TLS: the same readings, certificates checked both ways."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from collector.lanes import Lane
from collector.settings import MqttSourceSettings
from collector.sources.mqtt import MqttSource
from domain.topics import UpLane, up
from tests.collector.intake import packet, publish
from tests.system.brokers import mosquitto_server
from tests.system.certificates import certificates
from tests.system.collector_process import SOON, WallClock
from tests.system.servers import free_ports

pytestmark = pytest.mark.system

MESSAGES = 500


async def test_readings_of_any_size_come_through_tls(tmp_path: Path) -> None:
    """Small and large messages arrive whole and in order through a listener that asks for our certificate."""
    certificates(tmp_path, "server", "me")
    (port,) = free_ports(1)
    files = "\n".join(f"{key} {tmp_path / name}" for key, name in _LISTENER_FILES.items())
    extra = f"user root\nlistener {port} 127.0.0.1\n{files}\nrequire_certificate true\n"
    arrived: asyncio.Queue[bytes] = asyncio.Queue()

    async def accept(_topic: str, payload: bytes, _received_at_ms: int, *, retained: bool = False) -> None:
        assert not retained
        arrived.put_nowait(payload)

    settings = MqttSourceSettings(
        url=f"mqtts://127.0.0.1:{port}",
        ca_file=tmp_path / "ca.pem",
        certificate_file=tmp_path / "me.pem",
        key_file=tmp_path / "me.key",
        reconnect_first=SOON,
    )
    async with mosquitto_server(tmp_path, extra=extra) as server, asyncio.timeout(60):
        source = MqttSource(settings, accept=accept, clock=WallClock())
        running = asyncio.create_task(source.run())
        while not source.stats()[Lane.LIVE].connected:  # noqa: ASYNC110 - a test may look again and again
            await asyncio.sleep(0.01)
        sent = [bytes([n % 256]) * (n * 997 % 90_000) for n in range(MESSAGES)]
        await _send(server.port, sent)
        assert [await arrived.get() for _ in sent] == sent
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


_LISTENER_FILES = {"cafile": "ca.pem", "certfile": "server.pem", "keyfile": "server.key"}


async def _send(port: int, contents: list[bytes]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(packet(0x10, b"\x00\x04MQTT\x04\x02\x00\x00\x00\x01x"))
    await reader.readexactly(4)
    for number, content in enumerate(contents, 1):
        writer.write(publish(up("n1", UpLane.LIVE).encode(), content, message_id=number))
        await reader.readexactly(4)
    writer.close()
    await writer.wait_closed()

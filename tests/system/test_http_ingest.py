"""Readings over HTTP into a real service process, which is killed while they come."""

from __future__ import annotations

import asyncio
import json
import random
import sys
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from app.config import read_config
from app.issuing.provisioning import add_node, revoke_node
from collector.journal import Journal
from tests.system.servers import ServerProcess, free_ports

pytestmark = pytest.mark.system

REPOSITORY = Path(__file__).parents[2]
REGISTRY = """\
facilities:
  - id: clinic
    name: Clinic
    country: Uganda
    region: Western
    district: Kasese
    nodes: [{id: logger-1}]
    equipment:
      - {id: fridge, kind: fridge, name: Fridge, channels: [
          {quantity: temperature, node: logger-1, name: t, interval: 1min}]}
"""
START_S = 1_760_000_000
KILLS = 4


def pack(number: int) -> bytes:
    """Return a pack of ten readings; the minute is the number."""
    return json.dumps(
        [{"bn": "logger-1/", "bt": START_S + number * 600, "n": "t", "v": 4.0}]
        + [{"n": "t", "t": minute * 60, "v": 4.0 + minute / 10} for minute in range(1, 10)]
    ).encode()


async def test_what_was_answered_is_stored_whatever_is_killed(tmp_path: Path) -> None:
    """The service is killed at random instants while a logger posts; a revoked token ends it."""
    (port,) = free_ports(1)
    (tmp_path / "registry.yaml").write_text(REGISTRY, "utf-8")
    (tmp_path / "vitals.yaml").write_text(
        f"listen: {{port: {port}}}\nregistry: registry.yaml\nrules: {{catalogue: false}}\n", "utf-8"
    )
    config = read_config(tmp_path / "vitals.yaml", {})
    now = datetime.now(UTC)
    out = tmp_path / "logger-1"
    await add_node(
        config, "logger-1", broker="mqtts://x:8883", by_password=False, out=out, now=now, overlap=None, say=print
    )
    token = (out / "http-token").read_text("utf-8")
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/senml+json"}
    answered: set[int] = set()

    async def healthy() -> bool:
        try:
            async with httpx.AsyncClient() as client:
                return (await client.get(f"http://127.0.0.1:{port}/healthz")).status_code < 500
        except httpx.HTTPError:
            return False

    command = ["env", f"PYTHONPATH={REPOSITORY}", sys.executable, "-m", "app.cli", "run"]
    service = ServerProcess(
        [*command, "--config", str(tmp_path / "vitals.yaml")], log=tmp_path / "log.txt", ready=healthy
    )
    await service.start()
    try:
        chance, number, stop = random.Random(3), 0, asyncio.Event()

        async def post() -> None:
            nonlocal number
            async with httpx.AsyncClient(timeout=10, headers=headers) as client:
                while not stop.is_set():
                    mine, number = number, number + 1
                    try:
                        answer = await client.post(f"http://127.0.0.1:{port}/api/v1/readings", content=pack(mine))
                    except httpx.HTTPError:
                        await asyncio.sleep(0.05)
                        continue
                    if answer.status_code == 200:
                        assert answer.json()["stored"] == 10
                        answered.add(mine)

        senders = [asyncio.create_task(post()) for _ in range(4)]
        for _ in range(KILLS):
            await asyncio.sleep(chance.uniform(0.2, 1.2))
            await service.kill()
            await service.start()
        await asyncio.sleep(0.5)
        stop.set()
        await asyncio.gather(*senders)
        await revoke_node(config, "logger-1", now=datetime.now(UTC), say=print)
        async with httpx.AsyncClient(timeout=10, headers=headers) as client, asyncio.timeout(15):
            while True:
                answer = await client.post(f"http://127.0.0.1:{port}/api/v1/readings", content=pack(0))
                if answer.status_code == 401:
                    break
                await asyncio.sleep(0.2)
    finally:
        await service.stop()
    async with Journal.open(tmp_path / "vitals-data", read_only=True) as journal:
        stored = {each.measured_at_ms // 1000 for each in await journal.series("clinic/fridge/temperature", 0, 2**53)}
    assert len(answered) > KILLS
    assert {START_S + number * 600 + minute * 60 for number in answered for minute in range(10)} <= stored

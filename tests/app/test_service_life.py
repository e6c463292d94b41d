"""The whole service over real sockets: in by MQTT, out by HTTP, stopped and started again, stopped by a signal."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.build import App
from app.config import ServiceConfig
from app.demo.broker import embedded_broker
from collector.journal.errors import JournalError, JournalLocked
from domain.errors import OperatorError
from domain.instant import MINUTE_MS
from domain.reading import Batch, Sample
from domain.senml import WireFormat, encode
from tests.cases.folders import CASES
from tests.system.honest_sender import HonestSender

pytestmark = pytest.mark.system

PATIENCE_SECONDS = 30.0
STOP_SECONDS = 5.0
"""What the README promises for Ctrl-C."""
FRIDGE = "clinic/fridge-1/temperature"
RULE = """\
rules:
  - id: warm
    title: Too warm
    severity: critical
    applies_to: {quantity: temperature}
    when: {above: {limit: 8 °C, comparison: ">", for: 20min}}
    message: above 8 °C
"""


def config(folder: Path, broker_port: int) -> ServiceConfig:
    """Return a service with one rule and the registry of the cases."""
    (folder / "rules.yaml").write_text(RULE, "utf-8")
    return ServiceConfig.model_validate(
        {
            "data": folder / "data",
            "listen": {"port": 0},
            "access": {"open": True},
            "mqtt": {"url": f"mqtt://127.0.0.1:{broker_port}", "reconnect_first": 0.1, "reconnect_longest": 0.5},
            "rules": {"catalogue": False, "files": [folder / "rules.yaml"]},
            "registry": CASES / "clinic.yaml",
            "api": {"event_interval_seconds": 0.05},
        }
    )


def half_an_hour_too_warm(now_ms: int) -> bytes:
    """Return what the clinic's node sends of the last half hour: good at first, then too warm until now."""
    values = (5.0, 9.0, 9.5, 9.25)
    moments = range(now_ms - 30 * MINUTE_MS, now_ms + 1, 10 * MINUTE_MS)
    samples = tuple(
        Sample("fridge-1/temperature", moment_ms, value) for moment_ms, value in zip(moments, values, strict=True)
    )
    return encode(Batch("clinic-1", "e1", 1, samples), format=WireFormat.JSON)


async def publish(broker_port: int, payload: bytes) -> None:
    """Send a batch as a node does: again and again until its receipt came."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        await HonestSender(f"mqtt://127.0.0.1:{broker_port}", "clinic-1", {1: payload}).run()


@asynccontextmanager
async def client_of(app: App) -> AsyncIterator[httpx.AsyncClient]:
    """Give an HTTP client for the service."""
    async with httpx.AsyncClient(base_url=app.address, timeout=PATIENCE_SECONDS) as client:
        yield client


async def get(client: httpx.AsyncClient, path: str) -> Any:
    """Return an answer's document."""
    answer = await client.get(f"/api/v1/{path}")
    assert answer.is_success, answer.text
    return answer.json()


@asynccontextmanager
async def events(client: httpx.AsyncClient) -> AsyncIterator[AsyncIterator[tuple[str, Mapping[str, Any]]]]:
    """Give the events of the stream, once it says its first word."""
    async with client.stream("GET", "/api/v1/events") as stream:
        lines = stream.aiter_lines()
        assert (await anext(lines)).startswith("retry:")
        yield _frames(lines)


async def _frames(lines: AsyncIterator[str]) -> AsyncIterator[tuple[str, Mapping[str, Any]]]:
    name = ""
    async for line in lines:
        field, _, content = line.partition(": ")
        if field == "event":
            name = content
        elif field == "data":
            yield name, json.loads(content)


async def test_from_the_wire_to_the_screen_and_over_a_restart(tmp_path: Path) -> None:
    """Readings, alert and answer go through MQTT, rules and HTTP, and are all there after a restart, told once."""
    said: list[str] = []
    now_ms = time.time_ns() // 1_000_000
    async with embedded_broker() as port, asyncio.timeout(2 * PATIENCE_SECONDS):
        async with App(config(tmp_path, port), say=said.append) as app, client_of(app) as client:
            async with events(client) as found:
                await publish(port, half_an_hour_too_warm(now_ms))
                raised = await anext(each async for name, each in found if name == "alert")
            assert (raised["rule"], raised["state"]) == ("warm", "unacknowledged")
            readings = await get(client, f"channels/{FRIDGE}/readings?resolution=raw")
            assert [point["mean"] for point in readings["points"]] == [5.0, 9.0, 9.5, 9.25]
            taken = await client.post(f"/api/v1/alerts/{raised['id']}/acknowledge", json={"by": "Amina"})
            assert (taken.json()["state"], taken.json()["acknowledged_by"]) == ("acknowledged", "Amina")
            assert (await client.get("/readyz")).is_success
            before = await get(client, "alerts")
        assert len(said) == 1
        assert said[0].startswith("to amina (+256700000001): ALARM Bukasa HC3 Fridge 1: 9.5C, above 8C for ")

        async with App(config(tmp_path, port), say=said.append) as app, client_of(app) as client:
            await publish(port, half_an_hour_too_warm(now_ms))
            assert await get(client, "alerts") == before
            again = await get(client, f"channels/{FRIDGE}/readings?resolution=raw")
            assert again["points"] == readings["points"]
        assert len(said) == 1


async def test_a_second_service_on_the_folder_is_refused(tmp_path: Path) -> None:
    """One sentence that names the folder and who has it; the first goes on, and leaves the folder free at its end."""
    async with embedded_broker() as port:
        async with App(config(tmp_path, port)) as app, client_of(app) as client:
            second = App(config(tmp_path, port))
            with pytest.raises(
                JournalLocked, match=rf"^another process \({os.getpid()}\) writes into {tmp_path}/data$"
            ):
                await second.start()
            assert second.address == "" or second.address != app.address
            assert (await get(client, "facilities"))["total"] == 2
        async with App(config(tmp_path, port)):
            pass


async def test_a_stopped_service_has_let_go_of_everything(tmp_path: Path) -> None:
    """Its port is free, its tasks are gone, and stopping twice does no harm."""
    before = asyncio.all_tasks()
    async with embedded_broker() as port:
        app = App(config(tmp_path, port))
        await app.start()
        await app.stop()
        await app.stop()
        with pytest.raises(httpx.ConnectError):
            async with client_of(app) as client:
                await client.get("/healthz")
    left = {task.get_name() for task in asyncio.all_tasks() - before if "broker" not in repr(task).lower()}
    assert not left & {"vitals", "journal", "pipeline", "mqtt source", "judge", "dispatcher", "registry", "web"}


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
async def test_a_read_only_folder_is_one_sentence(tmp_path: Path) -> None:
    """It names the folder or file that cannot be written."""
    data = tmp_path / "data"
    data.mkdir()
    data.chmod(0o500)
    with pytest.raises((OperatorError, JournalError), match=str(data)) as caught:
        await App(config(tmp_path, 1)).start()
    assert "\n" not in str(caught.value)


async def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    """Where a file stands in the place of the folder."""
    (tmp_path / "data").write_text("", "utf-8")
    with pytest.raises(OperatorError, match=rf"^the data folder {tmp_path}/data cannot be made: File exists$"):
        await App(config(tmp_path, 1)).start()


@asynccontextmanager
async def service_process(folder: Path, port: int) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """Run ``vitals run`` as a process of its own; gives it and its address."""
    path = folder / "vitals.yaml"
    path.write_text(f"listen: {{port: 0}}\naccess: {{open: true}}\nmqtt: {{url: 'mqtt://127.0.0.1:{port}'}}\n", "utf-8")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app.cli", "run", "--config", str(path)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        line = (await asyncio.wait_for(process.stdout.readline(), PATIENCE_SECONDS)).decode()
        assert line.startswith("Vitals is running: http://127.0.0.1:"), line
        yield process, line.split(": ", 1)[1].strip()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("broker", [True, False], ids=["broker", "no broker"])
async def test_a_signal_ends_it_cleanly(tmp_path: Path, number: signal.Signals, broker: bool) -> None:
    """With a browser listening, with or without a broker, it ends in time, with exit code 0 and without a trace."""
    async with embedded_broker() as port:
        async with (
            service_process(tmp_path, port if broker else 1) as (process, address),
            httpx.AsyncClient(base_url=address, timeout=PATIENCE_SECONDS) as client,
            events(client),
        ):
            process.send_signal(number)
            _, complaints = await asyncio.wait_for(process.communicate(), STOP_SECONDS)
        assert process.returncode == 0
        assert "Traceback" not in complaints.decode()
        assert "never retrieved" not in complaints.decode()


async def test_a_busy_port_is_one_sentence_and_exit_code_2(tmp_path: Path) -> None:
    """The process says what to do and ends, before it touches the data."""
    async with embedded_broker() as port:
        path = tmp_path / "vitals.yaml"
        path.write_text(f"listen: {{port: {port}}}\n", "utf-8")
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "app.cli", "run", "--config", str(path)), stderr=asyncio.subprocess.PIPE
        )
        _, complaints = await asyncio.wait_for(process.communicate(), PATIENCE_SECONDS)
    assert process.returncode == 2
    assert complaints.decode() == (
        f"vitals: port {port} on 127.0.0.1 is taken by another program; stop that program or choose another port\n"
    )
    assert not (tmp_path / "vitals-data").exists()

"""A node that nobody registered, through a real broker, a real service and the commands of an installer."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.database import open_database
from collector.journal import Journal
from domain.rejection import Reason, Rejected
from registry.changes import ChangeLog
from tests.api.test_registry_pages import Apart, form_in
from tests.system.brokers import mosquitto_server

pytestmark = pytest.mark.system

REPOSITORY = Path(__file__).parents[2]
REGISTRY = """\
facilities:
  - {id: clinic, name: Clinic, country: Uganda, region: Western, district: Kasese}
"""
EDGE = """\
node: pi-7
broker: mqtt://127.0.0.1:{port}
outbox: {folder}/outbox.db
status: {folder}/status.json
interval: 500ms
publish: {{reconnect_first: 100ms, receipt_timeout: 1s}}
drivers: [{{driver: health, channels: {{gateway/queue_depth: outbox_depth}}}}]
"""


async def vitals_without_config(*arguments: str) -> tuple[int | None, str]:
    """Run a command that needs no configuration."""
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app.cli", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=REPOSITORY,
    )
    said, _ = await asyncio.wait_for(running.communicate(), 60)
    return running.returncode, said.decode()


async def vitals(folder: Path, *arguments: str) -> tuple[int | None, str]:
    """Run a command to its end; return its exit code and everything it said."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app.cli", *arguments, "--config", str(folder / "vitals.yaml")),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=REPOSITORY,
    )
    said, _ = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode, said.decode()


@asynccontextmanager
async def process(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run ``vitals`` until the end of the block."""
    running = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "app.cli", *arguments, stdout=asyncio.subprocess.PIPE, cwd=REPOSITORY
    )
    try:
        yield running
    finally:
        if running.returncode is None:
            running.kill()
        await running.wait()


async def test_an_installer_sees_a_waiting_node_and_takes_it_up(tmp_path: Path) -> None:
    """It is shown with its values, claimed by one command, and everything it measured meanwhile is stored."""
    async with mosquitto_server(tmp_path) as broker:
        (tmp_path / "registry.yaml").write_text(REGISTRY, "utf-8")
        (tmp_path / "edge.yaml").write_text(EDGE.format(folder=tmp_path, port=broker.port), "utf-8")
        (tmp_path / "vitals.yaml").write_text(
            f"mqtt: {{url: 'mqtt://127.0.0.1:{broker.port}'}}\n"
            "listen: {port: 0}\naccess: {open: true}\nregistry: registry.yaml\n",
            "utf-8",
        )
        async with process("run", "--config", str(tmp_path / "vitals.yaml")) as service:
            assert service.stdout is not None
            line = (await asyncio.wait_for(service.stdout.readline(), 90)).decode()
            async with (
                httpx.AsyncClient(base_url=line.split(": ", 1)[1].strip(), timeout=10) as client,
                process("edge", "--config", str(tmp_path / "edge.yaml")),
            ):
                await _until(client, "/api/v1/nodes/waiting", lambda answer: bool(answer["nodes"]))
                code, said = await vitals(tmp_path, "node", "waiting")
                assert (code, "pi-7: heard" in said, "gateway/queue_depth" in said) == (0, True, True)
                code, said = await vitals(tmp_path, "deadletter", "list", "--reason", "unknown_node")
                assert (code, "node 'pi-7' is not in the registry" in said) == (0, True)
                code, draft = await vitals(tmp_path, "node", "claim", "pi-7", "--facility", "clinic")
                assert (code, "quantity: queue_depth" in draft, "kind: gateway" in draft) == (0, True, True)
                code, said = await vitals(tmp_path, "node", "claim", "pi-7", "--facility", "clinic", "--yes")
                assert code == 0, said
                await _until(client, "/api/v1/deadletters", lambda answer: not answer["groups"])
                await _until(client, "/api/v1/nodes/waiting", lambda answer: not answer["nodes"])
                await _until_drained(tmp_path)
        async with Journal.open(tmp_path / "vitals-data", read_only=True) as journal:
            stored = await journal.series("clinic/gateway/queue_depth", 0, 2**53)
        moments = [each.measured_at_ms for each in stored]
        assert len(moments) == len(set(moments)) >= 3


async def test_a_node_is_claimed_on_its_page_to_its_first_reading(tmp_path: Path) -> None:
    """The address on its label: choose the facility, keep what is suggested, and the page says its first reading."""
    async with mosquitto_server(tmp_path) as broker:
        (tmp_path / "registry.yaml").write_text(REGISTRY, "utf-8")
        (tmp_path / "edge.yaml").write_text(EDGE.format(folder=tmp_path, port=broker.port), "utf-8")
        (tmp_path / "vitals.yaml").write_text(
            f"mqtt: {{url: 'mqtt://127.0.0.1:{broker.port}'}}\n"
            "listen: {port: 0}\naccess: {open: true}\nregistry: registry.yaml\n",
            "utf-8",
        )
        async with process("run", "--config", str(tmp_path / "vitals.yaml")) as service:
            assert service.stdout is not None
            address = (await asyncio.wait_for(service.stdout.readline(), 90)).decode().split(": ", 1)[1].strip()
            own = {"accept": "text/html", "origin": address, "sec-fetch-site": "same-origin"}
            async with httpx.AsyncClient(base_url=address, timeout=10, headers=own) as client:
                code, said = await vitals_without_config("node", "qr", "pi-7", "--address", address)
                assert (code, said.splitlines()[-1]) == (0, f"{address}/claim/pi-7")
                assert "Nothing was heard of this node yet." in (await client.get("/claim/pi-7")).text
                async with process("edge", "--config", str(tmp_path / "edge.yaml")):
                    await _until_page(client, "/claim/pi-7", "It is heard. Where does it stand?")
                    mapping = await _until_page(client, "/claim/pi-7?facility=clinic", "gateway/queue_depth")
                    form = form_in(Apart(mapping)) | {"by": "Amina"}
                    assert form["of-gateway/queue_depth"] == "new:gateway"
                    answer = await client.post("/claim/pi-7", data=form)
                    assert (answer.status_code, answer.headers["location"]) == (303, "/registry/nodes/pi-7")
                    page = await _until_page(client, "/registry/nodes/pi-7", "Reading received: ")
                    assert "s ago" in page
                    assert "Gateway" in page
                    await _until_drained(tmp_path)
            changes = await _changes(tmp_path)
        assert ("nodes", "pi-7", "Amina") in changes


async def test_letters_are_replayed_without_a_service(tmp_path: Path) -> None:
    """The command writes the journal itself where nobody else does, and says what was refused again."""
    (tmp_path / "registry.yaml").write_text(REGISTRY, "utf-8")
    (tmp_path / "vitals.yaml").write_text("registry: registry.yaml\n", "utf-8")
    code, said = await vitals(tmp_path, "registry", "import", str(tmp_path / "registry.yaml"))
    assert code == 0, said
    payload = json.dumps([{"bn": "pi-7/", "n": "gateway/queue_depth", "bt": 1_760_000_000, "v": 3}]).encode()
    topic = "vitals/v1/pi-7/up/live"
    async with Journal.open(tmp_path / "vitals-data") as journal:
        refused = Rejected(Reason.UNKNOWN_NODE, "not registered", topic, "pi-7", payload, 1_760_000_001_000)
        await journal.commit([], [refused, refused._replace(payload=b"\x1b[31mnot SenML", reason=Reason.NOT_SENML)])
    code, said = await vitals(tmp_path, "deadletter", "show", "2")
    assert (code, "\x1b" in said, "\\x1b[31mnot SenML" in said) == (0, False, True)
    code, said = await vitals(tmp_path, "node", "claim", "pi-7", "--facility", "clinic", "--yes")
    assert code == 0, said
    code, said = await vitals(tmp_path, "deadletter", "replay")
    assert code == 1
    assert said.splitlines()[-1] == "2 letters sent through, 1 readings stored, refused again: 1 not_senml"
    async with Journal.open(tmp_path / "vitals-data", read_only=True) as journal:
        (stored,) = await journal.series("clinic/gateway/queue_depth", 0, 2**53)
        assert (stored.value, len(await journal.letters(limit=10))) == (3.0, 1)


async def _until(client: httpx.AsyncClient, path: str, holds: Callable[[Any], bool]) -> None:
    async with asyncio.timeout(90):
        while True:
            if holds((await client.get(path)).json()):
                return
            await asyncio.sleep(0.2)


async def _until_page(client: httpx.AsyncClient, path: str, words: str) -> str:
    async with asyncio.timeout(90):
        while True:
            text = (await client.get(path)).text
            if words in text:
                return text
            await asyncio.sleep(0.2)


async def _changes(folder: Path) -> list[tuple[str, str, str]]:
    async with open_database(f"sqlite+aiosqlite:///{folder / 'vitals-data' / 'vitals.db'}") as database:
        return [(each.kind, each.item, each.author) for each in await ChangeLog(database).changes(limit=20)]


async def _until_drained(folder: Path) -> None:
    async with asyncio.timeout(90):
        while True:
            if json.loads((folder / "status.json").read_text("utf-8"))["last_receipt_ms"]:
                return
            await asyncio.sleep(0.2)

"""A node's status: told by the agent, judged by whoever asks, also when the agent is gone."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from domain.errors import OperatorError
from domain.instant import HOUR_MS
from domain.reading import Sample
from edge.outbox import Outbox
from edge.publisher import Link
from edge.service_manager import ServiceManager
from edge.settings import EdgeSettings
from edge.status import (
    STALE_SECONDS,
    NodeStatus,
    Trouble,
    free_bytes,
    is_running,
    read_status,
    sole_agent,
    troubles,
    write_status,
)
from edge.status_keeper import StatusKeeper
from tests.edge.clocks import START_MS, JumpingClock

WELL: dict[str, Any] = {
    "node": "n1",
    "version": "0",
    "broker": "mqtt://127.0.0.1:1883",
    "started_at_ms": START_MS - HOUR_MS,
    "written_at_ms": START_MS,
    "written_at_boot_seconds": 1_000.0,
    "clock_trusted": True,
    "connected": True,
    "last_error": None,
    "last_receipt_ms": START_MS,
    "waiting_readings": 3,
    "oldest_waiting_ms": START_MS,
    "disk_free_bytes": 10**9,
}


@pytest.mark.parametrize(
    ("change", "running", "expected"),
    [
        ({}, True, []),
        ({}, False, [Trouble.NOT_RUNNING]),
        ({"written_at_boot_seconds": 999.0 - STALE_SECONDS}, True, [Trouble.HANGS]),
        ({"connected": False}, False, [Trouble.NOT_RUNNING]),
        ({"connected": False}, True, [Trouble.NO_LINK]),
        ({"oldest_waiting_ms": START_MS - HOUR_MS}, True, [Trouble.NO_RECEIPTS]),
        ({"oldest_waiting_ms": None, "last_receipt_ms": None}, True, []),
        ({"disk_free_bytes": 1, "clock_trusted": False}, True, [Trouble.CLOCK_NOT_TRUSTED, Trouble.DISK_LOW]),
    ],
)
def test_troubles_are_named(change: dict[str, Any], running: bool, expected: list[Trouble]) -> None:
    """Each figure that is out of bounds is a trouble of its own; a file without its agent proves nothing."""
    status = NodeStatus.model_validate(WELL | change)
    assert troubles(status, running=running, now_ms=START_MS, boot_seconds=1_000.0) == expected


def test_a_node_that_never_ran_is_no_node_that_hangs() -> None:
    """Without a file the lock tells the two apart."""
    assert troubles(None, running=False, now_ms=0, boot_seconds=0) == [Trouble.NEVER_RAN]
    assert troubles(None, running=True, now_ms=0, boot_seconds=0) == [Trouble.HANGS]


def test_a_status_comes_back_as_it_was_written(tmp_path: Path) -> None:
    """The file holds everything; a torn one holds nothing; a folder in its place is said."""
    path = tmp_path / "run" / "status.json"
    status = NodeStatus.model_validate(WELL)
    assert read_status(path) is None
    write_status(path, status)
    assert read_status(path) == status
    path.write_bytes(path.read_bytes()[:-9])
    assert read_status(path) is None
    with pytest.raises(OperatorError, match="cannot be read"):
        read_status(path.parent)


def test_the_lock_ends_with_its_holder(tmp_path: Path) -> None:
    """One agent at a time has an outbox; killed, it has it no longer."""
    outbox = tmp_path / "state" / "outbox.db"
    assert not is_running(outbox)
    with sole_agent(outbox):
        assert is_running(outbox)
        with pytest.raises(OperatorError, match="another agent is running"), sole_agent(outbox):
            pass
    assert not is_running(outbox)
    program = (
        "import sys, pathlib, time; from edge.status import sole_agent\n"
        "with sole_agent(pathlib.Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program, outbox], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        assert is_running(outbox)
        other.kill()
    assert not is_running(outbox)


def test_the_disk_of_a_folder_to_come_is_that_of_its_parent(tmp_path: Path) -> None:
    """Before the first start the state folder is not there."""
    assert free_bytes(tmp_path / "not" / "yet") > 0


def keeper_of(tmp_path: Path, manager: ServiceManager, link: Link) -> StatusKeeper:
    """Return the keeper of a node with one reading in its outbox and 5 bytes of disk."""
    settings = EdgeSettings.model_validate(
        {
            "node": "n1",
            "broker": "mqtt://127.0.0.1:1",
            "outbox": tmp_path / "outbox.db",
            "drivers": [{"driver": "health"}],
        }
    )
    outbox = Outbox.open(settings.outbox)
    outbox.put([Sample("a", START_MS, 1.0)])
    return StatusKeeper(
        settings,
        outbox=outbox,
        link=link,
        clock=JumpingClock(),
        version="0",
        clock_trusted=lambda: True,
        manager=manager,
        free=lambda path: 5,
    )


async def test_the_agent_tells_file_and_service_manager(tmp_path: Path) -> None:
    """The manager hears that the agent is ready, then that it is alive; the file has what outbox and link say."""
    address = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as endpoint:
        endpoint.bind(str(address))
        endpoint.setblocking(False)
        manager = ServiceManager.from_environment({"NOTIFY_SOCKET": str(address), "WATCHDOG_USEC": "30000"})
        assert manager.watchdog_seconds == 0.03
        link = Link(last_error="timed out")
        running = asyncio.create_task(keeper_of(tmp_path, manager, link).run())
        heard = [await asyncio.get_running_loop().sock_recv(endpoint, 4096) for _ in range(4)]
        running.cancel()
        await asyncio.wait({running})
    assert heard[0] == b"READY=1"
    assert heard[1:] == [b"WATCHDOG=1\nSTATUS=no connection (timed out); 1 readings wait"] * 3
    status = json.loads((tmp_path / "outbox.db.status.json").read_text())
    assert (status["waiting_readings"], status["oldest_waiting_ms"], status["disk_free_bytes"]) == (1, START_MS, 5)


async def test_a_status_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    """A full or read-only disk under the status file is a warning; the service manager still hears."""
    told: list[bytes] = []
    enough = asyncio.Event()

    def send(datagram: bytes) -> None:
        told.append(datagram)
        if len(told) == 4:
            enough.set()
        raise ConnectionRefusedError("nobody listens")

    (tmp_path / "outbox.db.status.json.new").mkdir()
    running = asyncio.create_task(keeper_of(tmp_path, ServiceManager(send, watchdog_seconds=0.003), Link()).run())
    await enough.wait()
    running.cancel()
    await asyncio.wait({running})
    assert running.cancelled()


def test_without_a_service_manager_nobody_is_told() -> None:
    """Started by hand there is no socket, and saying so is no error."""
    manager = ServiceManager.from_environment({})
    manager.ready()
    manager.stopping()
    assert manager.watchdog_seconds is None


def test_a_socket_in_the_abstract_namespace_is_reached() -> None:
    """A leading @ stands for the zero byte of such a name."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as endpoint:
        endpoint.bind("")  # the kernel chooses an abstract name
        name = endpoint.getsockname().decode().replace("\0", "@", 1)
        ServiceManager.from_environment({"NOTIFY_SOCKET": name}).stopping()
        assert endpoint.recv(100) == b"STOPPING=1"

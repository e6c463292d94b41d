"""The demo with and without Prometheus beside it, as somebody starts and stops it."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.demo.prometheus import prometheus_beside
from tests.system.servers import answers, require
from tests.system.watchers import until

pytestmark = pytest.mark.system

PATIENCE_SECONDS = 60
REPOSITORY = Path(__file__).parents[2]
FACILITIES = 12


class Demo:
    """A demo that runs, and what it says."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.complaints = ""

    async def said(self, pattern: str) -> re.Match[str]:
        """Wait for a line."""
        assert self._process.stdout is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            async for line in self._process.stdout:
                if found := re.search(pattern, line.decode()):
                    return found
        raise AssertionError(f"the demo ended without saying {pattern}")

    async def interrupted(self) -> str:
        """Press Ctrl-C; return what it said until its end."""
        self._process.send_signal(signal.SIGINT)
        rest, complaints = await asyncio.wait_for(self._process.communicate(), PATIENCE_SECONDS)
        assert self._process.returncode == 0
        self.complaints = complaints.decode()
        return rest.decode()


@asynccontextmanager
async def a_demo(folder: Path, path: str) -> AsyncIterator[Demo]:
    """Run the demo with these folders of programs."""
    command = [sys.executable, "-m", "app.cli", "demo", "--port", "0", "--data", str(folder)]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, cwd=folder.parent,
        env={**os.environ, "PATH": path, "PYTHONPATH": str(REPOSITORY)},
    )  # fmt: skip
    try:
        yield Demo(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def asked(address: str, **parameters: str) -> Any:
    """Return the data of an answer of Prometheus."""
    async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as client:
        found: Mapping[str, Any] = (await client.get(address, params=parameters)).json()
    return found["data"]


async def hears(address: str) -> bool:
    """Tell whether readings have come."""
    async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as client:
        found = re.search(r"^vitals_readings_total (\S+)$", (await client.get(f"{address}/metrics")).text, re.MULTILINE)
    return found is not None and float(found[1]) > 0


async def test_prometheus_runs_beside_the_demo_and_ends_with_it(tmp_path: Path) -> None:
    """It has every facility, its promise and all rules in good health; after Ctrl-C nothing of it is left."""
    binary = require("prometheus", package="prometheus")
    folder = tmp_path / "demo"
    async with a_demo(folder, str(Path(binary).parent)) as demo:
        address = (await demo.said(r"Prometheus: (http://127\.0\.0\.1:\d+)$"))[1]
        promised = 'count(vitals_facility_uptime_target_ratio{service="power"} == 0.95)'

        async def all_are_promised() -> bool:
            found = (await asked(f"{address}/api/v1/query", query=promised))["result"]
            return [each["value"][1] for each in found] == [str(FACILITIES)]

        await until(all_are_promised, f"{FACILITIES} facilities with a promise")
        groups = (await asked(f"{address}/api/v1/rules"))["groups"]
        assert {"vitals-target-power-0.95", "vitals-region-power", "vitals-alive"} <= {each["name"] for each in groups}
        assert not [rule for group in groups for rule in group["rules"] if rule["health"] == "err"]
        await demo.interrupted()
        assert "Traceback" not in demo.complaints
        assert not await answers(f"{address}/-/ready")
    assert folder.exists()
    assert not (folder / "prometheus").exists()


async def test_without_prometheus_the_demo_is_what_it_was(tmp_path: Path) -> None:
    """Nothing is said of it, and nothing is missing."""
    nothing = tmp_path / "programs"
    nothing.mkdir()
    async with a_demo(tmp_path / "demo", str(nothing)) as demo:
        address = (await demo.said(r"Open (http://127\.0\.0\.1:\d+)"))[1]
        await until(lambda: hears(address), "the first readings are stored")
        assert "Prometheus" not in await demo.interrupted()
        assert "Traceback" not in demo.complaints
    assert not (tmp_path / "demo" / "prometheus").exists()


async def test_a_prometheus_that_does_not_start_is_one_sentence(tmp_path: Path) -> None:
    """It says where to read why; the demo goes on."""
    said: list[str] = []
    ends_at_once = shutil.which("false")
    assert ends_at_once is not None
    async with prometheus_beside(
        ends_at_once, folder=tmp_path / "p", address="http://127.0.0.1:1", speed=1, targets=(), say=said.append
    ):

        async def something_is_said() -> bool:
            return bool(said)

        await until(something_is_said, "something is said")
        assert f"Prometheus does not start; {tmp_path / 'p' / 'log.txt'} says why" in said[0]
    assert not (tmp_path / "p").exists()

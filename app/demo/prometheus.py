"""Prometheus beside the demo, where it is installed: scrapes it, with the rules for the demo's promises at its pace."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

from app.demo.broker import free_port
from app.prometheus_rules import write_rules
from app.yaml_document import render_document
from dashboards.prometheus.rule import Setting
from dashboards.prometheus.service import JOB
from dashboards.sla.targets import Target

_FASTEST: Final = 60.0
"""A window of five minutes must still hold some scrapes, and nobody scrapes more than once a second."""
_START_SECONDS: Final = 10.0
_STOP_SECONDS: Final = 2.0
_LOOK_SECONDS: Final = 0.1


@asynccontextmanager
async def prometheus_beside(
    binary: str, *, folder: Path, address: str, speed: float, targets: Collection[Target], say: Callable[[str], None]
) -> AsyncIterator[None]:
    """Run Prometheus on a free loopback port, in a folder that is removed afterwards, and say where once it answers."""
    port = free_port()
    await asyncio.to_thread(_lay_out, folder, address, min(speed, _FASTEST), targets)
    with await asyncio.to_thread((folder / "log.txt").open, "wb") as log:
        # In a session of its own: Ctrl-C is for the demo, which then ends it.
        process = await asyncio.create_subprocess_exec(
            *_command(binary, folder, port),
            stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    telling = asyncio.create_task(_tell(process, port, folder, say), name="Prometheus starts")
    try:
        yield
    finally:
        telling.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await telling
        await _end(process)
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def _command(binary: str, folder: Path, port: int) -> list[str]:
    options = {
        "config.file": folder / "prometheus.yml",
        "storage.tsdb.path": folder / "data",
        "storage.tsdb.retention.time": "2d",
        "web.listen-address": f"127.0.0.1:{port}",
    }
    return [binary, *(f"--{name}={value}" for name, value in options.items())]


def _lay_out(folder: Path, address: str, pace: float, targets: Collection[Target]) -> None:
    shutil.rmtree(folder, ignore_errors=True)  # of a run that was killed
    write_rules(targets, Setting(pace=pace), folder / "rules")
    (folder / "prometheus.yml").write_text(render_document(_configuration(address)), "utf-8")


def _configuration(address: str) -> dict[str, Any]:
    target = {"targets": [address.removeprefix("http://")]}
    return {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": ["rules/*.yml"],
        "scrape_configs": [
            {"job_name": JOB, "static_configs": [target]},
            {"job_name": f"{JOB}-equipment", "metrics_path": "/metrics/equipment", "static_configs": [target]},
        ],
    }


async def _tell(process: asyncio.subprocess.Process, port: int, folder: Path, say: Callable[[str], None]) -> None:
    """Say where it is as soon as it listens, or where to read why it does not."""
    for _ in range(round(_START_SECONDS / _LOOK_SECONDS)):
        if process.returncode is not None:
            break
        with suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            say(f"  Prometheus: http://127.0.0.1:{port}\n")
            return
        await asyncio.sleep(_LOOK_SECONDS)
    say(f"  Prometheus does not start; {folder / 'log.txt'} says why. The demo needs none.\n")


async def _end(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), _STOP_SECONDS)
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()

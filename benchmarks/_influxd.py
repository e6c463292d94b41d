"""Debian's InfluxDB 1.x as a process of a benchmark's own."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import aiohttp

_CONFIGURATION = """
reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
  dir = "{folder}/meta"
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
  query-log-enabled = false
[http]
  bind-address = "127.0.0.1:{http}"
  log-enabled = false
[monitor]
  store-enabled = false
"""


@asynccontextmanager
async def influxd(folder: Path) -> AsyncIterator[str]:
    """Run an InfluxDB of its own; yields its address."""
    binary = shutil.which("influxd") or shutil.which("influxd", path="/usr/sbin:/usr/local/sbin")
    if binary is None:
        raise FileNotFoundError("influxd is not installed; the Debian package 'influxdb' has it")
    http, rpc = _free_ports()
    configuration = folder / "influxdb.conf"
    configuration.write_text(_CONFIGURATION.format(folder=folder, http=http, rpc=rpc), encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        binary,
        "run",
        "-config",
        str(configuration),
        stderr=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        await _until_answering(f"http://127.0.0.1:{http}/ping")
        yield f"http://127.0.0.1:{http}"
    finally:
        process.terminate()
        await process.wait()


def _free_ports() -> list[int]:
    with ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(2)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]


async def _until_answering(url: str) -> None:
    async with asyncio.timeout(30), aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.get(url):
                    return
            except aiohttp.ClientError:
                await asyncio.sleep(0.05)

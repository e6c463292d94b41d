"""Debian's mosquitto as a process of a benchmark's own."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

_CONFIGURATION = "listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\nmax_inflight_messages 1000\n"


@asynccontextmanager
async def mosquitto(folder: Path) -> AsyncIterator[int]:
    """Run a mosquitto of its own; yields its port."""
    binary = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if binary is None:
        raise FileNotFoundError("mosquitto is not installed; the Debian package 'mosquitto' has it")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    configuration = folder / "mosquitto.conf"
    configuration.write_text(_CONFIGURATION.format(port=port), encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        binary, "-c", str(configuration), stderr=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        await _until_listening(port)
        yield port
    finally:
        process.terminate()
        await process.wait()


async def _until_listening(port: int) -> None:
    async with asyncio.timeout(10):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                return

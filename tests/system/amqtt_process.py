"""amqtt as a process of its own, to be killed; ended from inside, a busy amqtt may wait for its readers for ever."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.system.brokers import accepts, amqtt_broker
from tests.system.servers import ServerProcess, free_ports

ROOT = Path(__file__).parents[2]


@asynccontextmanager
async def amqtt_process(folder: Path) -> AsyncIterator[tuple[str, ServerProcess]]:
    """Run amqtt on a port that it keeps when it is started again; yields its address and its process."""
    (port,) = free_ports(1)
    program = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); from tests.system import amqtt_process as a; a.main({port})"
    )
    process = ServerProcess(
        [sys.executable, "-c", program], log=folder / "amqtt.txt", ready=lambda: accepts("127.0.0.1", port)
    )
    try:
        await process.start()
        yield f"mqtt://127.0.0.1:{port}", process
    finally:
        await process.kill()


def main(port: int) -> None:
    """Run until killed."""
    asyncio.run(_serve(port))


async def _serve(port: int) -> None:
    async with amqtt_broker(port):
        await asyncio.get_running_loop().create_future()

"""A served world and a browser to look at it."""

from __future__ import annotations

import asyncio
import shutil
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Browser, ViewportSize, sync_playwright

from api.create import create_api
from api.events import EventHub
from api.settings import ApiSettings
from tests.api.world import World

SCREENSHOTS: Final = Path(__file__).parent / "screenshots"
CHROMIUM: Final = shutil.which("chromium")
PHONE: Final[ViewportSize] = {"width": 360, "height": 740}
DESKTOP: Final[ViewportSize] = {"width": 1280, "height": 900}

Opened = tuple[World, FastAPI]


@dataclass(frozen=True)
class Site:
    """A served world."""

    world: World
    address: str
    hub: EventHub
    server: uvicorn.Server
    stop: Callable[[], None]
    """Ends the service, as when the network is gone; once is enough."""


def plainly(world: World) -> Callable[[], AbstractAsyncContextManager[Opened]]:
    """Return what opens a world in which nobody signs in."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[Opened]:
        yield world, create_api(world.services(), ApiSettings(event_interval_seconds=0.1))

    return opened


@contextmanager
def served(world: World | Callable[[], AbstractAsyncContextManager[Opened]], port: int = 0) -> Iterator[Site]:
    """Serve a world, or what opens one, on loopback, in a thread of its own; without a port on a free one."""
    opening = plainly(world) if isinstance(world, World) else world
    loop, ready = asyncio.new_event_loop(), threading.Event()
    found: list[tuple[World, EventHub, uvicorn.Server]] = []

    async def serve(listener: socket.socket) -> None:
        async with opening() as (opened, application):
            server = uvicorn.Server(uvicorn.Config(application, log_config=None, lifespan="off"))
            found.append((opened, application.state.events, server))
            ready.set()
            await server.serve([listener])

    with socket.create_server(("127.0.0.1", port)) as listener:
        thread = threading.Thread(target=lambda: loop.run_until_complete(serve(listener)))
        thread.start()
        assert ready.wait(timeout=20)
        ((opened, hub, server),) = found

        def stop() -> None:
            if thread.is_alive():
                asyncio.run_coroutine_threadsafe(hub.close(), loop).result(timeout=10)
                server.should_exit = True
                thread.join(timeout=20)
                assert not thread.is_alive(), "open event streams kept the server from stopping"
                loop.close()
            listener.close()

        try:
            yield Site(opened, f"http://127.0.0.1:{listener.getsockname()[1]}", hub, server, stop)
        finally:
            stop()


@contextmanager
def launched() -> Iterator[Browser]:
    """Give a chromium."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"],
        )
        yield chromium
        chromium.close()

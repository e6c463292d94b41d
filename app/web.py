"""The HTTP server: a socket bound before anything else starts, and uvicorn on it."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from ipaddress import ip_address

import uvicorn
from pydantic import BaseModel, ConfigDict, Field
from starlette.types import ASGIApp

from domain.errors import OperatorError

GRACE_SECONDS = 2
LOOPBACK = ("127.0.0.1", "::1")


class ListenSettings(BaseModel):
    """Where the pages and the API are served."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = "127.0.0.1"
    """An address of this machine; where nobody signs in only loopback is allowed."""
    port: int = Field(default=8080, ge=0, le=65535)
    """0 takes any free port."""


def bind(settings: ListenSettings, *, open_to_all: bool) -> socket.socket:
    """Return a listening socket; raise ``OperatorError`` with one clear sentence where that cannot be."""
    require_safe(settings.host, open_to_all=open_to_all)
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return _listener(family, settings)
    except OSError as error:
        raise OperatorError(_sentence(settings, error)) from error


def address(listener: socket.socket) -> str:
    """Return the address that a person opens in a browser."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def serve_on(
    listener: socket.socket, application: ASGIApp, *, before_stop: Callable[[], Awaitable[None]]
) -> None:
    """Serve until cancelled; then ``before_stop`` ends endless answers, and open requests get ``GRACE_SECONDS``."""
    server = _Server(
        uvicorn.Config(
            application,
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=GRACE_SECONDS,
            # A server before this one says who asks and how; somebody on another machine could say anything.
            forwarded_allow_ips=list(LOOPBACK),
        )
    )
    serving = asyncio.create_task(server.serve(sockets=[listener]), name="http server")
    try:
        await asyncio.shield(serving)
    except asyncio.CancelledError:
        await before_stop()
        server.should_exit = True
        await serving
        raise


class _Server(uvicorn.Server):
    """Signals belong to ``app.process``; uvicorn would take them for itself."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


def _listener(family: socket.AddressFamily, settings: ListenSettings) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Connections inherit it. An answer's head and body are two writes, and Linux would hold the second one back for
        # 40 ms until the first is acknowledged; asyncio lifts that only for sockets that name their protocol.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.bind((settings.host, settings.port))
        listener.listen(socket.SOMAXCONN)
    except OSError:
        listener.close()
        raise
    return listener


def require_safe(host: str, *, open_to_all: bool) -> None:
    """Raise ``OperatorError`` for what is no address, or for one that others can reach where nobody signs in."""
    try:
        loopback = is_loopback(host)
    except ValueError:
        raise OperatorError(
            f"listen.host is {host!r}; allowed: an IP address of this machine, such as 127.0.0.1"
        ) from None
    if open_to_all and not loopback:
        raise OperatorError(
            f"listen.host is {host}, which others can reach, and access.open lets everybody do everything; "
            "allowed: listen.host 127.0.0.1, or access without open, so that people sign in"
        )


def is_loopback(host: str) -> bool:
    """Tell whether only this machine reaches an address; raise ``ValueError`` for what is none."""
    return host == "localhost" or ip_address(host).is_loopback


def _sentence(settings: ListenSettings, error: OSError) -> str:
    place = f"port {settings.port} on {settings.host}"
    if error.errno == errno.EADDRINUSE:
        return f"{place} is taken by another program; stop that program or choose another port"
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"{place} may not be opened by this user; choose a port above 1023"
    return f"{place} cannot be opened: {error.strerror}"

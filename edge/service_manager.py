"""What the agent tells systemd: that it is ready, that it is alive, how it fares (the protocol of sd_notify(3))."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Mapping
from typing import Self

logger = logging.getLogger(__name__)


class ServiceManager:
    """Whoever started the process and may want to hear from it; nobody, where it was started by hand."""

    def __init__(self, send: Callable[[bytes], None] | None = None, *, watchdog_seconds: float | None = None) -> None:
        """``send`` takes one datagram; ``watchdog_seconds`` is the longest silence before the process is killed."""
        self._send = send
        self.watchdog_seconds = watchdog_seconds

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Return the manager that the environment names: ``NOTIFY_SOCKET`` and ``WATCHDOG_USEC``."""
        address = environment.get("NOTIFY_SOCKET", "")
        if not address:
            return cls()
        microseconds = environment.get("WATCHDOG_USEC", "")
        return cls(_sender(address), watchdog_seconds=int(microseconds) / 1e6 if microseconds.isdigit() else None)

    def ready(self) -> None:
        """Say that the agent measures."""
        self._tell("READY=1")

    def alive(self, status: str) -> None:
        """Say that the agent does not hang, and in one line how it fares."""
        self._tell("WATCHDOG=1", f"STATUS={status}")

    def stopping(self) -> None:
        """Say that the agent is about to end."""
        self._tell("STOPPING=1")

    def _tell(self, *lines: str) -> None:
        if self._send is None:
            return
        try:
            self._send("\n".join(lines).encode())
        except OSError as error:
            logger.warning("the service manager cannot be told: %s", error)


def _sender(address: str) -> Callable[[bytes], None]:
    # A leading @ stands for a name in Linux's abstract namespace, which begins with a zero byte.
    target = f"\0{address[1:]}" if address.startswith("@") else address

    def send(datagram: bytes) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as endpoint:
            endpoint.connect(target)
            endpoint.sendall(datagram)

    return send

"""A message centre (SMSC) of SMPP 3.4 for tests, written from the tables of the specification alone."""

from __future__ import annotations

import asyncio
import struct
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

BIND_TRANSCEIVER, SUBMIT_SM, DELIVER_SM, UNBIND, ENQUIRE_LINK = 0x9, 0x4, 0x5, 0x6, 0x15
RESPONSE = 0x80000000
PASSWORD = "hush"


class Submitted(NamedTuple):
    """A ``submit_sm`` as it arrived, its fields in the order of table 4-10."""

    source: tuple[int, int, bytes]
    destination: tuple[int, int, bytes]
    esm_class: int
    registered_delivery: int
    coding: int
    message: bytes
    payload: bytes


@dataclass
class MessageCentre:
    """Takes what it is sent, remembers it, and says what a test wants it to say."""

    port: int = 0
    bind_status: int = 0
    submit_statuses: list[int] = field(default_factory=list)
    """The next answers to submissions; then all are taken."""
    ids: list[bytes] = field(default_factory=list)
    """The next names of messages; then m1, m2 ..."""
    silent: bool = False
    """Answers nothing any more."""
    submitted: asyncio.Queue[Submitted] = field(default_factory=asyncio.Queue)
    bound: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    enquired: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    unbound: asyncio.Event = field(default_factory=asyncio.Event)
    answers: asyncio.Queue[tuple[int, int]] = field(default_factory=asyncio.Queue)
    """Command and status of what answers our own requests."""
    _count: int = 0
    _writer: StreamWriter | None = None

    async def serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Speak with one client."""
        self._writer = writer
        try:
            while True:
                length, command, status, sequence = struct.unpack("!IIII", await reader.readexactly(16))
                body = await reader.readexactly(length - 16)
                if command & RESPONSE:
                    await self.answers.put((command, status))
                elif not self.silent:
                    await self._obey(command, sequence, body)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    async def bring(self, source: tuple[int, int, bytes], esm_class: int, coding: int, message: bytes) -> None:
        """Send a ``deliver_sm`` (table 4-13)."""
        body = b"\0" + _address(source) + _address((1, 1, b"8000")) + bytes([esm_class, 0, 0]) + b"\0\0"
        await self.send(DELIVER_SM, 0, 7, body + bytes([0, 0, coding, 0, len(message)]) + message)

    async def receipt(self, message_id: bytes, state: bytes) -> None:
        """Send a delivery receipt in the form of appendix B."""
        text = b"id:%s sub:001 dlvrd:001 submit date:2611201200 done date:2611201201 stat:%s err:000 Text:ALARM"
        await self.bring((1, 1, b"256700000001"), 4, 0, text % (message_id, state))

    async def send(self, command: int, status: int, sequence: int, body: bytes = b"") -> None:
        """Send any packet."""
        assert self._writer is not None
        self._writer.write(struct.pack("!IIII", 16 + len(body), command, status, sequence) + body)
        await self._writer.drain()

    def hang_up(self) -> None:
        """Break the connection without a word."""
        if self._writer is not None:
            self._writer.transport.abort()

    async def _obey(self, command: int, sequence: int, body: bytes) -> None:
        answer, status = b"", 0
        if command == BIND_TRANSCEIVER:
            _, password, _ = body.split(b"\0", 2)
            status = self.bind_status or (0 if password == PASSWORD.encode() else 0xE)
            answer = b"centre\0"
        elif command == SUBMIT_SM:
            status = self.submit_statuses.pop(0) if self.submit_statuses else 0
            if not status:
                self._count += 1
                answer = (self.ids.pop(0) if self.ids else b"m%d" % self._count) + b"\0"
                await self.submitted.put(_submitted(body))
        await self.send(command | RESPONSE, status, sequence, answer)
        if command == BIND_TRANSCEIVER and not status:
            self.bound.release()
        elif command == ENQUIRE_LINK:
            self.enquired.release()
        elif command == UNBIND:
            self.unbound.set()


def _submitted(body: bytes) -> Submitted:
    _, rest = body.split(b"\0", 1)
    source, rest = _read_address(rest)
    destination, rest = _read_address(rest)
    esm_class, rest = rest[0], rest[3:]
    _, _, rest = rest.split(b"\0", 2)
    registered, _, coding, _, length = rest[:5]
    message, options = rest[5 : 5 + length], rest[5 + length :]
    payload = b""
    if options:
        tag, size = struct.unpack("!HH", options[:4])
        assert (tag, size) == (0x0424, len(options) - 4)
        payload = options[4:]
    return Submitted(source, destination, esm_class, registered, coding, message, payload)


def _read_address(rest: bytes) -> tuple[tuple[int, int, bytes], bytes]:
    number, after = rest[2:].split(b"\0", 1)
    return (rest[0], rest[1], number), after


def _address(address: tuple[int, int, bytes]) -> bytes:
    return bytes(address[:2]) + address[2] + b"\0"


@asynccontextmanager
async def message_centre() -> AsyncIterator[MessageCentre]:
    """Run a message centre on a free loopback port."""
    centre = MessageCentre()
    server = await asyncio.start_server(centre.serve, "127.0.0.1", 0)
    centre.port = server.sockets[0].getsockname()[1]
    try:
        yield centre
    finally:
        server.close()
        centre.hang_up()

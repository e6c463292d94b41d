"""One bound session with an operator's message centre (SMSC): requests and answers, both ways, over one connection."""

from __future__ import annotations

import asyncio
import itertools
from asyncio import Future, StreamReader, StreamWriter
from collections.abc import Awaitable, Callable

from alerts.notifiers.smpp_pdu import (
    HEADER_BYTES,
    RESPONSE,
    Command,
    Delivered,
    Packet,
    Status,
    body_bytes_after,
    delivered,
    packed,
    unpacked,
)
from domain.errors import PeerError

Deliver = Callable[[Delivered], Awaitable[int]]
"""Takes what the other side brings; returns the status to answer with."""
_LAST_SEQUENCE = 0x7FFFFFFF


class Session:
    """Asks and answers; ``run`` reads until the connection ends."""

    def __init__(self, reader: StreamReader, writer: StreamWriter, deliver: Deliver, timeout_seconds: float) -> None:
        self._reader, self._writer, self._deliver = reader, writer, deliver
        self._timeout_seconds = timeout_seconds
        self._sequences = itertools.cycle(range(1, _LAST_SEQUENCE))
        self._asked: dict[int, Future[Packet]] = {}

    async def request(self, command: Command, body: bytes = b"") -> Packet:
        """Return the answer; raises ``PeerError`` where none comes in time or the connection ends."""
        sequence = next(self._sequences)
        answer: Future[Packet] = asyncio.get_running_loop().create_future()
        self._asked[sequence] = answer
        try:
            await self._write(Packet(command, Status.OK, sequence, body))
            async with asyncio.timeout(self._timeout_seconds):
                return await answer
        except TimeoutError as error:
            raise PeerError(f"no answer to {command.name.lower()} within {self._timeout_seconds:g} s") from error
        except OSError as error:
            raise PeerError(f"the connection broke: {error}") from error
        finally:
            self._asked.pop(sequence, None)

    async def run(self) -> None:
        """Read until the other side unbinds or the connection ends, which raises ``PeerError``."""
        try:
            async with asyncio.TaskGroup() as answering:
                while True:
                    packet = await self._read()
                    if packet.command & RESPONSE:
                        self._answered(packet)
                    elif packet.command == Command.DELIVER_SM:
                        answering.create_task(self._take(packet))
                    elif not await self._obey(packet):
                        return
        finally:
            for answer in self._asked.values():
                if not answer.done():
                    answer.set_exception(PeerError("the connection ended before an answer came"))

    async def _read(self) -> Packet:
        try:
            header = await self._reader.readexactly(HEADER_BYTES)
            body = await self._reader.readexactly(body_bytes_after(header))
        except (asyncio.IncompleteReadError, OSError) as error:
            raise PeerError("the other side closed the connection") from error
        return unpacked(header, body)

    def _answered(self, packet: Packet) -> None:
        answer = self._asked.get(packet.sequence)
        if answer is not None and not answer.done():
            answer.set_result(packet)

    async def _take(self, packet: Packet) -> None:
        try:
            status = await self._deliver(delivered(packet.body))
        except PeerError:
            # Unreadable today, unreadable for ever: without a yes it would come again and again.
            status = Status.OK
        await self._answer(packet, status, b"\0")

    async def _obey(self, packet: Packet) -> bool:
        """Answer what concerns the session itself; False where it is over."""
        if packet.command == Command.ENQUIRE_LINK:
            await self._answer(packet, Status.OK)
        elif packet.command == Command.UNBIND:
            await self._answer(packet, Status.OK)
            return False
        else:
            await self._write(Packet(Command.GENERIC_NACK, Status.INVALID_COMMAND, packet.sequence, b""))
        return True

    async def _answer(self, packet: Packet, status: int, body: bytes = b"") -> None:
        await self._write(Packet(packet.command | RESPONSE, status, packet.sequence, body))

    async def _write(self, packet: Packet) -> None:
        try:
            self._writer.write(packed(packet))
            await self._writer.drain()
        except OSError as error:
            raise PeerError(f"the connection broke: {error}") from error

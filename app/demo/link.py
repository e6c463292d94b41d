"""A network link that can be cut: a TCP relay between one node of the demo and the broker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

CHUNK_BYTES = 65_536


class Link:
    """Passes bytes both ways while it is whole; cut, it drops its connections and refuses new ones."""

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._whole = True
        self._connections: set[asyncio.StreamWriter] = set()
        self.port = 0
        """The loopback port that the node connects to."""

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Link]:
        """Listen until the block ends."""
        server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            self._drop_all()

    def set_whole(self, whole: bool) -> None:
        """Cut or mend the link."""
        if self._whole and not whole:
            self._drop_all()
        self._whole = whole

    def _drop_all(self) -> None:
        for writer in tuple(self._connections):
            writer.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._whole:
            writer.transport.abort()
            return
        with suppress(OSError):
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
            ends = {writer, far_writer}
            self._connections |= ends
            try:
                await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
            finally:
                self._connections -= ends
                for end in ends:
                    end.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while chunk := await reader.read(CHUNK_BYTES):
            writer.write(chunk)
            await writer.drain()
    writer.close()

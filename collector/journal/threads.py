"""Where SQLite works: one thread that writes, a few that read; the event loop only waits."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from collector.journal.reader import Memory, Reader, Snapshot
from collector.journal.schema import FILE_NAME, open_reader

Result = TypeVar("Result")


class WriterThread:
    """A thread that does one thing after the other."""

    def __init__(self, on_done: Callable[[], None]) -> None:
        """Call ``on_done`` in the event loop after each piece of work, also where its caller was cancelled."""
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal-writer")
        self._loop = asyncio.get_running_loop()
        self._on_done = on_done

    async def run(self, work: Callable[[], Result]) -> Result:
        """Do the work after everything asked before; return or raise what it does."""
        future = self._executor.submit(work)
        future.add_done_callback(self._announce)
        return await asyncio.wrap_future(future)

    async def close(self) -> None:
        """Finish what was asked for."""
        await asyncio.to_thread(self._executor.shutdown)

    def _announce(self, future: Future[Result]) -> None:
        del future
        self._loop.call_soon_threadsafe(self._on_done)


class ReaderPool:
    """Threads that answer questions, each on its own connection."""

    def __init__(self, folder: Path, memory: Memory, threads: int) -> None:
        self._executor = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="journal-reader")
        self._folder, self._memory = folder, memory
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []

    async def ask(self, question: Callable[[Reader, Snapshot], Result]) -> Result:
        """Answer a question on one snapshot."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, lambda: self._reader().ask(question))

    async def close(self) -> None:
        """Finish what was asked for and close the connections."""
        await asyncio.to_thread(self._executor.shutdown)
        for connection in self._connections:
            connection.close()

    def _reader(self) -> Reader:
        if not hasattr(self._local, "reader"):
            connection = open_reader(self._folder)
            self._connections.append(connection)
            self._local.reader = Reader(connection, self._folder / FILE_NAME, self._memory)
        reader: Reader = self._local.reader
        return reader

"""Calls that block, each in a thread of its own that nobody waits for longer than allowed."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

Result = TypeVar("Result")


class ThreadsBusyError(Exception):
    """As many calls as allowed are still under way."""


class PatientThreads:
    """Threads that do not hold up the end of the process, and are never more than a few."""

    def __init__(self, name: str, most: int) -> None:
        """Name the threads ``name``, for logs; a call that never returns takes one of ``most`` for good."""
        self._name, self._free = name, threading.BoundedSemaphore(most)

    async def run(self, work: Callable[[], Result], *, seconds: float) -> Result:
        """Return or raise what the work does; raises ``TimeoutError`` (the work goes on), ``ThreadsBusyError``."""
        if not self._free.acquire(blocking=False):
            raise ThreadsBusyError
        future: Future[Result] = Future()
        future.set_running_or_notify_cancel()
        threading.Thread(target=self._do, args=(work, future), name=self._name, daemon=True).start()
        async with asyncio.timeout(seconds):
            return await asyncio.wrap_future(future)

    def _do(self, work: Callable[[], Result], future: Future[Result]) -> None:
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 - whoever waits gets it
            self._free.release()
            future.set_exception(error)
        else:
            self._free.release()
            future.set_result(result)

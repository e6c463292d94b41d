"""Calls that block, off the event loop: one at a time per piece of hardware, and none that holds up the process."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TypeVar

_T = TypeVar("_T")


class Lane:
    """Runs one blocking call at a time, in a daemon thread of its own.

    A call that never comes back costs one thread, not one a minute, takes no place from other drivers, and does not
    keep the process from ending.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._busy = False

    async def run(self, call: Callable[[], _T], *, timeout_seconds: float) -> _T:
        """Return what the call returns, or raise what it raises.

        Raises ``TimeoutError`` when it takes longer, and while an earlier call has still not come back.
        """
        if self._busy:
            raise TimeoutError(f"an earlier call to {self._name} has not come back")
        loop = asyncio.get_running_loop()
        outcome: asyncio.Future[_T] = loop.create_future()
        self._busy = True
        threading.Thread(target=self._work, args=(call, loop, outcome), name=self._name, daemon=True).start()
        try:
            await asyncio.wait([outcome], timeout=timeout_seconds)
            if not outcome.done():
                raise TimeoutError(f"{self._name} did not answer within {timeout_seconds:g} s")
            return outcome.result()
        finally:
            outcome.cancel()  # a late answer is thrown away

    def _work(self, call: Callable[[], _T], loop: asyncio.AbstractEventLoop, outcome: asyncio.Future[_T]) -> None:
        try:
            settle = partial(outcome.set_result, call())
        except BaseException as error:  # noqa: BLE001 - carried over to whoever awaits, not swallowed
            settle = partial(outcome.set_exception, error)
        self._busy = False
        with suppress(RuntimeError):  # the loop was closed meanwhile: nobody waits
            loop.call_soon_threadsafe(_unless_given_up, outcome, settle)


def _unless_given_up(outcome: asyncio.Future[_T], settle: Callable[[], None]) -> None:
    if not outcome.done():
        settle()

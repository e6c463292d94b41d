"""Jobs that people order on a page: one after the other, each in a process of its own (``app.child``)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final, Generic

from api.jobs import JobState, Order, Stage
from app.child import Work
from app.children import CHILD, Child
from domain.errors import Fault, VitalsError

log = logging.getLogger(__name__)

MOST_WAITING: Final = 5
MOST_KEPT: Final = 20
READY_SECONDS: Final = 120.0
"""So long a process is kept ready for an order that may come."""
_BROKEN: Final = "It ended without an answer; the service's log says more."


class BusyError(VitalsError):
    """Too many orders wait already."""

    fault = Fault.SENDER

    def __init__(self) -> None:
        super().__init__(f"{MOST_WAITING} orders wait already; try again when one of them is over, or cancel one.")


class Jobs(Generic[Order]):
    """Takes orders of one kind, remembers the last results in memory; a restart forgets them."""

    def __init__(
        self,
        work_of: Callable[[Order], Work],
        command: Sequence[str] = CHILD,
        *,
        forget: Callable[[JobState[Order]], None] = lambda _: None,
    ) -> None:
        """``work_of`` says what is to be done for an order, at the moment at which it is begun.

        ``forget`` is told of each job that is not remembered any more.
        """
        self._work_of, self._command, self._forget = work_of, command, forget
        self._states: dict[int, JobState[Order]] = {}
        self._waiting: asyncio.Queue[int] = asyncio.Queue()
        self._children: dict[int, Child] = {}
        self._ready: Child | None = None
        self._watch: asyncio.Task[None] | None = None
        self._over: dict[int, asyncio.Event] = {}
        self._last = 0

    def start(self, order: Order) -> JobState[Order]:
        """Take an order; raise ``BusyError`` where too many wait."""
        if sum(each.stage is Stage.WAITING for each in self._states.values()) >= MOST_WAITING:
            raise BusyError
        self._last += 1
        state = self._states[self._last] = JobState(number=self._last, order=order)
        self._over[self._last] = asyncio.Event()
        for each in [each for each in self.all() if each.stage.over][MOST_KEPT:]:
            del self._states[each.number], self._over[each.number]
            self._forget(each)
        self._waiting.put_nowait(state.number)
        return state

    def get(self, number: int) -> JobState[Order] | None:
        """Return how far a job is; None for one that is not remembered."""
        return self._states.get(number)

    def all(self) -> list[JobState[Order]]:
        """Return what is remembered, newest first."""
        return sorted(self._states.values(), key=lambda each: -each.number)

    def cancel(self, number: int) -> None:
        """End a job that is not over."""
        state = self._states.get(number)
        if state is None or state.stage.over:
            return
        if number in self._children:
            self._children[number].kill()
        self._change(number, stage=Stage.CANCELLED)

    async def wait(self, number: int, seconds: float) -> None:
        """Wait until a job is over, at most so long."""
        if number in self._over:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._over[number].wait(), seconds)

    async def prepare(self, *modules: str) -> None:
        """Keep a process ready for a while that has imported what the next order needs."""
        if self._ready is None or not self._ready.is_ready:
            self._ready = child = Child(self._command)
            await child.start(*modules)
            self._watch = asyncio.create_task(self._let_go(child, READY_SECONDS))

    async def _let_go(self, child: Child, after_seconds: float = 0) -> None:
        """End a process that was kept ready and did not get work by then."""
        await asyncio.sleep(after_seconds)
        if self._ready is child:
            self._ready = None
            await child.end()

    def _next_child(self) -> Child:
        child, self._ready = self._ready, None
        return child if child is not None and child.is_ready else Child(self._command)

    async def run(self) -> None:
        """Work off the orders, one after the other, until cancelled; run twice it does two at a time."""
        try:
            while True:
                await self._work_off(await self._waiting.get())
        finally:
            if self._ready is not None:
                await self._let_go(self._ready)
            if self._watch is not None:
                self._watch.cancel()

    async def _work_off(self, number: int) -> None:
        if number not in self._states or self._states[number].stage is not Stage.WAITING:
            return
        self._change(number, stage=Stage.RUNNING)
        try:
            await self._do(self._states[number])
        except Exception:
            log.exception("job %d failed: %r", number, self._states[number].order)
            self._change(number, stage=Stage.FAILED, error=_BROKEN)

    async def _do(self, state: JobState[Order]) -> None:
        child = self._children[state.number] = self._next_child()
        try:
            code = await child.run(self._work_of(state.order), lambda line: self._hear(state.number, line))
        finally:
            del self._children[state.number]
        if not self._states[state.number].stage.over:
            log.error("job %d ended with exit code %s", state.number, code)
            self._change(state.number, stage=Stage.FAILED, error=_BROKEN)

    def _hear(self, number: int, line: dict[str, Any]) -> None:
        if self._states[number].stage.over:
            return
        if "result" in line:
            self._change(number, stage=Stage.DONE, result=line["result"])
        elif "error" in line:
            self._change(number, stage=Stage.FAILED, error=line["error"])
        else:
            self._change(number, done=line["done"], of=line["of"])

    def _change(self, number: int, **changes: Any) -> None:
        self._states[number] = replace(self._states[number], **changes)
        if self._states[number].stage.over:
            self._over[number].set()

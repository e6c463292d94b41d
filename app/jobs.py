"""Jobs that people order on a page: one after the other, each in a process of its own (``app.child``)."""

from __future__ import annotations

import asyncio
import json
import logging
import pickle
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final, Generic

from api.jobs import JobState, Order, Stage
from app.child import Work
from domain.errors import Fault, VitalsError

log = logging.getLogger(__name__)

MOST_WAITING: Final = 5
MOST_KEPT: Final = 20
_LONGEST_LINE: Final = 16 * 1024 * 1024
_BROKEN: Final = "It ended without an answer; the service's log says more."


class BusyError(VitalsError):
    """Too many orders wait already."""

    fault = Fault.SENDER

    def __init__(self) -> None:
        super().__init__(f"{MOST_WAITING} orders wait already; try again when one of them is over, or cancel one.")


class Jobs(Generic[Order]):
    """Takes orders of one kind, remembers the last results in memory; a restart forgets them."""

    def __init__(
        self, work_of: Callable[[Order], Work], command: Sequence[str] = (sys.executable, "-m", "app.child")
    ) -> None:
        """``work_of`` says what is to be done for an order, at the moment at which it is begun."""
        self._work_of, self._command = work_of, command
        self._states: dict[int, JobState[Order]] = {}
        self._waiting: asyncio.Queue[int] = asyncio.Queue()
        self._child: asyncio.subprocess.Process | None = None
        self._last = 0

    def start(self, order: Order) -> JobState[Order]:
        """Take an order; raise ``BusyError`` where too many wait."""
        if sum(each.stage is Stage.WAITING for each in self._states.values()) >= MOST_WAITING:
            raise BusyError
        self._last += 1
        state = self._states[self._last] = JobState(number=self._last, order=order)
        for number in [each.number for each in self.all() if each.stage.over][MOST_KEPT:]:
            del self._states[number]
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
        if state.stage is Stage.RUNNING and self._child is not None and self._child.returncode is None:
            self._child.kill()
        self._change(number, stage=Stage.CANCELLED)

    async def run(self) -> None:
        """Work off the orders until cancelled."""
        while True:
            number = await self._waiting.get()
            if number not in self._states or self._states[number].stage is not Stage.WAITING:
                continue
            self._change(number, stage=Stage.RUNNING)
            try:
                await self._do(self._states[number])
            except Exception:
                log.exception("job %d failed: %r", number, self._states[number].order)
                self._change(number, stage=Stage.FAILED, error=_BROKEN)

    async def _do(self, state: JobState[Order]) -> None:
        child = self._child = await asyncio.create_subprocess_exec(
            *self._command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=_LONGEST_LINE
        )
        assert child.stdin is not None and child.stdout is not None  # noqa: S101, PT018 - both were asked for
        try:
            child.stdin.write(pickle.dumps(self._work_of(state.order)))
            child.stdin.close()
            async for line in child.stdout:
                self._hear(state.number, json.loads(line))
            await child.wait()
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()
        if not self._states[state.number].stage.over:
            log.error("job %d ended with exit code %s", state.number, child.returncode)
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

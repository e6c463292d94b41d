"""Backtests that people ask for on a page: one after the other, each in a process of its own."""

from __future__ import annotations

import asyncio
import json
import logging
import pickle
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from api.rule_services import BacktestOrder, BacktestState, Stage
from app.backtest_child import Job
from app.config import ServiceConfig
from domain.errors import Fault, VitalsError
from domain.instant import Clock, to_datetime
from rules.model import Rule

log = logging.getLogger(__name__)

MOST_WAITING: Final = 5
MOST_KEPT: Final = 20
_LONGEST_LINE: Final = 16 * 1024 * 1024
_BROKEN: Final = "The backtest ended without an answer; the service's log says more."


class BusyError(VitalsError):
    """Too many backtests wait already."""

    fault = Fault.SENDER

    def __init__(self) -> None:
        super().__init__(f"{MOST_WAITING} backtests wait already; try again when one of them is over, or cancel one.")


def explaining(rule: Rule, rules: Sequence[Rule]) -> list[Rule]:
    """Return the rules without which it cannot be said whom a rule would have told: itself and what explains it."""
    by_id = {each.id: each for each in rules} | {rule.id: rule}
    found, waiting = dict[str, Rule](), [rule.id]
    while waiting:
        each = by_id.get(waiting.pop())
        if each is None or each.id in found:
            continue
        found[each.id] = each
        waiting += each.suppressed_by
        waiting += (other.id for other in by_id.values() if each.id in other.root_cause_of)
    return list(found.values())


class Backtests:
    """Takes orders, remembers the last results in memory; a restart forgets them."""

    def __init__(
        self,
        config: ServiceConfig,
        clock: Clock,
        rules: Callable[[], Sequence[Rule]],
        command: Sequence[str] = (sys.executable, "-m", "app.backtest_child"),
    ) -> None:
        self._config, self._clock, self._rules, self._command = config, clock, rules, command
        self._states: dict[int, BacktestState] = {}
        self._waiting: asyncio.Queue[int] = asyncio.Queue()
        self._child: asyncio.subprocess.Process | None = None
        self._last = 0

    def start(self, order: BacktestOrder) -> BacktestState:
        """Take an order; raise ``BusyError`` where too many wait."""
        if sum(each.stage is Stage.WAITING for each in self._states.values()) >= MOST_WAITING:
            raise BusyError
        self._last += 1
        end = to_datetime(self._clock.now_ms())
        state = BacktestState(number=self._last, order=order, start=end - timedelta(days=order.days), end=end)
        self._states[state.number] = state
        for number in [each.number for each in self.all() if each.stage.over][MOST_KEPT:]:
            del self._states[number]
        self._waiting.put_nowait(state.number)
        return state

    def get(self, number: int) -> BacktestState | None:
        """Return how far a backtest is; None for one that is not remembered."""
        return self._states.get(number)

    def all(self) -> list[BacktestState]:
        """Return what is remembered, newest first."""
        return sorted(self._states.values(), key=lambda each: -each.number)

    def cancel(self, number: int) -> None:
        """End a backtest that is not over."""
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
                await self._judge(self._states[number])
            except Exception:
                log.exception("backtest %d failed", number)
                self._change(number, stage=Stage.FAILED, error=_BROKEN)

    async def _judge(self, state: BacktestState) -> None:
        child = self._child = await asyncio.create_subprocess_exec(
            *self._command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=_LONGEST_LINE
        )
        assert child.stdin is not None and child.stdout is not None  # noqa: S101, PT018 - both were asked for
        try:
            child.stdin.write(pickle.dumps(self._job(state)))
            child.stdin.close()
            async for line in child.stdout:
                self._hear(state.number, json.loads(line))
            await child.wait()
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()
        if not self._states[state.number].stage.over:
            log.error("backtest %d ended with exit code %s", state.number, child.returncode)
            self._change(state.number, stage=Stage.FAILED, error=_BROKEN)

    def _job(self, state: BacktestState) -> Job:
        order, rules = state.order, self._rules()
        tried = [order.rule] if order.changed is None else [order.rule, order.changed]
        sets = [[each.written for each in explaining(rule, rules)] for rule in tried]
        return Job(self._config, sets, order.rule.id, state.start, state.end, order.facilities, state.end)

    def _hear(self, number: int, line: dict[str, Any]) -> None:
        if self._states[number].stage.over:
            return
        if "report" in line:
            self._change(number, stage=Stage.DONE, report=line["report"])
        elif "error" in line:
            self._change(number, stage=Stage.FAILED, error=line["error"])
        else:
            self._change(number, done=line["done"], of=line["of"])

    def _change(self, number: int, **changes: Any) -> None:
        self._states[number] = replace(self._states[number], **changes)

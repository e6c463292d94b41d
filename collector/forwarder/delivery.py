"""Delivering one batch: send, decide, wait, send again, until every line is stored or refused for good."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

from collector.forwarder.answers import Action, Decision, decide
from collector.forwarder.bisection import Bisection, Progress, RefusedLine
from collector.forwarder.client import InfluxWriter, compress
from collector.forwarder.health import Condition, ForwarderCounts, ForwarderState
from collector.forwarder.settings import InfluxSettings

log = logging.getLogger(__name__)

DeadLetter = Callable[[RefusedLine], None]
"""Keeps a line that InfluxDB will never take; has to bound what it keeps."""
Sleep = Callable[[float], Awaitable[None]]


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Delivery:
    """Brings lines to one server, with the patience that each of its answers asks for."""

    def __init__(
        self,
        writer: InfluxWriter,
        settings: InfluxSettings,
        *,
        condition: Condition,
        counts: ForwarderCounts,
        dead_letter: DeadLetter,
        sleep: Sleep = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._writer = writer
        self._settings = settings
        self._condition = condition
        self._counts = counts
        self._dead_letter = dead_letter
        self._sleep = sleep
        self._jitter = jitter
        self._now = now
        self.limit_lines = settings.batch_lines
        """How many lines a batch should have; falls when the server calls a request too large."""

    async def deliver(self, lines: Sequence[str], packed: bytes) -> Progress:
        """Return SETTLED when every line is stored or handed to the dead letters, HOPELESS after a slow wait.

        ``packed`` is the request of all lines together, which a caller prepares while another one is on its way.
        HOPELESS means that nothing may be forgotten: read the batch again, and more behind it.
        """
        batch, attempt, decision = Bisection(lines), 0, Decision(Action.ADVANCE, "")
        while batch.progress is Progress.OPEN:
            piece = batch.piece
            body = packed if len(piece) == len(lines) else await asyncio.to_thread(compress, piece)
            decision = decide(await self._writer.write(body), now=self._now())
            batch.apply(decision)
            self._learn(batch)
            attempt = await self._pause(decision, attempt)
        if batch.progress is Progress.HOPELESS:
            await self._hold(decision)
        else:
            self._settle(batch)
        return batch.progress

    def _learn(self, batch: Bisection) -> None:
        if batch.too_many_lines is not None and (limit := batch.too_many_lines // 2) < self.limit_lines:
            log.warning("InfluxDB calls %d lines too large; sending at most %d from now on", 2 * limit, limit)
            self.limit_lines = limit

    async def _pause(self, decision: Decision, attempt: int) -> int:
        """Wait as the decision asks; return how many attempts in a row have failed."""
        self._counts.failed_requests += decision.action in (Action.HOLD, Action.RETRY)
        if decision.action is Action.HOLD:
            await self._hold(decision)
        elif decision.action is Action.RETRY:
            if self._condition.enter(ForwarderState.AWAY, decision.detail):
                log.warning("InfluxDB is away or busy: %s", decision.detail)
            wait_seconds = self._backoff_seconds(attempt)
            await self._sleep(max(wait_seconds, decision.retry_after_seconds))
            return attempt + 1
        elif decision.action in (Action.ADVANCE, Action.EXPIRED) and self._condition.enter(ForwarderState.WORKING):
            log.info("InfluxDB takes readings")
        return 0

    async def _hold(self, decision: Decision) -> None:
        if self._condition.enter(ForwarderState.REFUSED, decision.detail):
            log.error("InfluxDB refuses to store, and a person has to mend it: %s", decision.detail)
        slowly_seconds = self._settings.retry_slowly.total_seconds() * (1 + self._jitter()) / 2
        await self._sleep(max(slowly_seconds, decision.retry_after_seconds))

    def _backoff_seconds(self, attempt: int) -> float:
        # Full jitter: many forwarders that lost one server together should not come back together.
        first, longest = self._settings.retry_first.total_seconds(), self._settings.retry_longest.total_seconds()
        return self._jitter() * min(first * 2.0 ** min(attempt, 60), longest)

    def _settle(self, batch: Bisection) -> None:
        for refused in batch.refused:
            self._dead_letter(refused)
        if batch.refused:
            log.warning("InfluxDB refused %d lines for good: %s", len(batch.refused), batch.refused[0].detail)
        self._counts.stored += batch.stored
        self._counts.expired += batch.expired
        self._counts.refused += len(batch.refused)

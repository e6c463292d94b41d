"""``vitals store check``: what an InfluxDB of one's own does with what Vitals sends it, line by line."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from app.config import ServiceConfig
from collector.forwarder.answers import Action, decide
from collector.forwarder.client import InfluxWriter, compress, open_writer
from collector.forwarder.line_protocol import series
from collector.influx_history import InfluxHistory, open_history
from domain.errors import OperatorError, VitalsError

Say = Callable[[str], None]
_NAMES = ("plain", "a,b=c d", 'quoted "so"', "it's", "back\\slash", "línea", "测试")
_RATE_LINES = 5_000
_SCRATCH = "vitals_check"  # one name for all checks: an InfluxDB 1.x may list a dropped measurement for ever


class Finding(NamedTuple):
    """One thing that holds, or does not."""

    holds: bool
    sentence: str


async def check_store(config: ServiceConfig, *, now: datetime, say: Say) -> bool:
    """Write, read back and remove a scratch measurement; say what holds, and return whether all of it does."""
    if config.influxdb is None:
        raise OperatorError("no InfluxDB is configured; write a section influxdb")
    say(f"InfluxDB {config.influxdb.kind.value} at {config.influxdb.url}, database {config.influxdb.database}")
    async with AsyncExitStack() as stack:
        writer = await stack.enter_async_context(open_writer(config.influxdb))
        history = await stack.enter_async_context(open_history(config.influxdb))
        trial = _Trial(writer, history, now)
        findings: list[Finding] = []
        for step in trial.steps():
            finding = await step()
            findings.append(finding)
            say(f"{'ok    ' if finding.holds else 'FAILED'} {finding.sentence}")
            if not finding.holds and len(findings) == 1:
                break  # nothing can be read where nothing can be written
        try:
            await history.drop(_SCRATCH)
            say(f"removed the readings of {_SCRATCH}")
        except VitalsError as error:
            say(f"the measurement {_SCRATCH} could not be removed; remove it by hand ({error})")
    return all(finding.holds for finding in findings)


class _Trial:
    def __init__(self, writer: InfluxWriter, history: InfluxHistory, now: datetime) -> None:
        self._writer, self._history, self._now = writer, history, now
        self._moment_ms = round(now.timestamp() * 1000) - 60_000

    def steps(self) -> Iterator[Callable[[], Awaitable[Finding]]]:
        """Yield what is tried, in order."""
        yield self._write
        yield self._read
        yield self._partial
        yield self._old
        yield self._rate

    def _line(self, name: str, fields: str, moment_ms: int) -> str:
        return f"{series(_SCRATCH, {'channel': name})} {fields} {moment_ms}"

    async def _write(self) -> Finding:
        lines = [self._line(name, f"value={n + 0.1}", self._moment_ms + n) for n, name in enumerate(_NAMES)]
        decision = decide(await self._writer.write(compress(lines)), now=self._now)
        return Finding(
            decision.action is Action.ADVANCE,
            f"takes gzipped line protocol with times in milliseconds ({decision.detail})",
        )

    async def _read(self) -> Finding:
        found: list[str] = []
        for number, name in enumerate(_NAMES):
            try:
                rows = await self._history.series_of(_SCRATCH, name, self._moment_ms, self._moment_ms + 1_000)
            except VitalsError as error:
                return Finding(False, f"answers InfluxQL: {error}")
            if rows != [(self._moment_ms + number, number + 0.1)]:
                found.append(f"{name!r} came back as {rows}")
        sentence = f"answers InfluxQL, and gives {len(_NAMES)} names, values and milliseconds back exactly"
        return Finding(not found, "; ".join([sentence, *found]))

    async def _partial(self) -> Finding:
        lines = [self._line("good", "value=1.0", self._moment_ms), self._line("bad", 'value="text"', self._moment_ms)]
        decision = decide(await self._writer.write(compress(lines)), now=self._now)
        refused = decision.action is Action.BISECT
        return Finding(refused, f"refuses a text where a number was, and says so: {decision.detail}")

    async def _old(self) -> Finding:
        moment = self._now - timedelta(days=3 * 365)
        line = self._line("old", "value=1.0", round(moment.timestamp() * 1000))
        decision = decide(await self._writer.write(compress([line])), now=self._now)
        kept = decision.action is Action.ADVANCE
        return Finding(kept, f"keeps readings of {moment:%Y-%m-%d}: temperature is to be kept for three years and more")

    async def _rate(self) -> Finding:
        lines = [self._line(f"c{n % 100}", "value=4.5", self._moment_ms + n // 100) for n in range(_RATE_LINES)]
        started = time.perf_counter()
        decision = decide(await self._writer.write(compress(lines)), now=datetime.now(UTC))
        rate = _RATE_LINES / (time.perf_counter() - started)
        return Finding(decision.action is Action.ADVANCE, f"takes {_RATE_LINES:,} lines at once, {rate:,.0f} a second")

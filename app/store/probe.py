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
from collector.forwarder.settings import InfluxSettings
from collector.influx_history import InfluxHistory, open_history
from domain.errors import OperatorError, VitalsError
from domain.instant import format_duration, to_ms

Say = Callable[[str], None]
_NAMES = ("plain", "a,b=c d", 'quoted "so"', "it's", "back\\slash", "línea", "测试")
_RATE_LINES = 5_000
_SCRATCH = "vitals_check"  # one name for all checks: an InfluxDB 1.x may list a dropped measurement for ever


_FAR_MS = 2**42
_WORDS = {True: "ok", False: "FAILED", None: "unsure"}
_MOST_APART = timedelta(seconds=5)
_OLD = timedelta(days=3 * 365)


class Finding(NamedTuple):
    """One thing that holds, or does not; None where the server does not say."""

    holds: bool | None
    sentence: str


async def check_store(config: ServiceConfig, *, now: Callable[[], datetime], say: Say) -> bool:
    """Write, read back and remove a scratch measurement; say what holds, and return whether nothing fails."""
    if config.influxdb is None:
        raise OperatorError("no InfluxDB is configured; write a section influxdb")
    say(f"InfluxDB {config.influxdb.kind.value} at {config.influxdb.url}, database {config.influxdb.database}")
    async with AsyncExitStack() as stack:
        writer = await stack.enter_async_context(open_writer(config.influxdb))
        history = await stack.enter_async_context(open_history(config.influxdb))
        trial = _Trial(config.influxdb, writer, history, now)
        findings: list[Finding] = []
        for step in trial.steps():
            finding = await step()
            findings.append(finding)
            say(f"{_WORDS[finding.holds]:<6} {finding.sentence}")
            if not finding.holds and len(findings) == 1:
                break  # nothing can be read where nothing can be written
        try:
            await history.drop(_SCRATCH)
            say(f"removed the readings of {_SCRATCH}")
        except VitalsError as error:
            say(f"the measurement {_SCRATCH} could not be removed; remove it by hand ({error})")
    return all(finding.holds is not False for finding in findings)


class _Trial:
    def __init__(
        self, settings: InfluxSettings, writer: InfluxWriter, history: InfluxHistory, now: Callable[[], datetime]
    ) -> None:
        self._settings, self._writer, self._history, self._clock = settings, writer, history, now
        self._now = now()
        self._moment_ms = to_ms(self._now) - 60_000

    def steps(self) -> Iterator[Callable[[], Awaitable[Finding]]]:
        """Yield what is tried, in order."""
        yield self._write
        yield self._read
        yield self._partial
        yield self._time
        yield self._retention
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

    async def _time(self) -> Finding:
        """Have the server date a point, which it does by its own clock."""
        line = f"{series(_SCRATCH, {'channel': 'clock'})} value=1.0"
        before = to_ms(self._clock())
        decision = decide(await self._writer.write(compress([line])), now=self._now)
        after = to_ms(self._clock())
        try:
            rows = await self._history.series_of(_SCRATCH, "clock", 0, _FAR_MS)
        except VitalsError as error:
            return Finding(False, f"dates what has no time: {error}")
        if decision.action is not Action.ADVANCE or not rows:
            return Finding(False, f"dates what has no time ({decision.detail})")
        # Between sending and answer it was there; what lies outside of that is a difference for certain.
        apart_ms = max(before - rows[-1][0], rows[-1][0] - after, 0)
        told = "agrees with" if apart_ms == 0 else f"is {apart_ms / 1000:.1f} s away from"
        return Finding(apart_ms <= _MOST_APART / timedelta(milliseconds=1), f"its clock {told} the one here")

    async def _retention(self) -> Finding:
        try:
            kept = await self._history.retention()
        except VitalsError as error:
            return Finding(None, f"how long it keeps readings cannot be read: {error}")
        wanted = self._settings.retention
        if kept is None:
            return Finding(None, "does not say how long it keeps readings; see its own tools")
        told = f"keeps readings for {format_duration(kept) if kept else 'ever'}"
        if not kept or (wanted is not None and kept >= wanted):
            return Finding(True, told)
        meant = "ever, as temperature and daily figures are to be" if wanted is None else format_duration(wanted)
        return Finding(False, f"{told}, wanted is for {meant}; change it there, or say influxdb.retention here")

    async def _old(self) -> Finding:
        wanted = self._settings.retention
        moment = self._now - (_OLD if wanted is None else min(_OLD, wanted * 0.9))
        line = self._line("old", "value=1.0", to_ms(moment))
        decision = decide(await self._writer.write(compress([line])), now=self._now)
        return Finding(decision.action is Action.ADVANCE, f"takes readings of {moment:%Y-%m-%d} ({decision.detail})")

    async def _rate(self) -> Finding:
        lines = [self._line(f"c{n % 100}", "value=4.5", self._moment_ms + n // 100) for n in range(_RATE_LINES)]
        started = time.perf_counter()
        decision = decide(await self._writer.write(compress(lines)), now=datetime.now(UTC))
        rate = _RATE_LINES / (time.perf_counter() - started)
        return Finding(decision.action is Action.ADVANCE, f"takes {_RATE_LINES:,} lines at once, {rate:,.0f} a second")

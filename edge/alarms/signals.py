"""Drives buzzers, lamps and relays as long as alarms go on, each with its pattern."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

from edge.alarms.board import Alarm, Silencing, worst
from edge.alarms.outputs import Device, Output, SomeOutput, open_output
from edge.alarms.patterns import IDENTIFY, OFF, Pattern, phase

logger = logging.getLogger(__name__)

REOPEN_SECONDS = 30.0


class _Driven:
    """One output with its pattern; a pin that fails is tried again later."""

    def __init__(self, settings: SomeOutput, open_: Callable[[SomeOutput], Output]) -> None:
        self.settings = settings
        self._open = open_
        self._output: Output | None = None
        self._pattern: Pattern = OFF
        self._since_s = 0.0
        self._is_on: bool | None = None
        self._retry_s = 0.0

    def drive(self, pattern: Pattern, now_s: float) -> float | None:
        """Switch as the pattern asks now; return after how long to look again."""
        if pattern != self._pattern:
            self._pattern, self._since_s = pattern, now_s
        stands = phase(pattern, now_s - self._since_s)
        if stands.on == self._is_on:
            return stands.lasts_s
        if now_s < self._retry_s:
            return self._retry_s - now_s
        try:
            self._output = self._output or self._open(self.settings)
            self._output.switch(on=stands.on)
        except OSError as error:
            logger.warning("the alarm's %s does not work: %s", self.settings.device.value, error)
            self._retry_s = now_s + REOPEN_SECONDS
            self._output, self._is_on = None, None
            return REOPEN_SECONDS
        self._is_on = stands.on
        return stands.lasts_s

    def close(self) -> None:
        """Switch off and let the hardware go."""
        output, self._output, self._is_on = self._output, None, None
        if output is not None:
            with suppress(OSError):
                output.close()


class Signals:
    """All outputs of a node, and the button that silences the buzzers."""

    def __init__(
        self,
        outputs: Sequence[SomeOutput],
        *,
        silence_s: float,
        open_: Callable[[SomeOutput], Output] = open_output,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._driven = [_Driven(settings, open_) for settings in outputs]
        self._silencing = Silencing(silence_s)
        self._now_s = now_s
        self._alarms: list[Alarm] = []
        self._identify_until_s = 0.0
        self._changed = asyncio.Event()

    def show(self, alarms: Iterable[Alarm]) -> None:
        """Make these alarms heard and seen from now on."""
        self._alarms = list(alarms)
        self._changed.set()

    def silence(self) -> None:
        """Silence what sounds now, for a while."""
        logger.info("silenced: %s", ", ".join(alarm.key for alarm in self._alarms) or "nothing")
        self._silencing.press(self._alarms, self._now_s())
        self._changed.set()

    async def identify(self, seconds: float) -> None:
        """Have every buzzer and lamp that tells no alarm say which node this is; relays stay as they are."""
        self._identify_until_s = self._now_s() + seconds
        self._changed.set()

    async def run(self) -> None:
        """Drive the outputs until cancelled; then switch them off."""
        try:
            while True:
                self._changed.clear()
                wait_s = self.drive()
                with suppress(TimeoutError):
                    async with asyncio.timeout(wait_s):
                        await self._changed.wait()
        finally:
            for driven in self._driven:
                driven.close()

    def drive(self) -> float | None:
        """Switch every output as it has to be now; return after how long one of them changes by itself."""
        now_s = self._now_s()
        silenced = self._silencing.silenced(now_s)
        waits: list[float | None] = []
        for driven in self._driven:
            without = silenced if driven.settings.device is Device.BUZZER else set[str]()
            severity = worst(self._alarms, without=without)
            pattern = driven.settings.pattern(severity)
            if pattern == OFF and now_s < self._identify_until_s and driven.settings.device is not Device.RELAY:
                pattern = IDENTIFY
                waits.append(self._identify_until_s - now_s)
            waits.append(driven.drive(pattern, now_s))
        end_s = self._silencing.next_end_s()
        waits.append(None if end_s is None else max(0.0, end_s - now_s))
        return min((wait_s for wait_s in waits if wait_s is not None), default=None)

"""The trial of a configuration from afar: kept as soon as the node is well with it, rolled back when it never is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from domain.instant import format_duration
from edge.commands.config_keeper import ConfigKeeper
from edge.commands.remote_config import Health
from edge.settings import EdgeSettings


class Trial:
    """Watches one agent from its start."""

    def __init__(
        self,
        settings: EdgeSettings,
        keeper: ConfigKeeper,
        *,
        health: Callable[[], Health],
        start_again: Callable[[], None],
    ) -> None:
        """``start_again`` makes the node start an agent with what is in use then."""
        self._limit = settings.commands.trial
        self._keeper = keeper
        self._health = health
        self._start_again = start_again

    async def run(self) -> None:
        """Watch until cancelled, in real time: a node that does not get well may not get to know the time either."""
        started_s, limit_s = time.monotonic(), self._limit.total_seconds()
        while True:
            if self._keeper.state.on_trial:
                self._judge(is_over=time.monotonic() - started_s >= limit_s)
            await asyncio.sleep(min(1.0, limit_s / 10))

    def _judge(self, *, is_over: bool) -> None:
        health = self._health()
        if health.is_well:
            self._keeper.keep()
        elif is_over:
            self._keeper.roll_back(f"within {format_duration(self._limit)} {health}")
            self._start_again()

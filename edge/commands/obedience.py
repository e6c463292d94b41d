"""A node's obedience as one part: what an agent needs beside itself to be told things from afar."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from functools import partial

from domain.command import Refusal
from domain.instant import SECOND_MS, Clock, format_rfc3339
from domain.reading import Sample
from edge.agent import Agent, Signal
from edge.commands.actions import Deeds, NotDoneError, actions_of
from edge.commands.config_keeper import Assemble, ConfigKeeper
from edge.commands.desk import CommandDesk
from edge.commands.history import History
from edge.commands.memory import CommandMemory
from edge.commands.remote_config import Health
from edge.commands.trial import Trial
from edge.settings import EdgeSettings

logger = logging.getLogger(__name__)

PUT_AT_ONCE = 2_000
MOST_RESENT = 200_000
"""A week of 20 channels a minute; a longer range is asked for in parts."""


class Ending(Enum):
    """Why an agent ends without being stopped."""

    START_AGAIN = "start again, with what is configured now"
    RESTART = "restart the process"


class Obedience:
    """Joins an agent to its desk, its trial and its history."""

    def __init__(
        self,
        agent: Agent,
        *,
        memory: CommandMemory,
        configurations: ConfigKeeper,
        assemble: Assemble,
        ask: Callable[[Ending], None],
        clock: Clock,
    ) -> None:
        self._agent = agent
        self._ask = ask
        self._measured = False
        self._signalling: list[asyncio.Task[None]] = []
        settings = agent.settings
        self._not_sensors = frozenset(_health_channels(settings))
        commands, key = settings.commands, settings.command_key
        self._history = commands.history and History(
            settings.outbox.with_name(f"{settings.outbox.name}.history"),
            settings.node,
            keep=commands.history,
            max_bytes=commands.history_bytes,
        )
        start_again = partial(ask, Ending.START_AGAIN)
        self.desk = CommandDesk(
            settings.node,
            None if key is None else key.get_secret_value(),
            memory=memory,
            configurations=configurations,
            assemble=assemble,
            actions=actions_of(Deeds(self._sample_now, self._identify, self._restart, self._resend)),
            start_again=start_again,
            clock=clock,
            clock_trusted=agent.clock_trusted,
        )
        self.trial = Trial(settings, configurations, health=self._health, start_again=start_again)

    def join(self) -> None:
        """Let the agent be told things, before it runs."""
        self._agent.publisher.downlink = self.desk
        self._agent.companions += [self.desk.run, self.trial.run]
        self._agent.observers.append(self._observe)

    def close(self) -> None:
        """Write down the rest of the history, after the agent has run."""
        for task in self._signalling:
            task.cancel()
        if self._history:
            try:
                self._history.close()
            except OSError as error:
                logger.warning("the last readings are not in the history: %s", error)

    def _health(self) -> Health:
        return Health(measured=self._measured, receipted=self._agent.publisher.link.last_receipt_ms is not None)

    def _observe(self, samples: Sequence[Sample]) -> None:
        self._measured = self._measured or any(
            sample.quality.usable and sample.name not in self._not_sensors for sample in samples
        )
        if self._history and self._agent.clock_trusted():
            try:
                self._history.add(samples)
            except OSError as error:
                logger.warning("some readings are not in the history: %s", error)

    async def _sample_now(self) -> str:
        samples = await self._agent.sample_now()
        usable = sum(sample.quality.usable for sample in samples)
        return f"{len(samples)} readings, {usable} with a value"

    async def _identify(self, seconds: int) -> str:
        node, signals = self._agent.settings.node, self._agent.signals
        logger.warning("THIS IS %s", node)
        self._signalling = [asyncio.create_task(self._signal(signal, seconds)) for signal in signals]
        if not signals:
            return f"{node} has said so in its log; it has no output to be seen or heard"
        return f"{node} is seen or heard for {seconds} s"

    async def _signal(self, signal: Signal, seconds: int) -> None:
        try:
            await signal(seconds)
        except Exception:
            # The boundary around other people's hardware; the command was obeyed as far as it could be.
            logger.exception("%s cannot make itself seen or heard", self._agent.settings.node)

    async def _restart(self) -> str:
        self._ask(Ending.RESTART)
        return "the process starts anew"

    async def _resend(self, from_ms: int, to_ms: int) -> str:
        if not self._history:
            raise NotDoneError(Refusal.GONE, "confirmed readings are not kept here: commands.history is null")
        count, reached_ms = await asyncio.to_thread(self._put_again, self._history, from_ms, to_ms)
        if not count:
            raise NotDoneError(Refusal.GONE, "nothing measured in that time is kept here any more")
        self._agent.publisher.wake()
        until = "" if reached_ms is None else f"; ask again from {format_rfc3339(reached_ms)} on"
        return f"{count} readings are under way again{until}"

    def _put_again(self, history: History, from_ms: int, to_ms: int) -> tuple[int, int | None]:
        """Return how many readings were put, and up to which moment where that was not all."""
        count, block = 0, list[Sample]()
        for samples in history.between(from_ms, to_ms):
            block += samples
            if len(block) >= PUT_AT_ONCE:
                self._agent.put_again(block)
                count, block = count + len(block), []
            if count >= MOST_RESENT:
                newest_ms = max(sample.measured_at_ms for sample in samples)
                return count, newest_ms - newest_ms % SECOND_MS
        if block:
            self._agent.put_again(block)
        return count + len(block), None


def _health_channels(settings: EdgeSettings) -> Iterable[str]:
    """Yield the channels by which the node measures itself: they work whatever is configured."""
    for each in settings.drivers:
        if each.driver == "health":
            yield from getattr(each, "channels", ())

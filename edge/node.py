"""The life of a node: one agent after another, each with what is configured when it starts."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from domain.errors import VitalsError
from domain.instant import Clock
from edge.agent import Agent
from edge.commands.config_keeper import Assemble, ConfigKeeper, config_file
from edge.commands.memory import CommandMemory
from edge.commands.obedience import Ending, Obedience
from edge.settings import EdgeSettings

logger = logging.getLogger(__name__)


class Node:
    """Runs agents until it is cancelled or told to restart the process."""

    def __init__(self, assemble: Assemble, *, build: Callable[[EdgeSettings], Agent], clock: Clock) -> None:
        """Read what the node remembers; raises ``DocumentError`` for its own file's mistakes, else ``OSError``."""
        self._assemble = assemble
        self._build = build
        self._clock = clock
        own = assemble(None).outbox
        self._memory = CommandMemory(own.with_name(f"{own.name}.commands.json"))
        self._configurations = ConfigKeeper(config_file(own), self._memory, clock)

    async def run(self) -> Ending:
        """Return where the process is to be restarted; raises what ``build`` raises and going back does not mend."""
        while True:
            settings = self._configurations.settings(self._assemble)
            try:
                agent = self._build(settings)
            except VitalsError as error:
                if not self._configurations.state.on_trial:
                    raise
                self._configurations.roll_back(f"the agent cannot start with it: {error}")
                continue
            if await self._live(agent) is Ending.RESTART:
                return Ending.RESTART
            logger.warning("%s: starting again with what is configured now", settings.node)

    async def _live(self, agent: Agent) -> Ending:
        """Run an agent until it is asked to end, and return how."""
        asked: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()
        obedience = Obedience(
            agent,
            memory=self._memory,
            configurations=self._configurations,
            assemble=self._assemble,
            ask=lambda ending: None if asked.done() else asked.set_result(ending),
            clock=self._clock,
        )
        obedience.join()
        running = asyncio.create_task(agent.run(), name=f"{agent.settings.node}: agent")
        try:
            either: set[asyncio.Future[Any]] = {running, asked}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                running.result()
            return asked.result()
        finally:
            running.cancel()
            await asyncio.wait({running})
            obedience.close()

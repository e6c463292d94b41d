"""The parts of the service, from the ground up: stores, intake, judgement, web. Each opens what it owns."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, NamedTuple

from app.config import ServiceConfig
from app.parts.ground import Ground
from app.parts.intake import Intake
from app.parts.judgement import Judgement
from app.parts.web import Web
from dashboards.pages.words import Saying
from domain.document import Document
from domain.instant import Clock
from rules.model import Rule


class Surroundings(NamedTuple):
    """What a service is given by whoever runs it."""

    config: ServiceConfig
    clock: Clock
    say: Callable[[str], None]
    """Takes lines for a person: what the console notifier tells."""
    notice: Saying
    """A sentence at the head of every page."""
    registry_documents: Sequence[Document]
    """Registry documents that do not come from the configuration."""


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Everything that lives while the service lives."""

    ground: Ground
    intake: Intake
    judgement: Judgement
    web: Web

    @classmethod
    async def open(cls, around: Surroundings, stack: AsyncExitStack, rules: Sequence[Rule]) -> Parts:
        """Open the stores first, then what stands on them; ``stack`` closes what was opened."""
        config, clock = around.config, around.clock
        ground = await Ground.open(config, clock, stack, rules, around.registry_documents)
        judgement = await Judgement.open(ground, config, clock, stack, around.say)
        intake = await Intake.open(ground, judgement, config, clock)
        web = await Web.open(ground, intake, judgement, config, clock, stack, around.notice)
        return cls(ground=ground, intake=intake, judgement=judgement, web=web)

    async def run(self, listener: socket.socket, started: asyncio.Event) -> None:
        """Run every loop of every part until cancelled; one that ends or fails ends the service."""
        loops = {
            **self.ground.loops(),
            **self.judgement.loops(),
            **self.intake.loops(),
            **self.web.loops(listener),
        }
        async with asyncio.TaskGroup() as tasks:
            for name, loop in loops.items():
                tasks.create_task(_endless(name, loop), name=name)
            started.set()


async def _endless(name: str, loop: Callable[[], Coroutine[Any, Any, None]]) -> None:
    await loop()
    raise RuntimeError(f"{name} ended by itself, which it never should")

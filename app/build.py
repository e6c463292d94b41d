"""The composition: every part built, joined by callables, started and stopped as one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from app.access import FIRST_USER
from app.clock import SteadyClock
from app.config import ServiceConfig
from app.parts import Parts, Surroundings
from app.rulebook import read_rules
from app.web import address, bind
from dashboards.pages.words import Saying, nothing_to_say
from domain.document import Document
from domain.instant import Clock


@dataclass
class App:
    """The service as an object: ``start``, use it, ``stop``; or ``async with``."""

    config: ServiceConfig
    clock: Clock = field(default_factory=SteadyClock)
    say: Callable[[str], None] = lambda _: None
    """Takes lines for a person: what the console notifier tells."""
    notice: Saying = nothing_to_say
    """A sentence at the head of every page."""
    registry_documents: Sequence[Document] = ()
    """Registry documents that do not come from the configuration."""
    address: str = field(default="", init=False)
    """Where the pages are, once started."""
    nobody_yet: bool = field(default=False, init=False)
    """Whether people have to sign in and there is nobody who could."""
    _task: asyncio.Task[None] | None = field(default=None, init=False)

    async def start(self) -> None:
        """Start every part; raise what keeps it from starting, with nothing left half started."""
        started = asyncio.Event()
        self._task = asyncio.create_task(self._live(started), name="vitals")
        waiter = asyncio.create_task(started.wait())
        try:
            await asyncio.wait((self._task, waiter), return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            await self.stop()
            raise
        finally:
            waiter.cancel()
        if not started.is_set():
            await self._task

    async def wait(self) -> None:
        """Wait until the service ends, which it does only by ``stop`` or by an error, raised here."""
        if self._task is not None:
            await asyncio.shield(self._task)

    async def stop(self) -> None:
        """Stop every part; what was acknowledged is stored, what was not is still with its sender."""
        if self._task is None:
            return
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def __aenter__(self) -> App:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _live(self, started: asyncio.Event) -> None:
        async with AsyncExitStack() as stack:
            rules = read_rules(self.config.rules)
            listener = stack.enter_context(bind(self.config.listen, open_to_all=self.config.access.open))
            parts = await Parts.open(self.surroundings(), stack, rules)
            self.address = address(listener)
            self.nobody_yet = await parts.web.nobody_yet()
            await parts.run(listener, started)

    def surroundings(self) -> Surroundings:
        """Return what the parts are given."""
        return Surroundings(self.config, self.clock, self.say, self.notice, self.registry_documents)


async def serve(config: ServiceConfig, *, say: Callable[[str], None]) -> None:
    """Run the service until cancelled."""
    async with App(config, say=say) as app:
        say(f"Vitals is running: {app.address}")
        if app.nobody_yet:
            say(f"Nobody can sign in yet; the first one is made by: {FIRST_USER}")
        await app.wait()

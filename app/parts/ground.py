"""The ground that everything stands on: stores, registry, rules, and what is known at this moment."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from app.config import ServiceConfig
from app.database import count_errors, make_folder, open_database
from app.documents import read_documents
from app.garbage import keep_tidy
from app.node_events import NodeEvents
from app.power import PowerWatch
from app.registry_view import RegistryView
from app.rule_versions import RuleVersions
from app.rulebook import Rulebook
from app.store.names import write_names
from collector.journal.archive.shelf import FOLDER
from collector.journal.journal import Journal
from collector.latest import Latest
from dashboards.sla.live_range import RangeWatch
from domain.alert_link import KEY_BYTES
from domain.directory import Directory
from domain.document import Document
from domain.instant import Clock
from domain.reading import Reading
from registry.history import Occasion
from registry.service_keys import key_of
from registry.store import RegistryStore
from rules.model import Rule

Loops = Mapping[str, Callable[[], Coroutine[Any, Any, None]]]
"""Endless loops by name."""


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What every other part uses."""

    clock: Clock
    database: AsyncEngine
    database_errors: Callable[[], int]
    """How often the database failed since the start."""
    registry: RegistryView
    journal: Journal
    rulebook: Rulebook
    stored: Mapping[str, Reading]
    """The newest stored reading of every channel at the start."""
    latest: Latest
    power: PowerWatch
    in_range: RangeWatch
    node_events: NodeEvents
    """What nodes found themselves, on its way to the judge."""
    link_key: bytes
    """By which the links in messages are signed."""

    @classmethod
    async def open(
        cls,
        config: ServiceConfig,
        clock: Clock,
        stack: AsyncExitStack,
        rules: Sequence[Rule],
        documents: Sequence[Document],
    ) -> Ground:
        """Open the stores and bring the registry up to date."""
        make_folder(config.data)
        database = await stack.enter_async_context(open_database(config.database_url))
        database_errors = count_errors(database)
        registry = await _open_registry(database, config, clock, documents)
        journal = await stack.enter_async_context(
            Journal.open(
                config.data,
                settings=config.journal,
                interval_of=registry.interval_ms,
                retention_of=lambda channel: registry.retention(channel, config.journal.retention),
            )
        )
        if config.journal.archive is not None:
            await _name_archived_channels(config, registry)
        journal.judge_by(registry.limits)
        registry.on_change(lambda: journal.judge_by(registry.limits))
        rulebook = await _open_rulebook(database, config, clock, rules)
        node_events = NodeEvents(database, lambda: rulebook.by_id, lambda: registry.directory)
        await node_events.create_tables()
        stored = await journal.latest()
        latest, power = Latest(), PowerWatch(lambda: registry.directory)
        latest.update(stored.values())
        power.restore(stored)
        return cls(
            clock=clock,
            database=database,
            database_errors=database_errors,
            registry=registry,
            journal=journal,
            rulebook=rulebook,
            stored=stored,
            latest=latest,
            power=power,
            in_range=RangeWatch(lambda: registry.directory, config.journal.cover_factor, clock.now_ms()),
            node_events=node_events,
            link_key=await key_of(database, "alert link", lambda: secrets.token_bytes(KEY_BYTES)),
        )

    def directory(self) -> Directory:
        """Return the registry as it is now."""
        return self.registry.directory

    def note(self, readings: Sequence[Reading], _position: int) -> None:
        """Take what was committed into what is known now."""
        self.latest.update(readings)
        self.power.update(readings)
        self.in_range.update(readings)

    def power_on(self, facility: str) -> bool | None:
        """Return whether a facility has power now; None where nothing tells."""
        return self.power.on_now(facility, self.clock.now_ms())

    def loops(self) -> Loops:
        """Return the loops of the stores and the registry, and of the interpreter that all share."""
        return {
            "garbage": lambda: keep_tidy(time.monotonic),
            "journal": lambda: self.journal.run(self.clock),
            "registry": lambda: self.registry.run(self.clock),
            "rulebook": lambda: self.rulebook.run(self.clock),
        }


async def _name_archived_channels(config: ServiceConfig, registry: RegistryView) -> None:
    """Keep the names of channels beside the archive, for those who ask its files themselves."""
    folder, loop = config.data / FOLDER, asyncio.get_running_loop()
    await asyncio.to_thread(write_names, folder, registry.directory)

    def write_again() -> None:
        loop.run_in_executor(None, write_names, folder, registry.directory)

    registry.on_change(write_again)


async def _open_rulebook(database: AsyncEngine, config: ServiceConfig, clock: Clock, rules: Sequence[Rule]) -> Rulebook:
    rulebook, versions = Rulebook(rules, config.rules), RuleVersions(database)
    await versions.create_tables()
    await versions.note(rules, clock.now_ms())
    rulebook.on_change(lambda changed: versions.note(changed, clock.now_ms()))
    return rulebook


async def _open_registry(
    database: AsyncEngine, config: ServiceConfig, clock: Clock, documents: Sequence[Document]
) -> RegistryView:
    store = RegistryStore(database)
    await store.create_tables()
    configured = read_documents(config.registry) if config.registry else []
    if everything := [*documents, *configured]:
        await store.import_configured(*everything, occasion=Occasion(clock.now_ms()))
    view = RegistryView(store)
    await view.refresh()
    return view

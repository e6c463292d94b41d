"""The composition: every part built, joined by callables, started and stopped as one."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta

from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.dispatch import Dispatcher
from alerts.facts import RuleText
from alerts.notifiers.notifier import Workplace
from alerts.notifiers.table import open_notifiers, routes_of
from alerts.store import AlertStore
from api.create import create_api
from app.alert_lines import AlertLines
from app.clock import SystemClock
from app.config import ServiceConfig
from app.database import make_folder, open_database
from app.documents import read_documents
from app.judge import Judge
from app.judge_state import JudgeState
from app.metrics import Metrics, Owners
from app.power import PowerWatch
from app.registry_view import RegistryView
from app.rulebook import read_rules, rule_texts
from app.services import OpenAlerts, part_states, services_of
from app.web import address, bind, serve_on
from collector.forwarder.dead_letters import DeadLetters
from collector.forwarder.forwarder import Forwarder, LineSource
from collector.forwarder.journal_lines import JournalLines
from collector.journal.journal import Journal
from collector.latest import Latest
from collector.pipeline import Pipeline
from collector.sources.mqtt import MqttSource
from dashboards.pages.status import facility_statuses
from domain.document import Document
from domain.instant import Clock
from domain.reading import Reading
from domain.receipt import Receipt
from registry.store import RegistryStore
from rules.engine import Engine
from rules.model import Rule

Loop = tuple[str, Callable[[], Awaitable[None]]]


@dataclass
class App:
    """The service as an object: ``start``, use it, ``stop``; or ``async with``."""

    config: ServiceConfig
    clock: Clock = field(default_factory=SystemClock)
    say: Callable[[str], None] = lambda _: None
    """Takes lines for a person: what the console notifier tells."""
    notice: str = ""
    """A sentence at the head of every page."""
    registry_documents: Sequence[Document] = ()
    """Registry documents that do not come from the configuration."""
    address: str = field(default="", init=False)
    """Where the pages are, once started."""
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
            listener = stack.enter_context(bind(self.config.listen))
            parts = await Parts.open(self, stack, rules)
            self.address = address(listener)
            async with asyncio.TaskGroup() as tasks:
                for name, loop in parts.loops(listener):
                    tasks.create_task(_named(name, loop), name=name)
                started.set()


async def _named(name: str, loop: Callable[[], Awaitable[None]]) -> None:
    await loop()
    raise RuntimeError(f"{name} ended by itself, which it never should")


@dataclass(kw_only=True)
class Parts:
    """Everything that lives while the service lives."""

    clock: Clock
    config: ServiceConfig
    database: AsyncEngine
    registry: RegistryView
    journal: Journal
    pipeline: Pipeline
    source: MqttSource
    forwarders: Mapping[str, Forwarder]
    judge: Judge
    dispatcher: Dispatcher
    open_alerts: OpenAlerts
    api: FastAPI

    @classmethod
    async def open(cls, app: App, stack: AsyncExitStack, rules: Sequence[Rule]) -> Parts:
        """Open stores first, then what stands on them; whatever fails closes what was opened."""
        config, clock = app.config, app.clock
        make_folder(config.data)
        database = await stack.enter_async_context(open_database(config.database_url))
        texts = rule_texts(rules)

        registry_store = RegistryStore(database)
        await registry_store.create_tables()
        documents = [*app.registry_documents, *(read_documents(config.registry) if config.registry else ())]
        if documents:
            await registry_store.import_document(*documents)

        async def registry_changed() -> None:
            judge.replace_rules(rules)
            pipeline.nodes.forget_unregistered(registry.directory)

        registry = RegistryView(registry_store, registry_changed)
        await registry.refresh()

        journal = await stack.enter_async_context(
            Journal.open(
                config.data,
                settings=config.journal,
                interval_of=registry.interval_ms,
                retention_of=lambda channel: registry.retention(channel, config.journal.retention),
            )
        )
        latest, power = Latest(), PowerWatch(lambda: registry.directory)
        stored = await journal.latest()
        latest.update(stored.values())
        power.restore(stored)

        give_up_after = timedelta(seconds=config.alerts.dispatch.give_up_after_seconds)
        alerts = AlertStore(database, routes=routes_of(config.alerts.notifiers), give_up_after=give_up_after)
        await alerts.create_tables()
        judge = await _open_judge(config, database, journal, alerts, registry, clock, rules, texts, power)
        notifiers = await stack.enter_async_context(open_notifiers(config.alerts.notifiers, Workplace(writer=app.say)))
        dispatcher = Dispatcher(alerts, notifiers, clock, config.alerts.dispatch, random=random.random)

        def committed(readings: Sequence[Reading], _: int) -> None:
            latest.update(readings)
            power.update(readings)

        async def send_receipt(node: str, receipt: Receipt) -> None:
            await source.send_receipt(node, receipt)

        pipeline = Pipeline(
            directory=lambda: registry.directory,
            commit=journal.commit,
            send_receipt=send_receipt,
            on_committed=committed,
            clock=clock,
            settings=config.pipeline,
        )
        pipeline.nodes.restore(stored.values(), registry.directory)
        source = MqttSource(config.mqtt, accept=pipeline.accept, clock=clock)
        forwarders = _forwarders(
            config,
            clock,
            readings=JournalLines(journal, lambda: registry.directory),
            alerts=AlertLines(database, alerts, lambda: registry.directory, lambda: texts),
        )

        open_alerts = OpenAlerts(alerts)
        await open_alerts.refresh()
        metrics = Metrics(
            Owners(
                pipeline=pipeline.stats,
                journal=journal.stats,
                judge=lambda: judge.stats,
                judge_position=lambda: judge.position,
                notifications=dispatcher.stats,
                connections=source.stats,
                facilities=lambda: facility_statuses(registry.directory, latest.get, open_alerts.now, clock.now_ms()),
                power_of=power.of,
                open_alerts=lambda: open_alerts.now,
                forwarders=forwarders,
                nodes=lambda: [
                    (node, pipeline.nodes.last_heard_ms.get(node.id)) for node in registry.directory.nodes.values()
                ],
            )
        )
        services = services_of(
            clock=clock,
            registry=registry,
            latest=latest,
            journal=journal,
            alerts=alerts,
            texts=texts,
            metrics=metrics,
            parts=lambda: part_states(pipeline.stats(), source.stats(), judge.stats, forwarders),
            notice=app.notice,
        )
        return cls(
            clock=clock,
            config=config,
            database=database,
            registry=registry,
            journal=journal,
            pipeline=pipeline,
            source=source,
            forwarders=forwarders,
            judge=judge,
            dispatcher=dispatcher,
            open_alerts=open_alerts,
            api=create_api(services, config.api),
        )

    def loops(self, listener: socket.socket) -> list[Loop]:
        """Return every loop that runs while the service lives, by name."""
        loops: list[Loop] = [
            ("journal", lambda: self.journal.run(self.clock)),
            ("pipeline", self.pipeline.run),
            ("mqtt source", self.source.run),
            ("judge", self.judge.run),
            ("dispatcher", self.dispatcher.run),
            ("registry", lambda: self.registry.run(self.clock)),
            ("open alerts", self.open_alerts.run),
            ("web", lambda: serve_on(listener, self.api, before_stop=self.api.state.events.close)),
        ]
        return loops + [(f"influxdb {name}", forwarder.run) for name, forwarder in self.forwarders.items()]


async def _open_judge(
    config: ServiceConfig,
    database: AsyncEngine,
    journal: Journal,
    alerts: AlertStore,
    registry: RegistryView,
    clock: Clock,
    rules: Sequence[Rule],
    texts: Mapping[str, RuleText],
    power: PowerWatch,
) -> Judge:
    state = JudgeState(database)
    await state.create_tables()
    judge = Judge(
        journal=journal,
        new_engine=lambda: Engine(rules, registry.directory, settings=config.rules.engine),
        alerts=alerts,
        state=state,
        database=database,
        clock=clock,
        directory=lambda: registry.directory,
        texts=lambda: texts,
        power_of=power.of,
        settings=config.judge,
    )
    await judge.resume()
    return judge


def _forwarders(config: ServiceConfig, clock: Clock, **logs: LineSource) -> dict[str, Forwarder]:
    """Return one forwarder for each log, by the log's name; none where no InfluxDB is configured."""
    if config.influxdb is None:
        return {}
    letters = DeadLetters()
    return {name: Forwarder(lines, config.influxdb, clock=clock, dead_letter=letters) for name, lines in logs.items()}


async def serve(config: ServiceConfig, *, say: Callable[[str], None]) -> None:
    """Run the service until cancelled."""
    async with App(config, say=say) as app:
        say(f"Vitals is running: {app.address}")
        await app.wait()

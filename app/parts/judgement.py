"""From readings to people: the judge, the alerts and those who tell them."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.exc import SQLAlchemyError

from alerts.answers.desk import AnswerDesk, Known
from alerts.dispatch import Dispatcher
from alerts.heartbeat import HeartbeatSettings, Vitality, ailment, beat
from alerts.mirrors.mirror import Mirrors, Shown, shown
from alerts.mirrors.settings import open_mirrors
from alerts.notifiers.notifier import Workplace
from alerts.notifiers.table import open_notifiers, routes_of
from alerts.store import AlertStore, World
from app.alert_figures import AlertFigures
from app.alert_links import link_writer
from app.clock import SteadyClock
from app.config import ServiceConfig
from app.correspondence import Correspondence
from app.hearing import Hearing
from app.judge import Judge
from app.judge_state import JudgeState
from app.open_alerts import OpenAlerts
from app.parts.ground import Ground, Loops
from app.timekeeping import Timekeeper, machine_boot
from domain.instant import Clock, to_datetime
from rules.engine import Engine
from rules.model import Rule

LONGEST_SILENCE = timedelta(minutes=2)
LONGEST_WAIT = timedelta(minutes=5)
"""Beyond these the heartbeat says that the way from a reading to a person is broken."""


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """Rules and alerts at work."""

    clock: Clock
    alerts: AlertStore
    judge: Judge
    dispatcher: Dispatcher
    open_alerts: OpenAlerts
    figures: AlertFigures
    correspondence: Correspondence
    mirrors: Mirrors | None
    """None where none is configured."""
    heartbeat: HeartbeatSettings | None

    @classmethod
    async def open(
        cls, ground: Ground, config: ServiceConfig, clock: Clock, stack: AsyncExitStack, say: Callable[[str], None]
    ) -> Judgement:
        """Take up what was known of episodes, alerts and messages, and open the notifiers."""
        settings = config.alerts
        link = link_writer(config.public_url, ground.link_key, timedelta(hours=config.access.link_hours))
        alerts = AlertStore(
            ground.database,
            routes=routes_of(settings.notifiers),
            give_up_after=timedelta(seconds=settings.dispatch.give_up_after_seconds),
            world=World(ground.directory, lambda: ground.rulebook.texts, ground.power.of, link),
            telling=settings.telling,
            closing=settings.closing,
        )
        await alerts.create_tables()
        # Equipment may be out of service since, or serve again.
        ground.registry.on_change(alerts.agenda.wake)
        judge = await _open_judge(ground, alerts, config, clock)
        correspondence = Correspondence(alerts, _desk(ground, alerts, config, clock), clock)
        workplace = Workplace(writer=say, heard=correspondence.heard)
        notifiers = await stack.enter_async_context(open_notifiers(settings.notifiers, workplace))
        open_alerts = OpenAlerts(alerts)
        await open_alerts.refresh()
        mirrors = await _open_mirrors(ground, alerts, open_alerts, config, stack)
        return cls(
            clock=clock,
            alerts=alerts,
            judge=judge,
            dispatcher=Dispatcher(alerts, notifiers, clock, settings.dispatch, random=random.random),
            open_alerts=open_alerts,
            figures=AlertFigures(alerts, open_alerts, tuple(notifiers), clock),
            correspondence=correspondence,
            mirrors=mirrors,
            heartbeat=config.alerts.heartbeat,
        )

    def loops(self) -> Loops:
        """Return the loops of judging and telling."""
        loops = {
            "judge": self.judge.run,
            "agenda": lambda: self.alerts.agenda.run(self.clock),
            "dispatcher": self.dispatcher.run,
            "open alerts": self.open_alerts.run,
            "alert figures": self.figures.run,
            "correspondence": self.correspondence.run,
        }
        if self.mirrors is not None:
            loops["mirrors"] = self.mirrors.run
        heartbeat = self.heartbeat
        if heartbeat is not None:
            loops["heartbeat"] = lambda: beat(heartbeat, self._ailment, self.clock)
        return loops

    async def _ailment(self) -> str:
        """Return what is wrong with the way from a reading to a person; empty where nothing is."""
        now, turned_at_ms = to_datetime(self.clock.now_ms()), self.judge.stats.turned_at_ms
        error, due = "", None
        try:
            await self.alerts.outbox.is_writable()
            due = await self.alerts.outbox.oldest_due(now)
        except SQLAlchemyError as failure:
            error = str(failure.args[0]) if failure.args else type(failure).__name__
        vitality = Vitality(
            judged_ago=None if turned_at_ms is None else now - to_datetime(turned_at_ms),
            database_error=error or self.judge.stats.failing,
            oldest_due_ago=timedelta(0) if due is None else now - due,
        )
        return ailment(vitality, longest_silence=LONGEST_SILENCE, longest_wait=LONGEST_WAIT)


def _desk(ground: Ground, alerts: AlertStore, config: ServiceConfig, clock: Clock) -> AnswerDesk:
    known = Known(
        ground.directory,
        lambda: ground.rulebook.texts,
        lambda: to_datetime(clock.now_ms()),
        ground.power.of,
    )
    return AnswerDesk(
        ground.database,
        alerts.actions,
        known,
        routes=routes_of(config.alerts.notifiers),
        settings=config.alerts.answers,
        publish=alerts.publish,
    )


async def _open_mirrors(
    ground: Ground, alerts: AlertStore, open_alerts: OpenAlerts, config: ServiceConfig, stack: AsyncExitStack
) -> Mirrors | None:
    opened = await stack.enter_async_context(
        open_mirrors(config.alerts.mirrors, facilities=lambda: ground.directory().facilities)
    )
    if not opened:
        return None

    async def look() -> Sequence[Shown]:
        return shown(open_alerts.now, ground.directory(), ground.rulebook.texts)

    mirrors = Mirrors(opened, look)
    alerts.on_change(lambda _: mirrors.ring())
    return mirrors


async def _open_judge(ground: Ground, alerts: AlertStore, config: ServiceConfig, clock: Clock) -> Judge:
    state = JudgeState(ground.database)
    await state.create_tables()
    timekeeper = Timekeeper(ground.database, clock, machine_boot()) if isinstance(clock, SteadyClock) else None
    if timekeeper is not None:
        await timekeeper.create_tables()
    judge = Judge(
        journal=ground.journal,
        new_engine=lambda: Engine(ground.rulebook.rules, ground.directory(), settings=config.rules.engine),
        alerts=alerts,
        state=state,
        database=ground.database,
        clock=clock,
        directory=ground.directory,
        timekeeper=timekeeper,
        hearing=Hearing(
            ground.node_events,
            journal=ground.journal,
            alerts=alerts,
            rules=lambda: ground.rulebook.rules,
            directory=ground.directory,
            settings=config.rules.engine,
        ),
        settings=config.judge,
    )
    await judge.resume()
    ground.registry.on_change(lambda: judge.replace_rules(ground.rulebook.rules))

    async def judge_by(rules: Sequence[Rule]) -> None:
        judge.replace_rules(rules)

    ground.rulebook.on_change(judge_by)
    return judge

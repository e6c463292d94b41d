"""From readings to people: the judge, the alerts and those who tell them."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta

from alerts.dispatch import Dispatcher
from alerts.notifiers.notifier import Workplace
from alerts.notifiers.table import open_notifiers, routes_of
from alerts.store import AlertStore, World
from app.config import ServiceConfig
from app.hearing import Hearing
from app.judge import Judge
from app.judge_state import JudgeState
from app.open_alerts import OpenAlerts
from app.parts.ground import Ground, Loops
from domain.instant import Clock
from rules.engine import Engine
from rules.model import Rule


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """Rules and alerts at work."""

    clock: Clock
    alerts: AlertStore
    judge: Judge
    dispatcher: Dispatcher
    open_alerts: OpenAlerts

    @classmethod
    async def open(
        cls, ground: Ground, config: ServiceConfig, clock: Clock, stack: AsyncExitStack, say: Callable[[str], None]
    ) -> Judgement:
        """Take up what was known of episodes, alerts and messages, and open the notifiers."""
        settings = config.alerts
        alerts = AlertStore(
            ground.database,
            routes=routes_of(settings.notifiers),
            give_up_after=timedelta(seconds=settings.dispatch.give_up_after_seconds),
            world=World(ground.directory, lambda: ground.rulebook.texts, ground.power.of),
            telling=settings.telling,
            closing=settings.closing,
        )
        await alerts.create_tables()
        judge = await _open_judge(ground, alerts, config, clock)
        notifiers = await stack.enter_async_context(open_notifiers(settings.notifiers, Workplace(writer=say)))
        open_alerts = OpenAlerts(alerts)
        await open_alerts.refresh()
        return cls(
            clock=clock,
            alerts=alerts,
            judge=judge,
            dispatcher=Dispatcher(alerts, notifiers, clock, settings.dispatch, random=random.random),
            open_alerts=open_alerts,
        )

    def loops(self) -> Loops:
        """Return the loops of judging and telling."""
        return {
            "judge": self.judge.run,
            "agenda": lambda: self.alerts.agenda.run(self.clock),
            "dispatcher": self.dispatcher.run,
            "open alerts": self.open_alerts.run,
        }


async def _open_judge(ground: Ground, alerts: AlertStore, config: ServiceConfig, clock: Clock) -> Judge:
    state = JudgeState(ground.database)
    await state.create_tables()
    judge = Judge(
        journal=ground.journal,
        new_engine=lambda: Engine(ground.rulebook.rules, ground.directory(), settings=config.rules.engine),
        alerts=alerts,
        state=state,
        database=ground.database,
        clock=clock,
        directory=ground.directory,
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

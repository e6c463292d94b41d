"""Figures of alerts and messages that are counted while they happen."""

from __future__ import annotations

from pathlib import Path

from alerts.change import Actor
from alerts.dispatch import Dispatcher
from alerts.notification import NotificationState
from alerts.notifiers.notifier import Delivery
from alerts.settings import DispatchSettings
from app.alert_figures import AlertFigures
from app.open_alerts import OpenAlerts
from tests.alerts.given import MINUTE, Memory, StandingClock, an_episode, opened, sqlite_database
from tests.alerts.telling_contract import one_by_one


async def test_each_further_step_of_the_chain_counts(tmp_path: Path) -> None:
    """The first step is no escalation; one that time brings is, and so is one that a person asks for."""
    async with sqlite_database(f"{tmp_path}/vitals.db") as database:
        judge = await one_by_one(database)
        figures = AlertFigures(judge.store, OpenAlerts(judge.store), (), StandingClock())
        await judge.record(opened(an_episode()))
        assert figures.escalations == 0
        judge.now += 15 * MINUTE
        await judge.store.agenda.do(judge.now)
        assert figures.escalations == 1
        await judge.record(opened(an_episode(1)))
        actions, amina = judge.store.actions, Actor("Amina", "page")
        await judge.store.act(lambda connection: actions.ask_for_help(connection, 2, by=amina, now=judge.now))
        assert figures.escalations == 2


async def test_what_a_channel_could_not_deliver_counts_once(tmp_path: Path) -> None:
    """Whether the channel refuses it at once or its gateway reports so later."""
    async with sqlite_database(f"{tmp_path}/vitals.db") as database:
        judge = await one_by_one(database)
        figures = AlertFigures(judge.store, OpenAlerts(judge.store), ("email", "sms"), StandingClock())
        await judge.record(opened(an_episode()))
        await figures.refresh()
        assert (figures.waiting, figures.undeliverable()) == ({"email": 1, "sms": 1}, {})
        refused = Memory(answers=[Delivery.failed("no such address", recoverable=False)])
        taken = Memory(answers=[Delivery(NotificationState.SUBMITTED, reference="sms-1")])
        clock, settings = StandingClock(judge.now), DispatchSettings()
        notifiers = {"email": refused, "sms": taken}
        await Dispatcher(judge.store, notifiers, clock, settings, random=lambda: 0.5).dispatch_due()
        assert figures.undeliverable() == {"email": 1}
        for _ in range(2):
            await judge.store.outbox.report("sms", "sms-1", NotificationState.FAILED, now=judge.now, sentence="absent")
        assert figures.undeliverable() == {"email": 1, "sms": 1}
        await figures.refresh()
        assert figures.waiting == {}

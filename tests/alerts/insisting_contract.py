"""How people are asked until somebody answers, and how little they are disturbed; a subclass gives ``database``."""

from __future__ import annotations

from dataclasses import replace
from datetime import time, timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.settings import AT_ONCE, BySeverity
from domain.directory import Directory
from domain.episode import Severity
from domain.people import EscalationChain, EscalationStep, QuietHours
from tests.alerts.given import AMINA, JOSEPH, MINUTE, Judge, a_judge, an_episode, ended, of_rule, opened
from tests.alerts.telling_contract import people, told, what

INSISTING = EscalationChain(
    "insisting",
    (EscalationStep(timedelta(0), ("facility",)), EscalationStep(15 * MINUTE, ("district",))),
    repeat_every=20 * MINUTE,
    repeat_times=2,
)
FEW = AT_ONCE.model_copy(update={"messages_per_hour": 2, "digest_pause_seconds": BySeverity(warning=1800)})


async def go_through(judge: Judge, duration: timedelta) -> None:
    """Let time pass, doing whatever comes due at its moment."""
    until = judge.now + duration
    while (due := await judge.store.agenda.next_due(judge.now)) is not None and due <= until:
        judge.now = max(judge.now, due)
        await judge.store.agenda.do(judge.now)
    judge.now = until


class InsistingContract:
    """Repetition, exhaustion, quiet hours, quotas, flapping, and acknowledgements that run out."""

    async def test_the_last_step_is_repeated_and_then_nobody_is_left(self, database: AsyncEngine) -> None:
        """Its people are told again as often as the chain says; then the log says that nobody is left, once."""
        judge = await a_judge(database)
        judge.directory = replaced_chain(INSISTING)
        began = judge.now
        (change,) = await judge.record(opened(an_episode()))
        await go_through(judge, timedelta(hours=6))
        asked = [item for item in await judge.store.notifications(change.alert.id) if item.contact == "joseph"]
        assert [item.queued_at - began for item in asked] == [15 * MINUTE, 35 * MINUTE, 55 * MINUTE]
        assert await judge.store.agenda.next_due(judge.now) is None
        log = await what(judge, change.alert.id)
        assert log.count("nobody_left") == 1, log

    async def test_an_answer_ends_the_repetition(self, database: AsyncEngine) -> None:
        """Whoever goes after the first repetition is the last to hear of it."""
        judge = await a_judge(database)
        judge.directory = replaced_chain(INSISTING)
        (change,) = await judge.record(opened(an_episode()))
        await go_through(judge, 36 * MINUTE)
        await judge.store.acknowledge(change.alert.id, by="Joseph", now=judge.now, origin="page")
        before = await told(judge, change.alert.id)
        await go_through(judge, timedelta(hours=6))
        assert await told(judge, change.alert.id) == before

    async def test_quiet_hours_hold_a_warning_and_no_critical_alert(self, database: AsyncEngine) -> None:
        """The warning is told when they end, where it still goes on; what is critical at once."""
        judge = await a_judge(database)
        asleep = QuietHours(time(12), time(18), "UTC")
        judge.directory = people([replace(AMINA, quiet=asleep)])
        (warning,) = await judge.record(opened(an_episode()))
        severe = replace(of_rule("silent", an_episode()), severity=Severity.CRITICAL)
        (critical,) = await judge.record(opened(severe))
        assert await told(judge, warning.alert.id) == []
        assert {contact for contact, *_ in await told(judge, critical.alert.id)} == {"amina"}
        await go_through(judge, timedelta(hours=8))
        (first, *_) = await judge.store.notifications(warning.alert.id)
        assert first.queued_at == first.queued_at.replace(hour=18, minute=0)

    async def test_beyond_the_quota_the_rest_is_one_digest(self, database: AsyncEngine) -> None:
        """Two messages an hour: the third, fourth and fifth alert come together half an hour after the last message."""
        judge = await a_judge(database, telling=FEW)
        judge.directory = people([replace(AMINA, channels=("sms",))])
        began = judge.now
        alerts = [(await judge.record(opened(an_episode(number))))[0].alert.id for number in range(5)]
        assert [len(await told(judge, alert)) for alert in alerts] == [1, 1, 0, 0, 0]
        assert "held_quota" in await what(judge, alerts[2])
        await go_through(judge, timedelta(minutes=31))
        digests = {item.bundle: item for alert in alerts[2:] for item in await judge.store.notifications(alert)}
        (digest,) = digests.values()
        assert digest.queued_at - began == timedelta(minutes=30)
        assert 1 + len(digest.facts["also"]) == 3

    async def test_what_comes_and_goes_is_told_when_it_stays(self, database: AsyncEngine) -> None:
        """After two times within the hour the third is told only when it has lasted a quarter of an hour."""
        judge = await a_judge(database, telling=AT_ONCE.model_copy(update={"flapping_from": 2}))
        for number in range(2):
            await judge.record(opened(an_episode(number)), ended(an_episode(number)))
            await judge.record(opened(of_rule("silent", an_episode(number))))
            await judge.record(ended(of_rule("silent", an_episode(number))))
        (again,) = await judge.record(opened(of_rule("silent", an_episode(2))))
        assert await told(judge, again.alert.id) == []
        assert "held_flapping" in await what(judge, again.alert.id)
        await go_through(judge, 14 * MINUTE)
        assert await told(judge, again.alert.id) == []
        await go_through(judge, MINUTE)
        assert await told(judge, again.alert.id) != []

    async def test_an_acknowledgement_of_what_goes_on_runs_out(self, database: AsyncEngine) -> None:
        """People are told afresh at its moment and asked for an answer again; one of what is over never runs out."""
        lasting = AT_ONCE.model_copy(update={"acknowledged_for_seconds": BySeverity(warning=3600)})
        judge = await a_judge(database, telling=lasting)
        judge.directory = replaced_chain(INSISTING)
        (stays,) = await judge.record(opened(an_episode()))
        (ends,) = await judge.record(opened(of_rule("silent", an_episode())))
        for change in (stays, ends):
            await judge.store.acknowledge(change.alert.id, by="Amina", now=judge.now, origin="page")
        await judge.record(ended(of_rule("silent", an_episode())))
        await go_through(judge, 59 * MINUTE)
        assert "acknowledgement_expired" not in await what(judge, stays.alert.id)
        await go_through(judge, 16 * MINUTE)
        assert "acknowledgement_expired" in await what(judge, stays.alert.id)
        assert "acknowledgement_expired" not in await what(judge, ends.alert.id)
        assert ("joseph", "email", "alarm") in await told(judge, stays.alert.id)


def replaced_chain(chain: EscalationChain) -> Directory:
    """Return the people with this chain."""
    plain = people([AMINA, JOSEPH])
    return Directory(
        facilities=plain.facilities.values(),
        equipment=plain.equipment.values(),
        nodes=plain.nodes.values(),
        channels=plain.channels.values(),
        contacts=plain.contacts.values(),
        chains=[chain],
    )

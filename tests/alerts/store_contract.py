"""What every database must do for the store; a subclass in a test file gives the ``database`` fixture."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.change import AlertChange, UnknownAlertError
from alerts.lifecycle import AlertEvent
from alerts.notification import Notification, NotificationKind, NotificationState
from alerts.routing import Reason
from alerts.tables import AUDIT
from domain.alert import AlertState
from domain.directory import Directory
from domain.episode import Severity
from tests.alerts.given import (
    AMINA,
    DIRECTORY,
    JOSEPH,
    MINUTE,
    NOON,
    TOGETHER,
    TOLD_AT_KASESE,
    Judge,
    a_judge,
    amended,
    an_episode,
    ended,
    of_rule,
    opened,
    retracted,
    worsened,
)

ALARM, WORSE, CLEAR = NotificationKind.ALARM, NotificationKind.WORSE, NotificationKind.ALL_CLEAR


def recipients(notifications: list[Notification], kind: NotificationKind) -> set[tuple[str, str]]:
    """Return who gets a message of this kind, and where."""
    return {(item.contact, item.channel) for item in notifications if item.kind is kind}


async def words(judge: Judge, alert_id: int) -> list[str]:
    """Return what the audit log says happened, oldest first."""
    return [entry.what for entry in await judge.store.audit(alert_id)]


class StoreContract:
    """The behaviour of ``AlertStore``, the same on every database."""

    async def test_a_live_episode_raises_an_alert_and_queues_messages(self, database: AsyncEngine) -> None:
        """Episode, alert, messages and audit log are there after one commit."""
        judge = await a_judge(database)
        (change,) = await judge.record(opened(an_episode()))
        assert change.was is None
        assert change.alert.state is AlertState.UNACKNOWLEDGED
        assert await judge.store.alert(change.alert.id) == change.alert
        assert await judge.store.alerts() == [change.alert]
        assert await judge.store.episodes() == [an_episode()]
        queued = await judge.store.notifications(change.alert.id)
        assert recipients(queued, ALARM) == TOLD_AT_KASESE
        assert {item.state for item in queued} == {NotificationState.QUEUED}
        assert {item.deadline - item.queued_at for item in queued} == {timedelta(hours=1)}
        assert (await words(judge, change.alert.id))[0] == "raised"

    async def test_the_same_change_twice_changes_nothing(self, database: AsyncEngine) -> None:
        """A batch that is judged again after a crash leaves everything as it was."""
        judge = await a_judge(database)
        episode = an_episode()
        changes = [opened(episode), worsened(episode, 12.0), ended(replace(episode, extreme=12.0))]
        happened = await judge.record(*changes)
        alert_id = happened[0].alert.id
        before = (await judge.store.notifications(alert_id), await judge.store.audit(alert_id))
        assert await judge.record(*changes) == []
        assert (await judge.store.notifications(alert_id), await judge.store.audit(alert_id)) == before

    async def test_nothing_stays_of_a_transaction_that_fails(self, database: AsyncEngine) -> None:
        """State and messages commit together or not at all."""
        judge = await a_judge(database)
        with pytest.raises(RuntimeError):
            await self._record_and_fail(judge)
        assert await judge.store.alerts(open_only=False) == []
        assert await judge.store.episodes() == []
        assert await judge.store.outbox.counts() == []

    async def _record_and_fail(self, judge: Judge) -> None:
        async with judge.database.begin() as connection:
            await judge.store.record(connection, [opened(an_episode())], now=judge.now)
            raise RuntimeError("the snapshot could not be saved")

    async def test_late_data_are_recorded_and_wake_nobody(self, database: AsyncEngine) -> None:
        """A past excursion waits on the list for somebody to look at it, and sends nothing."""
        judge = await a_judge(database)
        over = ended(an_episode()).episode
        (change,) = await judge.record(opened(over, live=False))
        assert change.alert.past
        assert change.alert.state is AlertState.RETURNED_UNACKNOWLEDGED
        assert await judge.store.notifications(change.alert.id) == []
        assert "silent_past" in await words(judge, change.alert.id)

    async def test_live_data_wake_what_late_data_had_found(self, database: AsyncEngine) -> None:
        """An excursion found late that still goes on is told as soon as live data show it."""
        judge = await a_judge(database)
        await judge.record(opened(an_episode(), live=False))
        (change,) = await judge.record(worsened(an_episode(), 9.5))
        assert change.events == (AlertEvent.RAISED,)
        assert not change.alert.past
        assert recipients(await judge.store.notifications(change.alert.id), ALARM) == TOLD_AT_KASESE

    async def test_worsening_alarms_again_from_the_step_that_the_rule_names(self, database: AsyncEngine) -> None:
        """A slow drift does not shower people; two degrees more do tell them, and ask for a new answer."""
        judge = await a_judge(database)
        (first,) = await judge.record(opened(an_episode(extreme=9.0)))
        await judge.store.acknowledge(first.alert.id, by="amina", now=judge.now, origin="page")
        (drift,) = await judge.record(worsened(an_episode(), 10.9))
        assert (drift.events, drift.alert.state) == ((), AlertState.ACKNOWLEDGED)
        (worse,) = await judge.record(worsened(an_episode(), 11.0))
        assert (worse.events, worse.alert.state) == ((AlertEvent.WORSENED,), AlertState.UNACKNOWLEDGED)
        assert (worse.alert.acknowledged_by, worse.alert.acknowledged_at) == ("", None)
        assert recipients(await judge.store.notifications(first.alert.id), WORSE) == TOLD_AT_KASESE
        assert [item.extreme for item in await judge.store.alerts()] == [11.0]

    async def test_a_higher_severity_alarms_again(self, database: AsyncEngine) -> None:
        """Critical is told even where the value hardly moved."""
        judge = await a_judge(database)
        await judge.record(opened(an_episode()))
        critical = replace(an_episode(), severity=Severity.CRITICAL)
        (change,) = await judge.record(worsened(critical, 9.5))
        assert change.events == (AlertEvent.WORSENED,)
        assert change.alert.severity is Severity.CRITICAL

    async def test_the_all_clear_goes_to_those_who_were_alarmed(self, database: AsyncEngine) -> None:
        """A contact who came later is not told of the end of something that they never heard of."""
        judge = await a_judge(database)
        (change,) = await judge.record(opened(an_episode()))
        await judge.record(ended(an_episode()))
        queued = await judge.store.notifications(change.alert.id)
        assert recipients(queued, CLEAR) == recipients(queued, ALARM) == TOLD_AT_KASESE
        returned = await judge.store.alert(change.alert.id)
        assert returned is not None
        assert returned.state is AlertState.RETURNED_UNACKNOWLEDGED
        assert returned.ended_at == NOON + 45 * MINUTE

    async def test_a_late_amendment_moves_times_without_a_word(self, database: AsyncEngine) -> None:
        """History becomes right; nobody is told."""
        judge = await a_judge(database)
        _, change = await judge.record(opened(an_episode()), ended(an_episode()))
        earlier = replace(ended(an_episode()).episode, started_at=NOON - 20 * MINUTE, extreme=14.0)
        before = await judge.store.notifications(change.alert.id)
        (late,) = await judge.record(amended(earlier))
        assert late.events == ()
        assert (late.alert.started_at, late.alert.extreme) == (NOON - 20 * MINUTE, 14.0)
        assert await judge.store.notifications(change.alert.id) == before
        assert (await words(judge, change.alert.id))[-1] == "amended"

    async def test_a_retraction_closes_the_alert_and_withdraws_the_alarm(self, database: AsyncEngine) -> None:
        """Those who were alarmed hear that it was a false alarm; episode and list forget it, the reference does not."""
        judge = await a_judge(database)
        (change,) = await judge.record(opened(an_episode()))
        await judge.record(retracted(an_episode()))
        queued = await judge.store.notifications(change.alert.id)
        assert recipients(queued, CLEAR) == TOLD_AT_KASESE
        assert all("false alarm" in item.short_text for item in queued if item.kind is CLEAR)
        assert await judge.store.episodes() == []
        assert await judge.store.alerts(open_only=False) == []
        closed = await judge.store.alert(change.alert.id)
        assert closed is not None
        assert closed.state is AlertState.NORMAL
        assert "retracted" in await words(judge, change.alert.id)
        assert await judge.record(retracted(an_episode())) == []

    async def test_what_was_retracted_can_come_back(self, database: AsyncEngine) -> None:
        """The same episode found again raises the same alert again."""
        judge = await a_judge(database)
        (first,) = await judge.record(opened(an_episode()))
        await judge.record(retracted(an_episode()))
        (again,) = await judge.record(opened(an_episode()))
        assert again.alert.id == first.alert.id
        assert again.alert.state is AlertState.UNACKNOWLEDGED
        assert [item.kind for item in await judge.store.notifications(first.alert.id)].count(ALARM) == 6

    async def test_an_outdated_change_does_not_reopen_an_episode(self, database: AsyncEngine) -> None:
        """Repetitions out of order (the edge and the centre both judge) leave the end where it is."""
        judge = await a_judge(database)
        await judge.record(opened(an_episode()), ended(an_episode()))
        assert await judge.record(opened(an_episode()), worsened(an_episode(), 15.0)) == []

    async def test_an_amendment_may_say_that_it_goes_on(self, database: AsyncEngine) -> None:
        """An end that late data disprove raises the alert again; live data then tell people."""
        judge = await a_judge(database)
        await judge.record(opened(an_episode()), ended(an_episode()))
        (silent,) = await judge.record(amended(an_episode()))
        assert silent.alert.state is AlertState.UNACKNOWLEDGED
        assert [decision.reason for decision in silent.decisions] == [Reason.SILENT_PAST]
        (loud,) = await judge.record(worsened(an_episode(), 9.6))
        assert {decision.reason for decision in loud.decisions} == {Reason.TOLD_NEW}

    async def test_an_acknowledgement_is_kept_once(self, database: AsyncEngine) -> None:
        """The first answer stands; a second one, and one after the end, change nothing."""
        judge = await a_judge(database)
        (change,) = await judge.record(opened(an_episode()))
        taken = await judge.store.acknowledge(
            change.alert.id, by="amina", now=judge.now, origin="page", note="on my way"
        )
        assert (taken.state, taken.acknowledged_by, taken.acknowledged_at) == (
            AlertState.ACKNOWLEDGED,
            "amina",
            judge.now,
        )
        again = await judge.store.acknowledge(change.alert.id, by="joseph", now=judge.now + MINUTE, origin="api")
        assert again == taken
        await judge.record(ended(an_episode()))
        late = await judge.store.acknowledge(change.alert.id, by="joseph", now=judge.now + MINUTE, origin="api")
        assert (late.state, late.acknowledged_by) == (AlertState.NORMAL, "amina")
        entries = [item for item in await judge.store.audit(change.alert.id) if item.what == "acknowledged"]
        assert [(item.who, item.origin, item.detail) for item in entries] == [("amina", "page", "on my way")]

    async def test_an_answer_after_the_return_closes(self, database: AsyncEngine) -> None:
        """A returned alert stays on the list until somebody has looked at it."""
        judge = await a_judge(database)
        (change, _) = await judge.record(opened(an_episode()), ended(an_episode()))
        assert len(await judge.store.alerts()) == 1
        await judge.store.acknowledge(change.alert.id, by="amina", now=judge.now, origin="page")
        assert await judge.store.alerts() == []
        assert len(await judge.store.alerts(open_only=False)) == 1

    async def test_an_unknown_reference_is_refused(self, database: AsyncEngine) -> None:
        """The error carries the number that was asked for."""
        judge = await a_judge(database)
        with pytest.raises(UnknownAlertError, match="4821"):
            await judge.store.acknowledge(4821, by="amina", now=judge.now, origin="page")
        assert await judge.store.alert(4821) is None

    async def test_people_answer_at_once_and_one_answer_stands(self, database: AsyncEngine) -> None:
        """Concurrent acknowledgements leave one name and one audit entry."""
        judge = await a_judge(database)
        (change,) = await judge.record(opened(an_episode()))
        answers = await asyncio.gather(
            *(
                judge.store.acknowledge(change.alert.id, by=name, now=judge.now, origin="page")
                for name in ("amina", "joseph", "grace", "peter")
            )
        )
        assert len({answer.acknowledged_by for answer in answers}) == 1
        assert (await words(judge, change.alert.id)).count("acknowledged") == 1

    async def test_a_place_without_contacts_is_recorded_as_such(self, database: AsyncEngine) -> None:
        """An alert that nobody can be told of is on the list, with the reason in its log."""
        judge = await a_judge(database)
        (change,) = await judge.record(opened(an_episode(facility="lonely")))
        assert await judge.store.notifications(change.alert.id) == []
        assert "silent_no_contact" in await words(judge, change.alert.id)

    async def test_lists_are_narrowed_and_paged(self, database: AsyncEngine) -> None:
        """Newest first, by facility, from a reference on."""
        judge = await a_judge(database)
        for number in range(3):
            await judge.record(opened(an_episode(number)), opened(an_episode(number, facility="lonely")))
        everything = await judge.store.alerts()
        assert [item.id for item in everything] == sorted((item.id for item in everything), reverse=True)
        first = await judge.store.alerts(limit=2)
        rest = await judge.store.alerts(before_id=first[-1].id)
        assert first + rest == everything
        assert {item.facility for item in await judge.store.alerts(facility="lonely")} == {"lonely"}
        assert sum(count.alerts for count in await judge.store.open_counts()) == 6
        assert {(count.facility, count.alerts) for count in await judge.store.open_counts()} == {
            ("kasese-3", 3),
            ("lonely", 3),
        }

    async def test_a_nation_of_places_is_one_variable(self, database: AsyncEngine) -> None:
        """However many facilities somebody may see: more than databases take variables in a statement."""
        judge = await a_judge(database)
        await judge.record(opened(an_episode()), opened(an_episode(facility="lonely")))
        nation = frozenset(f"hc '\\ü {number}" for number in range(70_000))
        for within, found in ((nation, []), (nation | {"lonely"}, ["lonely"]), (frozenset[str](), [])):
            assert [each.facility for each in await judge.store.alerts(within=within)] == found
            firings = await judge.store.reading.firings(NOON - timedelta(days=1), within)
            assert sum(each.count for each in firings.values()) == len(found)
            incidents = await judge.store.reading.incidents(within=within)
            assert [each.alerts[0].facility for each in incidents] == found

    async def test_episodes_are_found_by_what_they_touch(self, database: AsyncEngine) -> None:
        """A range holds whatever overlaps it, also inside a transaction that is not committed yet."""
        judge = await a_judge(database)
        first, second = an_episode(0), an_episode(1)
        await judge.record(opened(first), ended(first), opened(second))
        touching = await judge.store.episodes(from_=NOON + 30 * MINUTE, to=NOON + 40 * MINUTE)
        assert [item.id for item in touching] == [first.id]
        assert await judge.store.episodes(from_=NOON + 50 * MINUTE, subject=second.subject) == [second]
        async with database.begin() as connection:
            await judge.store.record(connection, [opened(an_episode(2))], now=judge.now)
            inside = await judge.store.episodes(connection=connection)
            assert len(inside) == 3
            await connection.rollback()
        assert len(await judge.store.episodes()) == 2

    async def test_listeners_hear_after_the_commit(self, database: AsyncEngine) -> None:
        """Live pages learn of changes, and one broken listener does not keep them from the others."""
        judge = await a_judge(database)
        heard: list[AlertChange] = []
        judge.store.on_change(lambda change: {}[change])  # type: ignore[index]  # it is meant to fail
        judge.store.on_change(heard.append)
        happened = await judge.record(opened(an_episode()))
        await judge.store.acknowledge(happened[0].alert.id, by="amina", now=judge.now, origin="page")
        assert [change.events for change in heard] == [(AlertEvent.RAISED,), (AlertEvent.ACKNOWLEDGED,)]

    async def test_the_audit_log_refuses_to_forget(self, database: AsyncEngine) -> None:
        """The database itself keeps rows from being changed or removed."""
        judge = await a_judge(database)
        (change,) = await judge.record(opened(an_episode()))
        before = await judge.store.audit(change.alert.id)
        for statement in (update(AUDIT).values(who="nobody"), delete(AUDIT), text("DELETE FROM alert_audit")):
            with pytest.raises(DBAPIError, match="inserts only"):
                async with database.begin() as connection:
                    await connection.execute(statement)
        assert await judge.store.audit(change.alert.id) == before

    async def test_two_dispatchers_never_claim_the_same_message(self, database: AsyncEngine) -> None:
        """Several processes can share an outbox; a claim that ran out goes to the next one."""
        judge = await a_judge(database)
        await judge.record(*(opened(an_episode(number)) for number in range(4)))
        outbox, lease = judge.store.outbox, judge.now + MINUTE
        claims = await asyncio.gather(
            *(outbox.claim("email", now=judge.now, lease_until=lease, limit=5) for _ in range(4))
        )
        ids = [item.id for claim in claims for item in claim]
        assert len(ids) == len(set(ids))
        rest = await outbox.claim("email", now=judge.now, lease_until=lease, limit=100)
        assert len(ids) + len(rest) == 8
        dead = await outbox.claim("email", now=lease, lease_until=lease + MINUTE, limit=100)
        assert {item.attempts for item in dead} == {2}
        # Whoever lost the claim can no longer write what came of it.
        await outbox.put_back(
            next(item for claim in (rest, *claims) for item in claim), next_attempt_at=lease, error="late"
        )
        assert await outbox.next_due("email") == lease + MINUTE

    async def test_what_another_alert_explains_is_told_to_nobody(self, database: AsyncEngine) -> None:
        """Where the power is off, a node that falls silent is on the list as suppressed; elsewhere it is told."""
        judge = await a_judge(database)
        await judge.record(opened(of_rule("mains", an_episode())))
        (here,) = await judge.record(opened(of_rule("cut-off", an_episode())))
        (elsewhere,) = await judge.record(opened(of_rule("cut-off", an_episode(facility="lonely"))))
        assert (here.alert.state, here.decisions) == (AlertState.SUPPRESSED, ())
        assert elsewhere.alert.state is AlertState.UNACKNOWLEDGED
        assert await judge.store.notifications(here.alert.id) == []
        assert await words(judge, here.alert.id) == ["raised_suppressed"]

    async def test_the_explanation_comes_first_within_a_batch(self, database: AsyncEngine) -> None:
        """In whichever order the rules find the two, people hear of the one that explains the other."""
        judge = await a_judge(database)
        happened = await judge.record(opened(of_rule("cut-off", an_episode())), opened(of_rule("mains", an_episode())))
        assert {change.alert.rule: change.alert.state for change in happened} == {
            "mains": AlertState.UNACKNOWLEDGED,
            "cut-off": AlertState.SUPPRESSED,
        }

    async def test_what_outlasts_its_explanation_is_told(self, database: AsyncEngine) -> None:
        """Ten minutes after the power is back, and not before, people hear of the node that is still silent."""
        judge = await a_judge(database)
        mains, silent = of_rule("mains", an_episode()), of_rule("cut-off", an_episode())
        await judge.record(opened(mains), opened(silent))
        judge.now = NOON + 50 * MINUTE
        await judge.record(ended(mains, after=45 * MINUTE))
        judge.now = NOON + 54 * MINUTE
        assert await judge.record() == []
        judge.now = NOON + 55 * MINUTE
        (told,) = await judge.record()
        assert (told.was, told.alert.state) == (AlertState.SUPPRESSED, AlertState.UNACKNOWLEDGED)
        assert recipients(await judge.store.notifications(told.alert.id), ALARM) == TOLD_AT_KASESE
        assert await judge.record() == []

    async def test_what_ends_with_its_explanation_was_never_told(self, database: AsyncEngine) -> None:
        """The node that is heard again when the power is back costs nobody a message, neither alarm nor all-clear."""
        judge = await a_judge(database)
        mains, silent = of_rule("mains", an_episode()), of_rule("cut-off", an_episode())
        await judge.record(opened(mains), opened(silent))
        await judge.record(ended(mains), ended(silent))
        judge.now = NOON + 120 * MINUTE
        assert await judge.record() == []
        (over,) = [alert for alert in await judge.store.alerts(open_only=False) if alert.rule == "cut-off"]
        assert over.state is AlertState.NORMAL
        assert await judge.store.notifications(over.id) == []

    async def test_what_nobody_was_told_of_explains_nothing(self, database: AsyncEngine) -> None:
        """A power cut that late data alone tell of silences no alarm."""
        judge = await a_judge(database)
        await judge.record(opened(of_rule("mains", an_episode()), live=False))
        (change,) = await judge.record(opened(of_rule("cut-off", an_episode())))
        assert change.alert.state is AlertState.UNACKNOWLEDGED

    async def test_everybody_is_told_in_their_language(self, database: AsyncEngine) -> None:
        """Who has French in the registry reads the rule's French; what it does not say in French is said as it is."""
        judge = await a_judge(database)
        judge.directory = Directory(
            facilities=DIRECTORY.facilities.values(),
            equipment=DIRECTORY.equipment.values(),
            channels=DIRECTORY.channels.values(),
            contacts=[AMINA, replace(JOSEPH, language="fr-CD")],
            chains=[TOGETHER],
        )
        (change,) = await judge.record(opened(an_episode()))
        told = await judge.store.notifications(change.alert.id)
        said = {item.contact: item.short_text for item in told}
        assert {(item.contact, item.channel) for item in told} == TOLD_AT_KASESE
        assert "above 8.0C" in said["amina"]
        assert "au-dessus de 8.0C" in said["joseph"]
        assert all("Move vaccines" in text for text in said.values())

    async def test_what_is_suppressed_itself_explains_nothing(self, database: AsyncEngine) -> None:
        """Two rules that explain each other cannot keep each other quiet: one that nobody was told of is no reason."""
        judge = await a_judge(database)
        first = of_rule("this", an_episode())
        await judge.record(opened(first))
        (quiet,) = await judge.record(opened(of_rule("that", an_episode())))
        assert quiet.alert.state is AlertState.SUPPRESSED
        judge.now = NOON + 120 * MINUTE
        happened = await judge.record(ended(first, after=100 * MINUTE), opened(of_rule("this", an_episode(2))))
        states = {change.alert.rule: change.alert.state for change in happened}
        assert AlertState.UNACKNOWLEDGED in states.values()

"""How measures come out of every database; a subclass gives the ``database`` fixture."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from sqlalchemy import event, insert, text
from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.dispatch import Dispatcher
from alerts.measures.compute import Measures
from alerts.measures.reader import read_measures
from alerts.measures.rows import Period
from alerts.notifiers.notifier import Delivery
from alerts.settings import AT_ONCE, BySeverity, DispatchSettings
from alerts.tables import AUDIT
from domain.instant import to_ms
from domain.places import Place
from tests.alerts.given import (
    DIRECTORY,
    MINUTE,
    NOON,
    Judge,
    Memory,
    StandingClock,
    a_judge,
    an_episode,
    ended,
    of_rule,
    opened,
)

DAY = Period(NOON, NOON + timedelta(days=1))
YEAR = Period(NOON, NOON + timedelta(days=365))
MANY = 100_000

FEW_QUERIES = 3
TOGETHER = AT_ONCE.model_copy(update={"wait_seconds": BySeverity(warning=30)})


async def sent(judge: Judge, **notifiers: Memory) -> None:
    """Send what is due on these channels."""
    clock = StandingClock(judge.now)
    await Dispatcher(judge.store, notifiers, clock, DispatchSettings(), random=lambda: 0.5).dispatch_due()


async def read(database: AsyncEngine, period: Period = DAY, place: Place | None = None) -> Measures:
    """Return the measures of the small district."""
    return await read_measures(database, period, place or Place(), DIRECTORY)


@contextmanager
def counted(database: AsyncEngine) -> Iterator[list[str]]:
    """Give the list of statements that are executed meanwhile."""
    statements: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        statements.append(statement)

    event.listen(database.sync_engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(database.sync_engine, "before_cursor_execute", note)


class MeasuresContract:
    """The measures of what the store wrote."""

    async def test_as_it_happened(self, database: AsyncEngine) -> None:
        """An alarm that was told, answered after ten minutes and ended stands so in the measures."""
        judge = await a_judge(database)
        await judge.record(opened(an_episode()))
        await sent(judge, email=Memory(), sms=Memory())
        judge.now += 10 * MINUTE
        await judge.store.acknowledge(1, by="amina", now=judge.now, origin="page")
        await judge.record(ended(an_episode()))
        found = await read(database, place=Place(facility="kasese-3"))
        assert (found.raised, found.told, found.unanswered) == (1, 1, 0)
        assert (found.acknowledge.median, found.restore.median) == (10 * MINUTE, 45 * MINUTE)
        assert {each.contact for each in found.people} == {"amina", "joseph"}
        assert (await read(database, place=Place(facility="lonely"))).raised == 0

    async def test_only_what_is_within_is_counted(self, database: AsyncEngine) -> None:
        """Whether the database is told which facilities, or there are too many to name them all."""
        judge = await a_judge(database)
        await judge.record(opened(an_episode()), opened(an_episode(facility="lonely")))
        await sent(judge, email=Memory(), sms=Memory())
        crowd = frozenset(f"clinic-{number}" for number in range(1000))
        for others in (frozenset[str](), crowd):
            found = await read_measures(database, DAY, Place(), DIRECTORY, frozenset({"kasese-3"}) | others)
            assert found.raised == 1
            assert {each.contact for each in found.people} == {"amina", "joseph"}
        assert (await read_measures(database, DAY, Place(), DIRECTORY, frozenset())).raised == 0
        assert (await read_measures(database, DAY, Place(), DIRECTORY)).raised == 2

    async def test_a_message_that_tells_of_two_alerts_is_one(self, database: AsyncEngine) -> None:
        """People are sent messages, not alerts: two that waited for each other are one on each channel."""
        judge = await a_judge(database, telling=TOGETHER)
        await judge.record(opened(an_episode()), opened(of_rule("silent", an_episode())))
        judge.now += MINUTE
        await judge.store.agenda.do(judge.now)
        await sent(judge, email=Memory(), sms=Memory())
        found = await read(database)
        assert found.told == 2
        assert {each.contact: each.by_kind for each in found.people} == {"amina": {"alarm": 2}, "joseph": {"alarm": 1}}
        assert [(each.channel, each.settled) for each in found.channels] == [("email", 2), ("sms", 1)]

    async def test_only_what_was_sent_is_a_load(self, database: AsyncEngine) -> None:
        """A message that waits for its channel, and one that the channel refused, stand apart."""
        judge = await a_judge(database)
        await judge.record(opened(an_episode()))
        await sent(judge, sms=Memory(answers=[Delivery.failed("no such number", recoverable=False)]))
        amina, joseph = (await read(database)).people
        assert (amina.by_kind, amina.waiting, amina.failed) == ({}, 1, 1)
        assert (joseph.by_kind, joseph.waiting, joseph.failed) == ({}, 1, 0)
        [sms] = (await read(database)).channels
        assert (sms.channel, sms.settled, sms.undeliverable) == ("sms", 1, 1)

    async def test_nobody_answered(self, database: AsyncEngine) -> None:
        """An alarm whose next step was taken is escalated, and one without an answer is unanswered."""
        judge = await a_judge(database)
        await judge.record(opened(an_episode()))
        async with database.begin() as connection:
            entry = {"alert": 1, "at": judge.now, "who": "time", "origin": "escalation", "detail": ""}
            await connection.execute(insert(AUDIT), [entry | {"what": "escalated"}] * 2)
        found = await read(database)
        assert (found.unanswered, found.escalated, found.escalated_share) == (1, 1, 1.0)

    async def test_a_year_of_a_nation(self, database: AsyncEngine) -> None:
        """A hundred thousand alerts, with what was told and answered, take no more queries than one does."""
        await a_judge(database)
        await a_year(database)
        with counted(database) as statements:
            found = await read(database, YEAR, Place(country="Uganda"))
        assert len(statements) == FEW_QUERIES
        assert (found.raised, found.told, found.unanswered) == (MANY, MANY, 0)
        assert (found.restore.median, found.acknowledge.p90) == (MINUTE, MINUTE)
        assert found.people[0].by_kind == {"alarm": MANY // 4}


async def a_year(database: AsyncEngine) -> None:
    """Fill in alerts all over the year, each four of them told in one message and answered after a minute."""
    async with database.begin() as connection:
        for statement in A_YEAR:
            await connection.execute(text(statement))


_STEP_MS = to_ms(YEAR.to) // MANY - to_ms(NOON) // MANY
A_YEAR = (
    f"""INSERT INTO episodes
    (id, rule, severity, subject_kind, subject, facility, started_at, confirmed_at, ended_at)
    WITH RECURSIVE numbers(n) AS (SELECT CAST(0 AS BIGINT) UNION ALL SELECT n + 1 FROM numbers WHERE n < {MANY - 1}),
    timed AS (SELECT n, {to_ms(NOON)} + n / 4 * 4 * {_STEP_MS} AS at FROM numbers)
    SELECT 'e' || n, 'heat', 2, 'channel', 's' || n % 5000, 'kasese-3', at, at, at + 60000 FROM timed""",  # noqa: S608 - numbers of this module
    """INSERT INTO alerts (id, episode, facility, state, past, silent, raised_at, alarmed_severity, acknowledged_by,
    transitions) SELECT CAST(substr(id, 2) AS INTEGER), id, facility, 'normal', false, false, started_at, 2, '', 1
    FROM episodes""",
    """INSERT INTO notifications ("key", bundle, alert, kind, contact, channel, fallbacks, address, reason, subject,
    short_text, long_text, facts, state, attempts, queued_at, deadline, delivery_reference, last_error)
    SELECT episode, id, id, 'alarm', 'amina', 'sms', '', '', '', '', '', '', '', 'delivered', 1, raised_at, raised_at,
    '', '' FROM alerts WHERE id % 4 = 0""",
    """INSERT INTO tellings (alert, transition, kind, contact, "by", occasion, who, wanted_at, hold, bundle)
    SELECT id, 1, 'alarm', 'amina', '', 'new', '', raised_at, '', id / 4 * 4 FROM alerts""",
    """INSERT INTO alert_audit (alert, at, who, origin, what, detail)
    SELECT id, raised_at + 60000, 'amina', 'sms', 'acknowledged', '' FROM alerts""",
)

"""The modem's notifier on gammu's tables alone; tests/system/test_gammu.py has the real daemon."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.notification import NotificationKind, NotificationState
from alerts.notifiers.gammu_tables import INBOX, OUTBOX, OUTBOX_MULTIPART, SENT_ITEMS
from alerts.notifiers.notifier import DeliveryReport, IncomingText, OutgoingMessage, Workplace
from alerts.notifiers.sms_modem import CHANNEL, SmsModemNotifier, SmsModemSettings, address_of
from domain.people import Contact
from tests.alerts.given import sqlite_database

KEY = "7-1-amina-sms_modem"
PHONE = "+256700000001"


@dataclass
class Listener:
    """Remembers what it hears; refuses while it is full. Its time is set by hand."""

    heard: list[DeliveryReport | IncomingText] = field(default_factory=list)
    full: bool = False
    unix_seconds: float = 0.0

    async def hear(self, event: DeliveryReport | IncomingText) -> None:
        """Take an event."""
        if self.full:
            raise OSError("no room")
        self.heard.append(event)


@dataclass
class Site:
    """A notifier on tables of its own."""

    notifier: SmsModemNotifier
    listener: Listener
    database: AsyncEngine

    async def insert(self, table: Any, **values: Any) -> None:
        """Do what gammu does."""
        async with self.database.begin() as connection:
            await connection.execute(insert(table).values(**values))

    async def rows(self, table: Any) -> list[Any]:
        """Return what stands in a table."""
        async with self.database.connect() as connection:
            return list((await connection.execute(select(table))).all())


@asynccontextmanager
async def a_site(folder: Path) -> AsyncIterator[Site]:
    """Give a site with gammu's tables, as far as we use them."""
    async with sqlite_database(f"{folder}/smsd.db") as database:
        async with database.begin() as connection:
            await connection.run_sync(OUTBOX.metadata.create_all)
        listener = Listener()
        workplace = Workplace(print, lambda: listener.unix_seconds, listener.hear)
        settings = SmsModemSettings.model_validate({"database": "sqlite+aiosqlite://"})
        yield Site(SmsModemNotifier(settings, database, workplace), listener, database)


def a_message(text: str) -> OutgoingMessage:
    """Return an alarm to Amina."""
    return OutgoingMessage(KEY, 7, NotificationKind.ALARM, "amina", PHONE, "s", text, "l", {})


async def test_a_short_text_is_one_row_that_any_time_zone_finds_due(tmp_path: Path) -> None:
    """It waits in the outbox with number, alphabet and a date that is past everywhere."""
    async with a_site(tmp_path) as site:
        delivery = await site.notifier.send(a_message("ALARM 9.4C"))
        (row,) = await site.rows(OUTBOX)
    assert (delivery.state, delivery.reference) == (NotificationState.SUBMITTED, KEY)
    assert (row.DestinationNumber, row.TextDecoded, row.MultiPart) == (PHONE, "ALARM 9.4C", False)
    assert (row.Coding, row.DeliveryReport) == ("Default_No_Compression", "yes")
    assert row.SendingDateTime.year == 2000


async def test_a_long_text_in_another_script_is_several_parts_in_ucs_2(tmp_path: Path) -> None:
    """Its rows share a reference, and count."""
    text = "Внимание " * 10
    async with a_site(tmp_path) as site:
        await site.notifier.send(a_message(text))
        (first,) = await site.rows(OUTBOX)
        (second,) = await site.rows(OUTBOX_MULTIPART)
    assert first.TextDecoded + second.TextDecoded == text
    assert {first.Coding, second.Coding} == {"Unicode_No_Compression"}
    assert first.MultiPart is True
    assert (first.UDH[:8], first.UDH[8:]) == (second.UDH[:8], "0201")
    assert second.UDH[8:] == "0202"


async def test_a_message_is_queued_once(tmp_path: Path) -> None:
    """A second attempt after a crash finds the first one, waiting or sent."""
    async with a_site(tmp_path) as site:
        await site.notifier.send(a_message("ALARM"))
        await site.notifier.send(a_message("ALARM"))
        assert len(await site.rows(OUTBOX)) == 1
        async with site.database.begin() as connection:
            await connection.execute(OUTBOX.delete())
        await site.insert(SENT_ITEMS, ID=1, SequencePosition=1, Status="SendingOK", CreatorID=f"vitals:{KEY}")
        assert (await site.notifier.send(a_message("ALARM"))).state is NotificationState.SUBMITTED
        assert await site.rows(OUTBOX) == []


@pytest.mark.parametrize(
    ("states", "state"),
    [
        (["DeliveryOK"], NotificationState.DELIVERED),
        (["SendingOKNoReport"], NotificationState.DELIVERED),
        (["DeliveryOK", "DeliveryFailed"], NotificationState.FAILED),
        (["SendingError"], NotificationState.FAILED),
        (["DeliveryUnknown", "DeliveryOK"], NotificationState.UNKNOWN),
        (["SendingOK"], None),
        (["DeliveryOK", "DeliveryPending"], None),
    ],
)
async def test_reports_are_told_once_when_they_are_final(
    tmp_path: Path, states: list[str], state: NotificationState | None
) -> None:
    """All parts decide; a part that is still under way leaves it open."""
    async with a_site(tmp_path) as site:
        for position, each in enumerate(states, start=1):
            await site.insert(SENT_ITEMS, ID=1, SequencePosition=position, Status=each, CreatorID=f"vitals:{KEY}")
        await site.notifier.look_once()
        await site.notifier.look_once()
    assert [event.state for event in site.listener.heard if isinstance(event, DeliveryReport)] == (
        [state] if state else []
    )
    assert all(event.reference == KEY for event in site.listener.heard)


async def test_a_long_text_is_not_delivered_while_parts_of_it_are_leaving(tmp_path: Path) -> None:
    """The daemon notes part after part; until the message is out of the outbox nothing is said of it."""
    async with a_site(tmp_path) as site:
        await site.notifier.send(a_message("ALARM " * 40))
        for position in (1, 2):
            await site.insert(
                SENT_ITEMS, ID=1, SequencePosition=position, Status="SendingOKNoReport", CreatorID=f"vitals:{KEY}"
            )
            await site.notifier.look_once()
            assert site.listener.heard == []
        async with site.database.begin() as connection:
            await connection.execute(OUTBOX.delete())
        await site.notifier.look_once()
    assert [event.state for event in site.listener.heard if isinstance(event, DeliveryReport)] == [
        NotificationState.DELIVERED
    ]


async def test_another_program_s_messages_are_left_alone(tmp_path: Path) -> None:
    """What we did not queue is not reported."""
    async with a_site(tmp_path) as site:
        await site.insert(SENT_ITEMS, ID=1, SequencePosition=1, Status="DeliveryOK", CreatorID="Gammu 1.42.0")
        await site.notifier.look_once()
    assert site.listener.heard == []


async def test_an_answer_is_marked_only_after_it_was_taken(tmp_path: Path) -> None:
    """While nobody can keep it, it stays; then it comes once."""
    async with a_site(tmp_path) as site:
        await site.insert(INBOX, SenderNumber=PHONE, Coding="x", UDH="", TextDecoded="1", Processed=False)
        site.listener.full = True
        with pytest.raises(OSError, match="no room"):
            await site.notifier.look_once()
        site.listener.full = False
        await site.notifier.look_once()
        await site.notifier.look_once()
    assert site.listener.heard == [IncomingText(CHANNEL, PHONE, "1", "gammu-1")]


async def test_a_long_answer_is_put_together_whatever_the_order(tmp_path: Path) -> None:
    """Parts wait for each other."""
    async with a_site(tmp_path) as site:
        row: dict[str, Any] = {"SenderNumber": PHONE, "Coding": "x", "Processed": False}
        await site.insert(INBOX, UDH="050003AA0202", TextDecoded="world", **row)
        await site.notifier.look_once()
        assert site.listener.heard == []
        await site.insert(INBOX, UDH="050003AA0201", TextDecoded="hello ", **row)
        await site.notifier.look_once()
    assert site.listener.heard == [IncomingText(CHANNEL, PHONE, "hello world", "gammu-1")]


async def test_a_long_answer_that_lost_a_part_is_taken_in_the_end(tmp_path: Path) -> None:
    """Half an answer is better than none."""
    async with a_site(tmp_path) as site:
        await site.insert(
            INBOX, SenderNumber=PHONE, Coding="x", UDH="050003AA0201", TextDecoded="1 I go", Processed=False
        )
        await site.notifier.look_once()
        site.listener.unix_seconds = 600.0
        await site.notifier.look_once()
    assert [event.text for event in site.listener.heard if isinstance(event, IncomingText)] == ["1 I go"]


async def test_binary_messages_are_put_away(tmp_path: Path) -> None:
    """An operator's settings are nobody's answer."""
    async with a_site(tmp_path) as site:
        await site.insert(INBOX, SenderNumber="123", Coding="8bit", UDH="", TextDecoded="", Processed=False)
        await site.notifier.look_once()
        (row,) = await site.rows(INBOX)
    assert row.Processed is True
    assert site.listener.heard == []


async def test_tables_that_are_away_are_a_failure_for_now(tmp_path: Path) -> None:
    """A database without gammu's tables may be set up later."""
    async with sqlite_database(f"{tmp_path}/empty.db") as database:
        settings = SmsModemSettings.model_validate({"database": "sqlite+aiosqlite://"})
        delivery = await SmsModemNotifier(settings, database, Workplace(print)).send(a_message("ALARM"))
    assert (delivery.state, delivery.recoverable) == (NotificationState.FAILED, True)
    assert "no such table" in delivery.sentence


def test_numbers_are_spelled_alike() -> None:
    """What people write between digits is no part of the number."""
    assert address_of(Contact("a", "A", phone="+256 700-000 001")) == PHONE

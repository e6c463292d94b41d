"""gammu's own tables on a real PostgreSQL: its types differ from those of SQLite."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from alerts.notification import NotificationKind, NotificationState
from alerts.notifiers.notifier import DeliveryReport, IncomingText, OutgoingMessage, Workplace
from alerts.notifiers.sms_modem import SmsModemNotifier, SmsModemSettings
from tests.system.test_notif_postgresql import Server, server

__all__ = ["server"]

pytestmark = pytest.mark.system

SCHEMA = Path("/usr/share/doc/gammu-smsd/examples/pgsql.sql")
MOVED = """
INSERT INTO sentitems ("ID", "SequencePosition", "Text", "UDH", "SenderID", "CreatorID", "Status")
SELECT "ID", 1, '', '', '', "CreatorID", 'DeliveryOK' FROM outbox
"""
RECEIVED = """
INSERT INTO inbox ("Text", "SenderNumber", "UDH", "TextDecoded", "RecipientID")
VALUES ('', '+256700000001', '', '1', '')
"""


def schema() -> str:
    """Return gammu's schema without the language that PostgreSQL has had for long, or skip."""
    if not SCHEMA.exists():
        pytest.skip("gammu's schema is missing; the Debian package 'gammu-smsd' has it")
    lines = SCHEMA.read_text("utf-8").splitlines()
    return "\n".join(line for line in lines if not line.upper().startswith("CREATE LANGUAGE"))


async def a_database(server: Server) -> AsyncEngine:
    """Create a database with gammu's schema."""
    admin = create_async_engine(server.url("postgres"), isolation_level="AUTOCOMMIT")
    async with admin.connect() as connection:
        await connection.execute(text("CREATE DATABASE smsd"))
    await admin.dispose()
    database = create_async_engine(server.url("smsd"))
    async with database.connect() as connection:
        raw = (await connection.get_raw_connection()).driver_connection
        assert raw is not None
        await raw.execute(schema())
    return database


async def test_messages_reports_and_answers_go_through_gammus_tables(server: Server) -> None:
    """A long text is queued with its parts, its report and an answer are heard once."""
    heard: list[DeliveryReport | IncomingText] = []

    async def hear(event: DeliveryReport | IncomingText) -> None:
        heard.append(event)

    database = await a_database(server)
    settings = SmsModemSettings.model_validate({"database": server.url("smsd")})
    notifier = SmsModemNotifier(settings, database, Workplace(print, heard=hear))
    long = OutgoingMessage("k", 7, NotificationKind.ALARM, "a", "+256700000001", "s", "ж" * 100, "l", {})
    for _ in range(2):
        assert (await notifier.send(long)).state is NotificationState.SUBMITTED
    async with database.begin() as connection:
        for query in ("SELECT * FROM outbox", "SELECT * FROM outbox_multipart"):
            assert len((await connection.execute(text(query))).all()) == 1
        due = 'SELECT "MultiPart" FROM outbox WHERE "SendingDateTime" < LOCALTIMESTAMP(0) AND "SenderID" = \'\''
        assert (await connection.execute(text(due))).scalar_one() is True
        await connection.execute(text(MOVED))
        await connection.execute(text("DELETE FROM outbox"))
        await connection.execute(text(RECEIVED))
    for _ in range(2):
        await notifier.look_once()
    await database.dispose()
    assert heard == [
        IncomingText("sms_modem", "+256700000001", "1", "gammu-1"),
        DeliveryReport("sms_modem", "k", NotificationState.DELIVERED),
    ]

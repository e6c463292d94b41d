"""SMS through Debian's gammu-smsd, with its dummy phone: a folder in which files are messages."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from alerts.notification import NotificationKind, NotificationState
from alerts.notifiers.notifier import DeliveryReport, IncomingText, OutgoingMessage, Workplace
from alerts.notifiers.sms_modem import SmsModemNotifier, SmsModemSettings, open_sms_modem
from tests.system.servers import START_SECONDS, ServerProcess, require

pytestmark = pytest.mark.system

SCHEMA = Path("/usr/share/doc/gammu-smsd/examples/sqlite.sql")
DRIVERS = Path("/usr/lib")
CONFIGURATION = """\
[gammu]
device = {home}/phone
connection = none
model = dummy
[smsd]
service = sql
driver = sqlite3
host = {home}
dbdir = {home}
database = smsd.db
logfile = {home}/smsd.log
commtimeout = 1
receivefrequency = 1
loopsleep = 1
"""
PHONE = "+256700000009"
Event = DeliveryReport | IncomingText


def a_phone(home: Path) -> Path:
    """Lay out tables and configuration; return the configuration."""
    if not SCHEMA.exists() or not any(DRIVERS.glob("*/dbd/libdbdsqlite3.so")):
        pytest.skip("gammu's schema or its SQLite driver is missing; 'gammu-smsd' and 'libdbd-sqlite3' have them")
    (home / "phone").mkdir()
    database = sqlite3.connect(home / "smsd.db")
    database.executescript(SCHEMA.read_text("utf-8"))
    database.close()
    configuration = home / "smsdrc"
    configuration.write_text(CONFIGURATION.format(home=home), "utf-8")
    return configuration


def receive(home: Path, text: str) -> None:
    """Let the phone receive a text: a file in its first folder, of a message that was delivered to it."""
    arriving = home / "arriving"
    command = ["gammu", "-c", str(home / "smsdrc"), "savesms", "TEXT", "-folder", "1", "-unread", "-sender", PHONE]
    inbox = home / "phone" / "sms" / "1"
    subprocess.run([*command, "-len", "500"], input=text, text=True, check=True, capture_output=True, timeout=30)
    for saved in inbox.iterdir():
        # Replaced whole, so that the daemon never reads half a file.
        arriving.write_text(saved.read_text("utf-8").replace("PDU = Submit", "PDU = Deliver"), "utf-8")
        shutil.move(arriving, saved)


@asynccontextmanager
async def a_modem(home: Path, heard: asyncio.Queue[Event], **settings: object) -> AsyncIterator[SmsModemNotifier]:
    """Give the notifier on the daemon's tables."""
    found = {"database": f"sqlite+aiosqlite:///{home}/smsd.db", "poll_real_seconds": 0.1, **settings}
    async with open_sms_modem(SmsModemSettings.model_validate(found), Workplace(print, heard=heard.put)) as notifier:
        yield notifier


@asynccontextmanager
async def a_daemon(home: Path) -> AsyncIterator[None]:
    """Run gammu-smsd."""

    async def has_phone() -> bool:
        return await asyncio.to_thread(_count, home, "phones") > 0

    binary = require("gammu-smsd", package="gammu-smsd")
    process = ServerProcess([binary, "-c", str(home / "smsdrc")], log=home / "out.txt", ready=has_phone)
    await process.start()
    try:
        yield
    finally:
        await process.stop()


def _count(home: Path, table: str) -> int:
    database = sqlite3.connect(home / "smsd.db", timeout=5)
    try:
        return int(database.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608
    finally:
        database.close()


def a_message(key: str, text: str) -> OutgoingMessage:
    """Return an alarm."""
    return OutgoingMessage(key, 7, NotificationKind.ALARM, "amina", PHONE, "s", text, "l", {})


async def test_messages_leave_through_the_modem_and_are_reported(tmp_path: Path) -> None:
    """Short, long and foreign texts are taken by the phone, and the daemon's word for it is passed on."""
    require("gammu-smsd", package="gammu-smsd")
    a_phone(tmp_path)
    heard: asyncio.Queue[Event] = asyncio.Queue()
    texts = {"short": "ALARM 9.4C [é]", "long": "ALARM " * 40, "foreign": "Внимание " * 10}
    async with a_daemon(tmp_path), a_modem(tmp_path, heard, delivery_reports=False) as notifier:
        for key, text in texts.items():
            assert (await notifier.send(a_message(key, text))).state is NotificationState.SUBMITTED
        async with asyncio.timeout(START_SECONDS):
            reports = [await heard.get() for _ in texts]
    assert {
        report.reference: report.state for report in reports if isinstance(report, DeliveryReport)
    } == dict.fromkeys(texts, NotificationState.DELIVERED)


async def test_answers_arrive_whole_and_once(tmp_path: Path) -> None:
    """A short answer comes as it is, a long one joined; both are marked as processed."""
    require("gammu-smsd", package="gammu-smsd")
    require("gammu", package="gammu")
    a_phone(tmp_path)
    heard: asyncio.Queue[Event] = asyncio.Queue()
    long = "I go now but the road is flooded. " * 8
    async with a_modem(tmp_path, heard):
        # The phone is filled before the daemon starts: two programs on one folder would race.
        await asyncio.to_thread(receive, tmp_path, "1")
        async with a_daemon(tmp_path), asyncio.timeout(START_SECONDS):
            short = await heard.get()
        await asyncio.to_thread(receive, tmp_path, long)
        async with a_daemon(tmp_path), asyncio.timeout(START_SECONDS):
            second = await heard.get()
    assert isinstance(short, IncomingText)
    assert isinstance(second, IncomingText)
    assert (short.sender, short.text.strip(), second.text.strip()) == (PHONE, "1", long.strip())
    assert heard.empty()

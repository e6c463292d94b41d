"""Monthly reports by e-mail through a real SMTP server, on a clock moved by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from io import BytesIO
from typing import Any

import pytest
from aiosmtpd.smtp import Envelope
from pypdf import PdfReader

from app.backtest import read_directory
from app.config import ServiceConfig, read_config
from app.database import open_database
from app.reports.post import ReportPost, open_report_post
from domain.document import Document
from domain.errors import DocumentError
from domain.instant import to_ms
from registry.history import Occasion
from registry.store import RegistryStore
from tests.api.world import SteppedClock
from tests.app import test_report, test_sla
from tests.app.test_report import on_paper
from tests.app.test_sla import Site
from tests.system.test_notif_email import Post, a_mail_server

pytestmark = [pytest.mark.system, on_paper]
clinic = test_sla.clinic
measured = test_report.measured
PEOPLE = {
    "contacts": [
        {"id": "amina", "name": "Amina", "language": "fr", "email": "amina@example.org", "district": "Kasese"},
        {"id": "joseph", "name": "Joseph", "district": "Kasese", "phone": "+256700000001"},
    ],
    "teams": [{"id": "managers", "name": "Managers", "members": ["amina", "joseph"]}],
}
MID_NOVEMBER = datetime(2026, 11, 15, tzinfo=UTC)
DUE = datetime(2026, 12, 2, 4, tzinfo=UTC)
"""Seven in the morning in Kampala."""


@pytest.fixture
def post() -> Iterator[Post]:
    """Give a mail server's memory."""
    with a_mail_server() as server:
        yield server


class Sending:
    """The sender of a service that may be started again, and its clock."""

    def __init__(self, config: ServiceConfig, clock: SteppedClock, start: Callable[[], Any]) -> None:
        self.config, self.clock, self.start = config, clock, start

    def at(self, moment: datetime) -> None:
        """Put the clock."""
        self.clock.advance(moment - datetime.fromtimestamp(self.clock.now_ms() / 1000, UTC))


def configured(measured: Site, post: Post, more: str = "") -> ServiceConfig:
    """Return the configuration of the clinic with a mail server."""
    file = measured.config.data.parent / "vitals.yaml"
    file.write_text(
        f"data: data\nalerts: {{notifiers: {{email: {{host: 127.0.0.1, port: {post.port}, security: none, "
        f"sender: vitals@example.org}}}}}}\nreports: {{monthly: [{{to: [team:managers, head@example.org], "
        f"of: [{{facility: clinic}}]{more}}}]}}\n",
        "utf-8",
    )
    return read_config(file, {})


@pytest.fixture
async def sending(measured: Site, post: Post) -> AsyncIterator[Sending]:
    """Give the means to start who sends, again and again."""
    config = configured(measured, post)
    async with open_database(config.database_url) as database:
        await RegistryStore(database).import_document(Document("p", PEOPLE), occasion=Occasion(2))
        directory, clock = await read_directory(config), SteppedClock(to_ms(MID_NOVEMBER))

        @asynccontextmanager
        async def start() -> AsyncIterator[ReportPost]:
            found = await open_report_post(config, database, lambda: directory, clock)
            assert found is not None
            yield found

        yield Sending(config, clock, start)


async def test_a_month_is_sent_once_when_it_is_due(sending: Sending, post: Post) -> None:
    """Not before the hour, to everybody in their language with both files, and not again after a restart."""
    async with sending.start() as sender:
        await sender.look()
        sending.at(DUE - timedelta(minutes=1))
        await sender.look()
        assert post.mails == []
        sending.at(DUE)
        await sender.look()
        await sender.look()
    async with sending.start() as restarted:
        sending.at(DUE + timedelta(days=3))
        await restarted.look()
        assert restarted.trouble == ""
    assert sorted(str(each["To"]) for each in post.mails) == ["amina@example.org", "head@example.org"]
    by_address = {str(each["To"]): each for each in post.mails}
    assert by_address["amina@example.org"]["Subject"] == "Rapport mensuel : Clinic, novembre 2026"
    assert by_address["head@example.org"]["Subject"] == "Monthly report: Clinic, November 2026"
    assert [each.get_filename() for each in by_address["head@example.org"].iter_attachments()] == [
        "2026-11-clinic.pdf", "2026-11-clinic.csv",
    ]  # fmt: skip
    assert "novembre 2026" in paper(by_address["amina@example.org"])


def paper(mail: EmailMessage) -> str:
    """Return what stands on the first page of the report in a mail."""
    attached = next(mail.iter_attachments()).get_content()
    return PdfReader(BytesIO(attached)).pages[0].extract_text()


async def test_a_month_missed_while_down_is_sent_late(sending: Sending, post: Post) -> None:
    """Two of them even, in their order; of a place that is new here nothing of the past."""
    async with sending.start() as sender:
        await sender.look()
    sending.at(datetime(2027, 1, 20, tzinfo=UTC))
    async with sending.start() as restarted:
        await restarted.look()
    to_head = [str(each["Subject"]) for each in post.mails if each["To"] == "head@example.org"]
    assert to_head == ["Monthly report: Clinic, November 2026", "Monthly report: Clinic, December 2026"]


async def test_what_cannot_be_sent_is_told_and_tried_again(
    sending: Sending, post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    """The pause doubles; whoever has it does not get it again, also after a restart; each attempt has the same id."""
    async with sending.start() as sender:
        await sender.look()
        sending.at(DUE)
        refuse(post, "head@example.org", "451 later")
        await sender.look()
        assert "head@example.org" in sender.trouble
        assert "monthly report on clinic" in caplog.text
        sending.at(DUE + timedelta(seconds=59))
        await sender.look()
        assert [each["To"] for each in post.mails] == ["amina@example.org"]
        sending.at(DUE + timedelta(seconds=61))
        await sender.look()
        sending.at(DUE + timedelta(seconds=61 + 119))
        refuse(post, "", "")
        await sender.look()
        assert len(post.mails) == 1
    async with sending.start() as restarted:
        await restarted.look()
        assert restarted.trouble == ""
    assert [each["To"] for each in post.mails] == ["amina@example.org", "head@example.org"]


async def test_an_address_refused_for_good_holds_nobody_up(
    sending: Sending, post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    """It is told in the log, and the month is over."""
    async with sending.start() as sender:
        await sender.look()
        sending.at(DUE)
        refuse(post, "head@example.org", "550 no such person")
        await sender.look()
        assert sender.trouble == ""
        refuse(post, "", "")
        await sender.look()
    assert "never sent to head@example.org" in caplog.text
    assert [each["To"] for each in post.mails] == ["amina@example.org"]


def refuse(post: Post, address: str, answer: str) -> None:
    """Let the mail server answer one recipient so; nobody for an empty address."""

    async def handle(server: Any, session: Any, envelope: Envelope, to: str, options: list[str]) -> str:
        if to == address:
            return answer
        envelope.rcpt_tos.append(to)
        return "250 OK"

    post.handle_RCPT = handle  # type: ignore[assignment,method-assign]  # as the server calls it


async def test_reports_need_a_mail_server_and_places_stand_once(measured: Site, post: Post) -> None:
    """What is wrong in the configuration is told at the start, with what is allowed."""
    file = measured.config.data.parent / "vitals.yaml"
    for wrong, said in (
        ("reports: {monthly: [{to: [a@example.org]}]}", "needs a mail server"),
        ("reports: {monthly: [{to: [amina]}]}", "an e-mail address"),
        ("reports: {monthly: [{to: ['contact:a'], of: [{district: K}, {district: K}]}]}", "one entry"),
        ("reports: {monthly: [{to: ['contact:a'], day: 31}]}", "day"),
    ):
        file.write_text(f"data: data\n{wrong}\n", "utf-8")
        with pytest.raises(DocumentError, match=said):
            read_config(file, {})

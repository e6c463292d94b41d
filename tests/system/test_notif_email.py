"""E-mail through a real SMTP server: what arrives, and what its refusals mean."""

from __future__ import annotations

import email.policy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from email import message_from_bytes
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope

from alerts.notification import NotificationKind, NotificationState
from alerts.notifiers.email import EmailNotifier, EmailSettings
from alerts.notifiers.notifier import OutgoingMessage
from tests.system.servers import free_ports

pytestmark = pytest.mark.system

MESSAGE = OutgoingMessage(
    key="7-1-amina-email",
    reference=7,
    kind=NotificationKind.ALARM,
    contact="amina",
    address="amina@example.org",
    subject="ALARM Poste de santé, réfrigérateur 2: trop chaud (ref 7)",
    short_text="ALARM",
    long_text="Lieu: Poste de santé ካሴሴ\nValeur: 9.4 °C\n.\n",
    facts={},
)


@dataclass
class Post:
    """A mail server's memory, and the answers that it gives instead of accepting."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    recipient_answer: str = ""
    data_answer: str = ""
    logins: list[tuple[bytes, bytes]] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802  # the name that aiosmtpd calls
        self, server: Any, session: Any, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Accept the recipient unless told otherwise."""
        if not self.recipient_answer:
            envelope.rcpt_tos.append(address)
        return self.recipient_answer or "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:  # noqa: N802  # as above
        """Keep the mail unless told otherwise."""
        if not self.data_answer and isinstance(envelope.content, bytes):
            mail = message_from_bytes(envelope.content, policy=email.policy.default)
            assert isinstance(mail, EmailMessage)
            self.mails.append(mail)
        return self.data_answer or "250 kept as 42"

    def check_login(self, server: Any, session: Any, envelope: Any, mechanism: str, login: Any) -> AuthResult:
        """Let those in who know the word."""
        self.logins.append((login.login, login.password))
        return AuthResult(success=login.password == b"sesame", handled=False)


@contextmanager
def a_mail_server(**options: Any) -> Iterator[Post]:
    """Run a mail server meanwhile."""
    post = Post(port=free_ports(1)[0])
    controller = Controller(
        post, hostname="127.0.0.1", port=post.port, authenticator=post.check_login, auth_require_tls=False, **options
    )
    controller.start()
    try:
        yield post
    finally:
        controller.stop()


def a_notifier(post: Post, **settings: Any) -> EmailNotifier:
    """Return a notifier for the server."""
    fields = {"host": "127.0.0.1", "port": post.port, "sender": "Vitals <vitals@example.org>", "security": "none"}
    return EmailNotifier(EmailSettings.model_validate(fields | settings))


async def test_a_mail_arrives_as_it_was_written() -> None:
    """Accents, other scripts and lone dots survive; the message id is the same for every attempt."""
    with a_mail_server() as post:
        first = await a_notifier(post).send(MESSAGE)
        await a_notifier(post).send(MESSAGE)
    assert (first.state, first.reference) == (NotificationState.DELIVERED, "kept as 42")
    mail, again = post.mails
    assert (mail["To"], mail["Subject"]) == (MESSAGE.address, MESSAGE.subject)
    assert mail.get_content().replace("\r\n", "\n") == MESSAGE.long_text
    assert mail["Message-ID"] == again["Message-ID"]
    assert mail["Auto-Submitted"] == "auto-generated"


async def test_a_login_is_used_where_there_is_one() -> None:
    """User name and password reach the server; a wrong password may be mended before the deadline."""
    with a_mail_server() as post:
        good = await a_notifier(post, username="vitals", password="sesame").send(MESSAGE)
        bad = await a_notifier(post, username="vitals", password="simsim").send(MESSAGE)
    assert good.state is NotificationState.DELIVERED
    assert (bad.state, bad.recoverable) == (NotificationState.FAILED, True)
    assert "simsim" not in bad.sentence


@pytest.mark.parametrize(
    ("answer", "recoverable"), [("550 no such user", False), ("450 mailbox busy", True), ("452 full", True)]
)
async def test_a_refused_recipient(answer: str, recoverable: bool) -> None:
    """5xx is for good, 4xx for now, and the server's words are kept."""
    with a_mail_server() as post:
        post.recipient_answer = answer
        delivery = await a_notifier(post).send(MESSAGE)
    assert (delivery.state, delivery.recoverable) == (NotificationState.FAILED, recoverable)
    assert answer[4:] in delivery.sentence


@pytest.mark.parametrize(("answer", "recoverable"), [("554 looks like spam", False), ("451 try later", True)])
async def test_a_refused_text(answer: str, recoverable: bool) -> None:
    """The same holds for what the message says."""
    with a_mail_server() as post:
        post.data_answer = answer
        delivery = await a_notifier(post).send(MESSAGE)
    assert (delivery.state, delivery.recoverable) == (NotificationState.FAILED, recoverable)


async def test_a_server_that_is_away_is_tried_again() -> None:
    """A refused connection is a failure for now."""
    delivery = await a_notifier(Post(port=free_ports(1)[0])).send(MESSAGE)
    assert (delivery.state, delivery.recoverable) == (NotificationState.FAILED, True)


async def test_no_mail_leaves_in_the_clear_where_starttls_is_asked_for() -> None:
    """A server that offers no STARTTLS gets nothing."""
    with a_mail_server() as post:
        delivery = await a_notifier(post, security="starttls").send(MESSAGE)
    assert delivery.state is NotificationState.FAILED
    assert post.mails == []


@pytest.mark.parametrize("address", ["amina@example.org\nBcc: all@example.org", "amina@example.org\r\n\r\nhello"])
async def test_an_address_cannot_smuggle_headers(address: str) -> None:
    """A line break in an address is refused for good, and nothing is sent."""
    with a_mail_server() as post:
        delivery = await a_notifier(post).send(replace(MESSAGE, address=address))
    assert (delivery.state, delivery.recoverable) == (NotificationState.FAILED, False)
    assert post.mails == []

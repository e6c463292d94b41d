"""Tell by e-mail: plain text through an SMTP server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import EmailMessage
from email.utils import parseaddr
from enum import StrEnum

import aiosmtplib
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from alerts.notifiers.notifier import Delivery, OutgoingMessage, Workplace
from domain.people import Contact

_PERMANENT_FROM = 500


class Security(StrEnum):
    """How the connection to the mail server is protected."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"
    """Only for a server on the same machine."""


class EmailSettings(BaseModel):
    """The mail server and the sender."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str
    port: int = Field(default=587, ge=1, le=65535)
    sender: str
    """The address that messages come from: ``Vitals <vitals@example.org>``."""
    username: str | None = None
    password: SecretStr | None = None
    security: Security = Security.STARTTLS
    timeout_seconds: float = Field(default=20.0, gt=0, le=300)

    @field_validator("sender")
    @classmethod
    def _is_an_address(cls, sender: str) -> str:
        if "@" not in parseaddr(sender)[1]:
            raise ValueError("an e-mail address such as vitals@example.org")
        return sender


class EmailNotifier:
    """Sends each message through a connection of its own."""

    def __init__(self, settings: EmailSettings) -> None:
        self._settings = settings

    async def send(self, message: OutgoingMessage) -> Delivery:
        """Hand the message to the server; its acceptance is all that SMTP can tell."""
        try:
            mail = letter(message, self._settings.sender)
        except ValueError as error:
            return Delivery.failed(f"{message.address!r} is not an e-mail address: {error}", recoverable=False)
        return await post(mail, self._settings)


async def post(mail: EmailMessage, settings: EmailSettings) -> Delivery:
    """Hand a mail to the server, through a connection of its own."""
    try:
        _, answer = await aiosmtplib.send(
            mail,
            hostname=settings.host,
            port=settings.port,
            username=settings.username,
            password=settings.password.get_secret_value() if settings.password else None,
            use_tls=settings.security is Security.TLS,
            start_tls=settings.security is Security.STARTTLS,
            timeout=settings.timeout_seconds,
        )
    except (aiosmtplib.SMTPException, OSError) as error:
        return refused(error)
    return Delivery.delivered(answer)


def letter(message: OutgoingMessage, sender: str) -> EmailMessage:
    """Return the mail; raises ``ValueError`` for an address that cannot stand in a header."""
    return new_mail(message.key, sender, message.address, message.subject, message.long_text)


def new_mail(key: str, sender: str, address: str, subject: str, text: str) -> EmailMessage:
    """Return a mail, the same key in every attempt; raises ``ValueError`` for what cannot stand in a header."""
    mail = EmailMessage()
    mail["From"] = sender
    mail["To"] = address
    mail["Subject"] = subject
    # The same for every attempt, so that a mailbox can recognise a repetition.
    mail["Message-ID"] = f"<vitals.{key}@{parseaddr(sender)[1].rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text)
    return mail


def refused(error: Exception) -> Delivery:
    """Return what a failure means: a refusal of this recipient or text is for good, all else may pass."""
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        codes = [refusal.code for refusal in error.recipients]
        recoverable = any(code < _PERMANENT_FROM for code in codes)
        sentence = "; ".join(f"{refusal.code} {refusal.message}" for refusal in error.recipients)
        return Delivery.failed(f"the mail server refused the recipient: {sentence}", recoverable=recoverable)
    if isinstance(error, aiosmtplib.SMTPDataError):
        sentence = f"the mail server refused the message: {error.code} {error.message}"
        return Delivery.failed(sentence, recoverable=error.code < _PERMANENT_FROM)
    return Delivery.failed(f"the mail server did not take it: {error}", recoverable=True)


def address_of(contact: Contact) -> str:
    """Return the person's e-mail address."""
    return contact.email


@asynccontextmanager
async def open_email(settings: EmailSettings, workplace: Workplace) -> AsyncIterator[EmailNotifier]:
    """Give the notifier; connections live as long as one message."""
    yield EmailNotifier(settings)

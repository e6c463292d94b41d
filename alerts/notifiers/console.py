"""Tell by writing a line: for a trial, a log, or a terminal that somebody watches."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from pydantic import BaseModel, ConfigDict

from alerts.notifiers.notifier import Delivery, OutgoingMessage, Workplace
from domain.people import Contact


class ConsoleSettings(BaseModel):
    """Nothing to set: being there turns it on."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ConsoleNotifier:
    """Writes what would go out as an SMS, with the name of the one it is for."""

    def __init__(self, writer: Callable[[str], None]) -> None:
        self._writer = writer

    async def send(self, message: OutgoingMessage) -> Delivery:
        """Write one line."""
        try:
            self._writer(f"to {message.contact} ({message.address}): {message.short_text}")
        except OSError as error:
            return Delivery.failed(f"the console cannot be written to: {error}", recoverable=False)
        return Delivery.delivered()


def address_of(contact: Contact) -> str:
    """Return where an SMS or else an e-mail would go; the id where there is neither."""
    return contact.phone or contact.email or contact.id


@asynccontextmanager
async def open_console(settings: ConsoleSettings, workplace: Workplace) -> AsyncIterator[ConsoleNotifier]:
    """Give the notifier; there is nothing to close."""
    yield ConsoleNotifier(workplace.writer)

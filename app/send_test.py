"""``vitals alerts send-test``: one message to one person, straight through the notifiers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from alerts.notification import NotificationKind, NotificationState
from alerts.notifiers.notifier import Delivery, OutgoingMessage, Workplace
from alerts.notifiers.table import NOTIFIERS, Row, open_notifiers
from alerts.words.alphabet import alphabet_of
from alerts.words.language import say
from alerts.words.phrases import how_to_answer, keyword
from alerts.words.times import local_time
from app.check import planned_directory
from app.config import ServiceConfig
from domain.directory import Directory
from domain.errors import OperatorError
from domain.people import Contact
from domain.suggest import allowed_words


async def send_test(
    config: ServiceConfig, contact_id: str, channel: str | None, *, now: datetime, echo: Callable[[str], None]
) -> bool:
    """Send to one contact over every channel that reaches them unasked, or over one; tell whether all took it."""
    directory = await planned_directory(config)
    contact = directory.contacts.get(contact_id)
    if contact is None:
        raise OperatorError(f"no such contact: {allowed_words(contact_id, directory.contacts)}")
    rows = _rows(config, contact, channel)
    taken = True
    async with open_notifiers(config.alerts.notifiers, Workplace(echo)) as notifiers:
        for row in rows:
            delivery = await notifiers[row.name].send(_message(row, contact, directory, now))
            echo(f"{row.name}: {_outcome(delivery)}")
            taken = taken and delivery.state is not NotificationState.FAILED
    return taken


def words_of_test(contact: Contact, timezone: str, now: datetime, *, answerable: bool) -> str:
    """Return what a test message says, in the language of the one who gets it."""
    language = contact.language
    moment = local_time(now, timezone, language)
    text = say(language, "Vitals reaches you, {moment}. There is nothing to do.", moment=moment)
    answer = say(language, "To an alarm: {how}", how=how_to_answer(language)) if answerable else ""
    return " ".join(filter(None, (f"{keyword(NotificationKind.TEST, language)}:", text, answer)))


def _rows(config: ServiceConfig, contact: Contact, channel: str | None) -> list[Row]:
    on = [row for row in NOTIFIERS if getattr(config.alerts.notifiers, row.name) is not None]
    if channel is not None:
        named = [row for row in on if row.name == channel]
        if not named:
            raise OperatorError(f"no such channel is configured: {allowed_words(channel, [row.name for row in on])}")
        on = named
    rows = [row for row in on if row.address_of(contact) and (channel or not row.on_request)]
    if not rows:
        raise OperatorError(f"contact {contact.id} has no address for {channel or 'any channel that is configured'}")
    return rows


def _message(row: Row, contact: Contact, directory: Directory, now: datetime) -> OutgoingMessage:
    zones = (place.timezone for place in directory.facilities.values() if contact.answers_for(place))
    text = words_of_test(contact, next(zones, "UTC"), now, answerable=row.answerable)
    return OutgoingMessage(
        key=f"test-{contact.id}-{row.name}-{now:%Y%m%d%H%M%S%f}",
        reference=0,
        kind=NotificationKind.TEST,
        contact=contact.id,
        address=row.address_of(contact),
        subject=f"Vitals: {keyword(NotificationKind.TEST, contact.language)}",
        short_text=alphabet_of(contact.language).clean(text),
        long_text=f"{text}\n",
        facts={},
    )


def _outcome(delivery: Delivery) -> str:
    if delivery.state is NotificationState.FAILED:
        return f"refused: {delivery.sentence}"
    if delivery.state is NotificationState.SUBMITTED:
        return "submitted; whether it arrived is reported later"
    return "delivered"

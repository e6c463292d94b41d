"""Tell by SMS through an operator's message centre (SMSC): SMPP 3.4, one transceiver session that is kept bound."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

from alerts.notification import NotificationState
from alerts.notifiers import gsm7_bytes
from alerts.notifiers.notifier import Delivery, DeliveryReport, IncomingText, OutgoingMessage, Workplace
from alerts.notifiers.smpp_pdu import (
    UCS2,
    Command,
    Delivered,
    Packet,
    Status,
    Submission,
    bind_body,
    message_id_of,
    submit_body,
)
from alerts.notifiers.smpp_session import Session
from alerts.notifiers.smpp_settings import LongMessages, SmppSettings
from alerts.notifiers.smpp_texts import LongTexts, address_for, receipt_of, sender_of, text_of
from alerts.notifiers.sms_modem import spelled
from alerts.notifiers.sms_parts import MOST_PARTS, SmsParts, header_of, parts_of
from domain.errors import PeerError
from domain.gsm7 import septets
from domain.people import Contact

log = logging.getLogger(__name__)

CHANNEL = "smpp"
# This recipient, sender or text, today and tomorrow: lengths, addresses, kinds of address (section 5.1.3).
_FOR_GOOD = frozenset({0x01, 0x0A, 0x0B, 0x48, 0x49, 0x50, 0x51})
_REMEMBERED_PARTS = 10_000
_BUSY = frozenset({Status.THROTTLED, Status.QUEUE_FULL})


class SmppNotifier:
    """Sends over the session of the moment; ``stay_bound`` makes it, again and again."""

    def __init__(self, settings: SmppSettings, workplace: Workplace) -> None:
        self._settings, self._workplace = settings, workplace
        self._session: Session | None = None
        self._long_texts = LongTexts(settings.join_within_real_seconds)
        self._earlier_parts: dict[str, str] = {}
        self._said = ""

    async def send(self, message: OutgoingMessage) -> Delivery:
        """Submit the message, part by part."""
        session, parts = self._session, self._parts(message.short_text)
        if len(parts.texts) > MOST_PARTS:
            return Delivery.failed("the text is too long for an SMS", recoverable=False)
        if session is None:
            return Delivery.failed(f"not bound to the message centre: {self._said or 'not yet'}", recoverable=True)
        ids: list[str] = []
        try:
            for submission in self._submissions(message, parts):
                answer = await session.request(Command.SUBMIT_SM, submit_body(submission))
                if answer.status != Status.OK:
                    return self._refused(answer)
                ids.append(self._id_of(answer))
        except PeerError as error:
            return Delivery.failed(str(error), recoverable=True)
        if not self._settings.delivery_reports:
            return Delivery.delivered(ids[-1])
        self._remember(ids)
        return Delivery(NotificationState.SUBMITTED, reference=ids[-1])

    async def stay_bound(self) -> None:
        """Connect, bind and serve until cancelled; after every end with a growing pause."""
        pause = self._settings.reconnect_first_real_seconds
        while True:
            try:
                async with self._connection() as session:
                    await self._serve(session)
                self._say("the message centre ended the session")
            except* (PeerError, OSError) as group:
                self._say("; ".join(_sentences(group)))
            except* Exception:
                # A defect of ours must not end the only way to reach people.
                log.exception("smpp: the session failed")
                self._say("a defect in our session")
            if self._session is not None:
                pause = self._settings.reconnect_first_real_seconds
            self._session = None
            await asyncio.sleep(pause)
            pause = min(2 * pause, self._settings.reconnect_longest_real_seconds)

    async def _serve(self, session: Session) -> None:
        async with asyncio.TaskGroup() as tasks:
            reading = tasks.create_task(session.run())
            account = self._settings
            answer = await session.request(
                Command.BIND_TRANSCEIVER,
                bind_body(account.system_id, account.password.get_secret_value(), account.system_type),
            )
            if answer.status != Status.OK:
                raise PeerError(f"the message centre refused to bind: status {answer.status:#x}")
            self._session = session
            self._say("")
            keeping = tasks.create_task(self._keep(session))
            try:
                await reading
            finally:
                keeping.cancel()

    async def _keep(self, session: Session) -> None:
        while True:
            await asyncio.sleep(self._settings.enquire_real_seconds)
            await session.request(Command.ENQUIRE_LINK)
            for sender, text in self._long_texts.overdue(self._workplace.unix_seconds()):
                await self._workplace.heard(IncomingText(CHANNEL, sender, text, ""))

    async def _deliver(self, found: Delivered) -> int:
        try:
            if found.is_receipt:
                await self._take_receipt(found)
            elif (text := text_of(found)) is not None:
                sender = sender_of(found.source)
                whole = self._long_texts.add(sender, found.header, text, self._workplace.unix_seconds())
                if whole is not None:
                    await self._workplace.heard(IncomingText(CHANNEL, sender, whole, ""))
        except Exception:
            # It could not be kept: the message centre keeps it and brings it again.
            log.exception("smpp: a message from the centre could not be kept")
            return Status.TEMPORARY_ERROR
        return Status.OK

    async def _take_receipt(self, found: Delivered) -> None:
        receipt = receipt_of(found)
        if receipt.state is None or not receipt.message_id:
            return
        reference = self._earlier_parts.pop(receipt.message_id, receipt.message_id)
        await self._workplace.heard(DeliveryReport(CHANNEL, reference, receipt.state, receipt.sentence))

    def _submissions(self, message: OutgoingMessage, parts: SmsParts) -> list[Submission]:
        count = len(parts.texts)
        number = sum(message.key.encode())
        headers = [header_of(number, count, position) if count > 1 else "" for position in range(1, count + 1)]
        # Of the earlier parts only a failure is news.
        wanted = [2] * (count - 1) + [1] if self._settings.delivery_reports else [0] * count
        return [
            Submission(
                source=address_for(self._settings.sender),
                destination=address_for(message.address),
                coding=0 if parts.gsm7 else UCS2,
                message=gsm7_bytes.to_bytes(text) if parts.gsm7 else text.encode("utf-16-be"),
                header=bytes.fromhex(header),
                registered_delivery=receipt,
            )
            for text, header, receipt in zip(parts.texts, headers, wanted, strict=True)
        ]

    def _parts(self, text: str) -> SmsParts:
        if self._settings.long_messages is LongMessages.PAYLOAD:
            return SmsParts(septets(text) is not None, (text,))
        return parts_of(text)

    def _id_of(self, answer: Packet) -> str:
        found = message_id_of(answer.body)
        with suppress(ValueError):
            return str(int(found, 16)) if self._settings.hexadecimal_ids else found
        return found

    def _remember(self, ids: Sequence[str]) -> None:
        self._earlier_parts |= dict.fromkeys(ids[:-1], ids[-1])
        # Most never fail, and so are never heard of again.
        for forgotten in list(self._earlier_parts)[:-_REMEMBERED_PARTS]:
            del self._earlier_parts[forgotten]

    def _refused(self, answer: Packet) -> Delivery:
        wait = self._settings.throttled_wait_seconds if answer.status in _BUSY else None
        sentence = f"the message centre refused it: status {answer.status:#x}"
        recoverable = answer.status not in _FOR_GOOD
        return Delivery.failed(sentence, recoverable=recoverable, retry_after_seconds=wait)

    def _say(self, sentence: str) -> None:
        if sentence != self._said:
            log.warning("smpp: %s", sentence or "bound")
        self._said = sentence

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Session]:
        settings = self._settings
        context = ssl.create_default_context(cafile=settings.ca_file) if settings.tls else None
        async with asyncio.timeout(settings.timeout_real_seconds):
            reader, writer = await asyncio.open_connection(settings.host, settings.port, ssl=context)
        try:
            yield Session(reader, writer, self._deliver, settings.timeout_real_seconds)
        finally:
            writer.close()

    async def close(self) -> None:
        """Unbind, so that the message centre need not wait for us to time out."""
        if self._session is not None:
            with suppress(PeerError):
                await self._session.request(Command.UNBIND)


def _sentences(group: BaseExceptionGroup[BaseException]) -> list[str]:
    nested = (
        _sentences(each) if isinstance(each, BaseExceptionGroup) else [str(each) or type(each).__name__]
        for each in group.exceptions
    )
    return list(dict.fromkeys(sentence for sentences in nested for sentence in sentences))


def address_of(contact: Contact) -> str:
    """Return the person's telephone number."""
    return spelled(contact.phone)


@asynccontextmanager
async def open_smpp(settings: SmppSettings, workplace: Workplace) -> AsyncIterator[SmppNotifier]:
    """Give the notifier, which stays bound until it is closed."""
    notifier = SmppNotifier(settings, workplace)
    bound = asyncio.create_task(notifier.stay_bound(), name="stay bound over SMPP")
    try:
        yield notifier
    finally:
        await notifier.close()
        bound.cancel()
        with suppress(asyncio.CancelledError):
            await bound

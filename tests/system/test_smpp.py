"""SMPP against a message centre of our own: bound, unbound, throttled, cut off, and heard."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from alerts.notification import NotificationKind, NotificationState
from alerts.notifiers.notifier import Delivery, DeliveryReport, IncomingText, OutgoingMessage, Workplace
from alerts.notifiers.smpp import CHANNEL, SmppNotifier, open_smpp
from alerts.notifiers.smpp_settings import SmppSettings
from tests.system.message_centre import DELIVER_SM, PASSWORD, RESPONSE, UNBIND, MessageCentre, message_centre

pytestmark = pytest.mark.system

AMINA = (1, 1, b"256700000001")
PHONE = "+256700000001"


@dataclass
class Listener:
    """Remembers what it hears; refuses while it is full."""

    heard: asyncio.Queue[DeliveryReport | IncomingText] = field(default_factory=asyncio.Queue)
    full: bool = False

    async def hear(self, event: DeliveryReport | IncomingText) -> None:
        """Take an event."""
        if self.full:
            raise OSError("no room")
        await self.heard.put(event)


@asynccontextmanager
async def connected(
    centre: MessageCentre, listener: Listener | None = None, **settings: object
) -> AsyncIterator[SmppNotifier]:
    """Give a notifier of this centre, once it is bound."""
    found = {
        "host": "127.0.0.1",
        "port": centre.port,
        "system_id": "vitals",
        "password": PASSWORD,
        "sender": "8000",
        "reconnect_first_real_seconds": 0.01,
        **settings,
    }
    workplace = Workplace(print, heard=(listener or Listener()).hear)
    async with asyncio.timeout(20), open_smpp(SmppSettings.model_validate(found), workplace) as notifier:
        yield notifier


async def attempted(notifier: SmppNotifier, text: str = "ALARM") -> Delivery:
    """Try to send a text."""
    return await notifier.send(OutgoingMessage("k", 7, NotificationKind.ALARM, "amina", PHONE, "s", text, "l", {}))


async def sent(notifier: SmppNotifier, text: str = "ALARM") -> Delivery:
    """Send a text, as soon as there is a session: we know of it a little later than the centre."""
    while True:
        delivery = await attempted(notifier, text)
        if not delivery.sentence.startswith("not bound"):
            return delivery
        await asyncio.sleep(0.01)


async def test_a_short_text_is_submitted_in_the_seven_bit_alphabet_and_its_receipt_is_heard() -> None:
    """Each character is a byte of the alphabet, and the receipt names what the answer named."""
    listener = Listener()
    async with message_centre() as centre, connected(centre, listener) as notifier:
        await centre.bound.acquire()
        delivery = await sent(notifier, "Ärger @ 9.4 [€]")
        found = await centre.submitted.get()
        await centre.receipt(b"m1", b"ENROUTE")
        await centre.receipt(b"m1", b"DELIVRD")
        report = await listener.heard.get()
        assert await centre.answers.get() == (DELIVER_SM | RESPONSE, 0)
    assert delivery == Delivery(NotificationState.SUBMITTED, reference="m1")
    assert found.message == b"\x5brger \x00 9.4 \x1b\x3c\x1b\x65\x1b\x3e"
    assert (found.destination, found.source) == (AMINA, (0, 1, b"8000"))
    assert (found.coding, found.registered_delivery, found.esm_class) == (0, 1, 0)
    assert report == DeliveryReport(CHANNEL, "m1", NotificationState.DELIVERED)


async def test_a_long_foreign_text_goes_in_parts_and_one_part_s_failure_is_the_text_s() -> None:
    """UCS-2, a header in each part, a full receipt for the last and a failure's for the others."""
    listener, text = Listener(), "Внимание " * 10
    async with message_centre() as centre, connected(centre, listener) as notifier:
        await centre.bound.acquire()
        delivery = await sent(notifier, text)
        parts = [await centre.submitted.get() for _ in range(2)]
        await centre.receipt(b"m1", b"UNDELIV")
        report = await listener.heard.get()
    assert "".join(part.message[6:].decode("utf-16-be") for part in parts) == text
    assert [part.message[:3] + part.message[4:6] for part in parts] == [b"\5\0\3\2\1", b"\5\0\3\2\2"]
    assert [(part.coding, part.esm_class, part.registered_delivery) for part in parts] == [(8, 0x40, 2), (8, 0x40, 1)]
    assert delivery.reference == "m2"
    assert report == DeliveryReport(CHANNEL, "m2", NotificationState.FAILED, "the operator says UNDELIV")


async def test_a_centre_that_splits_by_itself_gets_the_whole_text() -> None:
    """Long texts travel as message_payload, short ones as usual."""
    async with message_centre() as centre, connected(centre, long_messages="payload") as notifier:
        await centre.bound.acquire()
        await sent(notifier, "A" * 300)
        found = await centre.submitted.get()
    assert (found.message, found.payload) == (b"", b"A" * 300)


async def test_without_receipts_what_was_taken_is_delivered() -> None:
    """Nothing is asked for, and nothing waited for."""
    async with message_centre() as centre, connected(centre, delivery_reports=False) as notifier:
        await centre.bound.acquire()
        assert await sent(notifier) == Delivery(NotificationState.DELIVERED, reference="m1")
        assert (await centre.submitted.get()).registered_delivery == 0


async def test_ids_in_hexadecimal_are_found_in_decimal_receipts() -> None:
    """For centres that spell a name in two ways."""
    async with message_centre() as centre, connected(centre, hexadecimal_ids=True) as notifier:
        centre.ids.append(b"1F")
        await centre.bound.acquire()
        assert (await sent(notifier)).reference == "31"


@pytest.mark.parametrize(
    ("status", "recoverable", "wait"),
    [(0x58, True, 10.0), (0x14, True, 10.0), (0x08, True, None), (0x0B, False, None), (0x401, True, None)],
)
async def test_refusals_say_whether_and_when_to_try_again(status: int, recoverable: bool, wait: float | None) -> None:
    """Too fast waits, a wrong number is for good, an operator's own code is not."""
    async with message_centre() as centre, connected(centre) as notifier:
        centre.submit_statuses.append(status)
        await centre.bound.acquire()
        delivery = await sent(notifier)
    assert (delivery.state, delivery.recoverable) == (NotificationState.FAILED, recoverable)
    assert delivery.retry_after_seconds == wait


async def test_an_answer_is_acknowledged_only_once_it_is_kept() -> None:
    """While it cannot be kept the centre is told to bring it again."""
    listener = Listener(full=True)
    async with message_centre() as centre, connected(centre, listener):
        await centre.bound.acquire()
        await centre.bring(AMINA, 0, 0, b"1 \x5b")
        assert await centre.answers.get() == (DELIVER_SM | RESPONSE, 0x64)
        listener.full = False
        await centre.bring(AMINA, 0, 0, b"1 \x5b")
        assert await centre.answers.get() == (DELIVER_SM | RESPONSE, 0)
        assert await listener.heard.get() == IncomingText(CHANNEL, PHONE, "1 Ä", "")


async def test_answers_in_other_alphabets_and_in_parts_are_read() -> None:
    """UCS-2 with a wide reference, out of order; Latin-1 from a national number; binary data are nobody's."""
    listener = Listener()
    async with message_centre() as centre, connected(centre, listener):
        await centre.bound.acquire()
        await centre.bring(AMINA, 0x40, 8, bytes.fromhex("06080412340202") + "мир".encode("utf-16-be"))
        await centre.bring(AMINA, 0x40, 8, bytes.fromhex("06080412340201") + "привет ".encode("utf-16-be"))
        await centre.bring((2, 1, b"0700000002"), 0, 3, "é".encode("latin-1"))
        await centre.bring(AMINA, 0, 4, b"\xff\xff")
        heard = [await listener.heard.get() for _ in range(2)]
        answers = [await centre.answers.get() for _ in range(4)]
    assert heard == [IncomingText(CHANNEL, PHONE, "привет мир", ""), IncomingText(CHANNEL, "0700000002", "é", "")]
    assert {status for _, status in answers} == {0}


async def test_a_lost_connection_is_made_again() -> None:
    """Cut, unbound by the other side, or spoilt by a packet that cannot be: a new session follows."""
    async with message_centre() as centre, connected(centre) as notifier:
        await centre.bound.acquire()
        centre.hang_up()
        await centre.bound.acquire()
        await centre.send(UNBIND, 0, 1)
        assert await centre.answers.get() == (UNBIND | RESPONSE, 0)
        centre.hang_up()
        await centre.bound.acquire()
        await centre.send(0x7FFFFFFF, 0, 1, b"x" * 80_000)
        await centre.bound.acquire()
        assert (await sent(notifier)).state is NotificationState.SUBMITTED


async def test_a_centre_that_falls_silent_is_noticed() -> None:
    """A message in its hands fails for now; the missing answer to enquire_link ends the session."""
    async with (
        message_centre() as centre,
        connected(centre, timeout_real_seconds=0.2, enquire_real_seconds=0.05) as notifier,
    ):
        await centre.bound.acquire()
        await centre.enquired.acquire()
        centre.silent = True
        delivery = await sent(notifier)
        assert (delivery.state, delivery.recoverable) == (NotificationState.FAILED, True)
        centre.silent = False
        await centre.bound.acquire()
        assert (await sent(notifier)).state is NotificationState.SUBMITTED


async def test_unknown_requests_and_broken_texts_do_not_end_the_session() -> None:
    """One is refused, the other is put away, since it would come again for ever."""
    async with message_centre() as centre, connected(centre) as notifier:
        await centre.bound.acquire()
        await centre.send(0x103, 0, 5)
        assert await centre.answers.get() == (RESPONSE, 0x3)
        await centre.send(DELIVER_SM, 0, 6, b"\0\1")
        assert await centre.answers.get() == (DELIVER_SM | RESPONSE, 0)
        assert (await sent(notifier)).state is NotificationState.SUBMITTED


async def test_a_wrong_password_is_named_and_tried_again() -> None:
    """Somebody may be mending the account."""
    async with message_centre() as centre:
        centre.bind_status = 0xE
        async with connected(centre) as notifier:
            while True:
                delivery = await attempted(notifier)
                if "0xe" in delivery.sentence:
                    break
                await asyncio.sleep(0.01)
            assert delivery.recoverable
            centre.bind_status = 0
            assert (await sent(notifier)).state is NotificationState.SUBMITTED


async def test_it_unbinds_when_it_is_closed() -> None:
    """The centre need not wait for a timeout to let us in again."""
    async with message_centre() as centre:
        async with connected(centre) as notifier:
            await sent(notifier)
        async with asyncio.timeout(10):
            await centre.unbound.wait()

"""Whom to tell: everybody who answers for the place once, the all-clear to those who were alarmed."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from alerts.notification import UNREACHED, NotificationKind, NotificationState
from alerts.routing import Audience, Decision, Reason, Route, Sent, decide, is_owed_all_clear
from tests.alerts.given import AMINA, JOSEPH, ROUTES

ALARM, WORSE, CLEAR = NotificationKind.ALARM, NotificationKind.WORSE, NotificationKind.ALL_CLEAR
SYSTEM = Route("webhook", Audience.SYSTEM, lambda contact: "")


def told(decisions: tuple[Decision, ...]) -> dict[tuple[str, str], Reason]:
    """Return who is told where, and why."""
    return {(item.contact, item.channel): item.reason for item in decisions if item.reason.told}


def test_a_new_alarm_goes_to_every_address_of_everybody() -> None:
    """Each person is told on every configured channel that they have an address for."""
    decisions = decide(ALARM, live=True, contacts=[AMINA, JOSEPH], routes=ROUTES, sent=[])
    assert set(told(decisions)) == {("amina", "email"), ("amina", "sms"), ("joseph", "email")}
    assert {item.reason for item in decisions} == {Reason.TOLD_NEW}


def test_late_data_wake_nobody() -> None:
    """A past excursion is silent, whoever answers for the place."""
    decisions = decide(ALARM, live=False, contacts=[AMINA], routes=ROUTES, sent=[])
    assert [item.reason for item in decisions] == [Reason.SILENT_PAST]


def test_silence_has_a_reason() -> None:
    """No contact, no address and no channel are told apart."""
    reasons = [
        [item.reason for item in decide(ALARM, live=True, contacts=contacts, routes=routes, sent=[])]
        for contacts, routes in (([], ROUTES), ([replace(AMINA, email=" ", phone="")], ROUTES), ([AMINA], ()))
    ]
    assert reasons == [[Reason.SILENT_NO_CONTACT], [Reason.SILENT_NO_ADDRESS], [Reason.SILENT_NO_CHANNEL]]


def test_a_system_is_told_once_even_where_nobody_answers_for_the_place() -> None:
    """A webhook does not depend on contacts."""
    alone = decide(ALARM, live=True, contacts=[], routes=[SYSTEM], sent=[])
    crowd = decide(ALARM, live=True, contacts=[AMINA, JOSEPH], routes=[SYSTEM], sent=[])
    assert told(alone) == told(crowd) == {("", "webhook"): Reason.TOLD_NEW}


def test_a_shared_address_is_told_once() -> None:
    """Two contacts with one telephone get one message."""
    twin = replace(JOSEPH, phone=AMINA.phone, email="")
    decisions = decide(ALARM, live=True, contacts=[AMINA, twin], routes=ROUTES, sent=[])
    assert ("joseph", "sms") not in told(decisions)
    assert Reason.SILENT_SAME_ADDRESS in {item.reason for item in decisions}


def test_the_all_clear_keeps_to_the_address_of_the_alarm() -> None:
    """A person who changed or left the registry since still hears that it is over."""
    sent = [Sent("amina", "sms", "+256799", ALARM, NotificationState.DELIVERED)]
    decisions = decide(CLEAR, live=True, contacts=[], routes=ROUTES, sent=sent)
    assert decisions == (Decision(Reason.TOLD_CLEAR, CLEAR, "amina", "sms", "+256799"),)


def test_the_all_clear_is_refused_where_the_channel_is_gone() -> None:
    """A message that nothing could send is not queued."""
    sent = [Sent("amina", "pigeon", "loft", ALARM, NotificationState.DELIVERED)]
    decisions = decide(CLEAR, live=True, contacts=[], routes=ROUTES, sent=sent)
    assert [item.reason for item in decisions] == [Reason.SILENT_NO_CHANNEL]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["amina", "joseph"]),
            st.sampled_from(["email", "sms"]),
            st.sampled_from(NotificationKind),
            st.sampled_from(NotificationState),
        ),
        max_size=12,
    ),
    st.booleans(),
)
def test_the_all_clear_goes_to_exactly_those_whose_last_word_was_an_alarm(
    history: list[tuple[str, str, NotificationKind, NotificationState]], live: bool
) -> None:
    """Whatever was sent before, an all-clear reaches everybody who waits for one, and nobody else."""
    sent = [Sent(contact, channel, "somewhere", kind, state) for contact, channel, kind, state in history]
    waiting = set()
    for item in sent:
        if item.state in UNREACHED:
            continue
        if item.kind is CLEAR:
            waiting.discard((item.contact, item.channel))
        else:
            waiting.add((item.contact, item.channel))
    decisions = decide(CLEAR, live=live, contacts=[AMINA], routes=ROUTES, sent=sent)
    assert set(told(decisions)) == waiting
    assert all(is_owed_all_clear(contact, channel, sent) for contact, channel in waiting)

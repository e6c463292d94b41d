"""SMS: what is said, to the modem and to people, and how often."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.episode import Episode, Severity, SubjectKind
from domain.gsm7 import ONE_PART_SEPTETS, septets
from domain.instant import HOUR_MS
from domain.quantities import QUANTITIES
from edge.alarms.at import Sent, SmsDialogue, Trouble, modem_text
from edge.alarms.sms import (
    Message,
    MessageKind,
    MessageState,
    finished,
    next_message,
    note_failed,
    note_sent,
    owed_all_clear,
    superfluous,
)
from edge.alarms.words import Facts, alarm_text, all_clear_text

START = datetime(2026, 3, 2, 4, 12, tzinfo=UTC)
NUMBER = "+256700000001"
TALK = [
    (b"\x1bAT\r", b"\r\nOK\r\n"),
    (b"ATE0\r", b"ATE0\r\r\nOK\r\n"),
    (b"AT+CMEE=1\r", b"\r\nOK\r\n"),
    (b"AT+CMGF=1\r", b"\r\nOK\r\n"),
    (b'AT+CSCS="GSM"\r', b"\r\nOK\r\n"),
    (b'AT+CMGS="+256700000001"\r', b"\r\n> "),
    (b"ALARM\x1a", b"\r\n+CREG: 1\r\n\r\n+CMGS: 17\r\n\r\nOK\r\n"),
]


def converse(answers: dict[bytes, bytes], *, chunk: int = 1000) -> tuple[list[bytes], Sent | None]:
    """Return what was said to a modem that answers so, and the outcome; an unknown word gets no answer."""
    dialogue = SmsDialogue(NUMBER, "ALARM")
    said = [dialogue.start()]
    for word in said:
        answer = answers.get(word, b"")
        for first in range(0, len(answer), chunk):
            reply = dialogue.receive(answer[first : first + chunk])
            said += [reply] if reply else []
    return said, dialogue.outcome


@given(st.integers(1, 40))
def test_a_message_goes_out_however_the_bytes_come(chunk: int) -> None:
    """Echoes and news of the network do not disturb."""
    said, outcome = converse(dict(TALK), chunk=chunk)
    assert said == [word for word, _ in TALK]
    assert outcome == Sent(None, "17")


@pytest.mark.parametrize(
    ("word", "answer", "outcome"),
    [
        (b"AT+CMGF=1\r", b"\r\nERROR\r\n", Sent(Trouble.REFUSED, "ERROR")),
        (b'AT+CMGS="+256700000001"\r', b"\r\n+CME ERROR: 10\r\n", Sent(Trouble.NO_SIM, "+CME ERROR: 10")),
        (b'AT+CMGS="+256700000001"\r', b"\r\n+CMS ERROR: 311\r\n", Sent(Trouble.NEEDS_PIN, "+CMS ERROR: 311")),
        (b"ALARM\x1a", b"\r\n+CMS ERROR: 331\r\n", Sent(Trouble.NO_NETWORK, "+CMS ERROR: 331")),
        (b"ALARM\x1a", b"\r\n+CMS ERROR: 500\r\n", Sent(Trouble.REFUSED, "+CMS ERROR: 500")),
        (b"ALARM\x1a", b"", None),
    ],
)
def test_a_modem_that_refuses_is_understood(word: bytes, answer: bytes, outcome: Sent | None) -> None:
    """The trouble is named; silence leaves it to whoever holds the clock."""
    assert converse(dict(TALK) | {word: answer})[1] == outcome


def test_an_old_modem_sends_all_the_same() -> None:
    """It need not know how to name its errors, nor other alphabets."""
    answers = dict(TALK) | {b"AT+CMEE=1\r": b"\r\nERROR\r\n", b'AT+CSCS="GSM"\r': b"\r\nERROR\r\n"}
    assert converse(answers)[1] == Sent(None, "17")


@pytest.mark.parametrize("number", ['1"\rAT+CPWROFF\r', "", "12", "+256 700", "0" * 16])
def test_a_number_is_only_a_number(number: str) -> None:
    """Nothing else reaches the modem in its place."""
    with pytest.raises(ValueError, match="digits"):
        SmsDialogue(number, "ALARM")


@given(st.text(max_size=400))
def test_a_modem_takes_every_text(text: str) -> None:
    """One part, and no character that it would take for a command or for the end."""
    written = modem_text(text)
    assert septets(written) == len(written) <= ONE_PART_SEPTETS
    assert written.isascii()
    assert written.isprintable()
    assert not set(written) & set("@$_[]{}|~\\^`")


def facts(**changed: object) -> Facts:
    """Return an alarm of a fridge."""
    episode = Episode(
        "id", "warm", Severity.CRITICAL, SubjectKind.CHANNEL, "fridge", "", START, START + timedelta(minutes=35)
    )
    given_facts = Facts(
        "Bukasa HC3", "Fridge 1", QUANTITIES["temperature"], episode, "Too warm", "Check the door.", UTC
    )
    return given_facts._replace(**changed)  # type: ignore[arg-type]  # a test may change any field


def test_an_alarm_says_where_what_since_when_and_what_to_do() -> None:
    """In the facility's own time; without a clock, how long it has lasted."""
    episode = facts().episode
    warm = Episode(**{name: getattr(episode, name) for name in episode.__slots__} | {"extreme": 9.44})
    place = facts(episode=warm, zone=ZoneInfo("Africa/Kampala"))
    assert alarm_text(place) == "ALARM Bukasa HC3 Fridge 1: 9.4C, Too warm, since 07:12. Check the door."
    assert "for 35min" in alarm_text(place._replace(clock_known=False))
    over = Episode(**{name: getattr(warm, name) for name in warm.__slots__} | {"ended_at": START + timedelta(hours=2)})
    assert all_clear_text(place._replace(episode=over)) == "OK Bukasa HC3 Fridge 1: over after 2h, worst 9.4C."


@given(st.text(max_size=100), st.text(max_size=100), st.text(max_size=120), st.text(max_size=300))
def test_every_text_is_one_part(place: str, equipment: str, title: str, action: str) -> None:
    """However long the names are."""
    said = facts(place=place, equipment=equipment, title=title, action=action)
    for text in (alarm_text(said), all_clear_text(said)):
        assert (septets(text) or 999) <= ONE_PART_SEPTETS
        assert "\n" not in text


def message(key: str = "e", kind: MessageKind = MessageKind.ALARM, **changed: object) -> Message:
    """Return a message that waits."""
    made = Message(key, NUMBER, kind, "text", 0, 6 * HOUR_MS)
    for name, value in changed.items():
        setattr(made, name, value)
    return made


def test_alarms_go_before_all_clears_and_no_more_than_allowed() -> None:
    """What is too much waits for the hour to pass."""
    clear, alarm = message("a", MessageKind.ALL_CLEAR), message("b")
    assert next_message([clear, alarm], 0, most_per_hour=1) is alarm
    note_sent(alarm, 0)
    assert next_message([clear, alarm], 10, most_per_hour=1) is None
    assert next_message([clear, alarm], HOUR_MS, most_per_hour=1) is clear


def test_a_message_that_fails_is_tried_ever_more_rarely_and_then_given_up() -> None:
    """A dead modem is not asked every second."""
    failing, moments = message(), []
    while failing.state is MessageState.WAITING:
        moments.append(failing.due_ms)
        assert next_message([failing], failing.due_ms, most_per_hour=6) is failing
        note_failed(failing, failing.due_ms)
    waits = [after - before for before, after in pairwise(moments)]
    assert waits == sorted(waits)
    assert moments[-1] <= failing.until_ms
    assert len(moments) < 30


def test_who_got_the_alarm_gets_the_all_clear_once() -> None:
    """And who did not, does not."""
    sent, waiting = message("a"), message("b")
    note_sent(sent, 0)
    assert owed_all_clear([sent, waiting], goes_on={"a", "b"}) == []
    assert owed_all_clear([sent, waiting], goes_on=set()) == [sent]
    assert owed_all_clear([sent, waiting, message("a", MessageKind.ALL_CLEAR)], goes_on=set()) == []
    assert superfluous([sent, waiting], audible={"a"}, goes_on={"a", "b"}) == [waiting]
    assert finished([sent], set(), HOUR_MS) == [sent]
    assert finished([sent], {"a"}, HOUR_MS) == []

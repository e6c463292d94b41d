"""Which alerts an answer is about, and what is said of several."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from alerts.actions import Acted
from alerts.answers import replies
from alerts.answers.meant import Meant, is_open, meant_by
from alerts.answers.outcome import Outcome, Result, outcome_of, without_echoes
from alerts.answers.parse import Answer, Meaning
from alerts.answers.parts import Scene
from alerts.answers.replies import Reader
from alerts.answers.told import ToldBundle
from domain.alert import Alert, AlertState
from domain.episode import Severity, SubjectKind
from tests.alerts.given import AMINA, DIRECTORY, JOSEPH, NOON, RULES

SCENE = Scene(DIRECTORY, RULES, "en", NOON, lambda facility: None)
ENGLISH = Reader("en", is_sms=True)


def an_alert(number: int, state: AlertState = AlertState.UNACKNOWLEDGED) -> Alert:
    """Return an alert of the fridge at Kasese."""
    return Alert(
        id=number,
        episode=f"e{number}",
        rule="heat",
        severity=Severity.WARNING,
        state=state,
        subject_kind=SubjectKind.CHANNEL,
        subject="kasese-3.fridge-2.temperature",
        facility="kasese-3",
        started_at=NOON - timedelta(hours=number),
        raised_at=NOON,
        extreme=9.4,
    )


def told(*numbers: int, state: AlertState = AlertState.UNACKNOWLEDGED) -> ToldBundle:
    """Return a message that told of alerts."""
    return ToldBundle(NOON, "sms", tuple(an_alert(number, state) for number in numbers))


def test_a_message_of_several_is_meant_as_a_whole() -> None:
    """Without a reference the newest message counts with all that is open in it; the rest is named."""
    meant = meant_by(Answer(Meaning.GOING), [told(5, 6), told(3), told(5)], {}, lambda alert: False)
    assert [alert.id for alert in meant.alerts] == [5, 6]
    assert [alert.id for alert in meant.others] == [3]


def test_messages_about_what_is_over_are_passed_over() -> None:
    """The newest one with anything open is meant; "done" without any means the newest of all."""
    over = [told(9, state=AlertState.NORMAL), told(8, state=AlertState.NORMAL)]
    assert [a.id for a in meant_by(Answer(Meaning.GOING), [*over, told(3)], {}, bool).alerts] == [3]
    assert meant_by(Answer(Meaning.GOING), over, {}, bool) == Meant()
    assert [a.id for a in meant_by(Answer(Meaning.DONE), over, {}, bool).alerts] == [9]


def test_references_are_sorted_into_own_foreign_and_unknown() -> None:
    """Told of or answering for the place is enough; neither is not."""
    named = {5: an_alert(5), 6: an_alert(6), 7: an_alert(7)}
    answer = Answer(Meaning.GOING, (5, 6, 7, 8))
    meant = meant_by(answer, [told(5)], named, lambda alert: alert.id == 6)
    assert ([alert.id for alert in meant.alerts], meant.foreign, meant.unknown) == ([5, 6], (7,), (8,))


@given(
    st.lists(st.lists(st.tuples(st.integers(1, 20), st.sampled_from(AlertState)), max_size=4), max_size=5),
    st.lists(st.integers(1, 25), max_size=5, unique=True),
    st.sampled_from(Meaning),
)
def test_nobody_acts_on_what_is_not_theirs(
    messages: list[list[tuple[int, AlertState]]], references: list[int], meaning: Meaning
) -> None:
    """Whatever is written, only alerts are meant that the person was told of; what is meant is not among the others."""
    bundles = [ToldBundle(NOON, "sms", tuple(an_alert(*each) for each in message)) for message in messages]
    known = {number for message in messages for number, _ in message}
    named = {number: an_alert(number) for number in references}
    meant = meant_by(Answer(meaning, tuple(references)), bundles, named, lambda alert: False)
    ids = {alert.id for alert in meant.alerts}
    assert ids <= known
    assert ids.isdisjoint(alert.id for alert in meant.others)
    assert all(map(is_open, meant.others))
    assert ids | set(meant.foreign) | set(meant.unknown) >= set(references)


def test_the_second_alert_of_an_incident_is_taken_too() -> None:
    """One answer takes an incident as a whole: what the first action did counts for the others."""
    taken = replace(an_alert(6), acknowledged_at=NOON, acknowledged_by=AMINA.name)
    acted = Acted(taken, False, ())
    contacts = {AMINA.id: AMINA, JOSEPH.id: JOSEPH}
    assert outcome_of(Meaning.GOING, acted, AMINA, contacts, NOON).result is Result.TAKEN
    later = outcome_of(Meaning.GOING, acted, AMINA, contacts, NOON + timedelta(minutes=1))
    assert later.result is Result.YOURS_ALREADY
    assert outcome_of(Meaning.GOING, acted, JOSEPH, contacts, NOON).result is Result.SOMEBODY_HAS_IT


def test_help_for_one_place_is_said_once() -> None:
    """Where help was called for an alert, "nobody else" for its siblings would only confuse."""
    called, none = Outcome(Result.HELP_CALLED, an_alert(1)), Outcome(Result.NO_MORE_HELP, an_alert(2))
    assert without_echoes([called, none]) == [called]
    assert without_echoes([none]) == [none]


def test_several_are_said_in_one_sentence() -> None:
    """The first is named, the others counted; long lists of references end in a number."""
    outcomes = [Outcome(Result.TAKEN, an_alert(number)) for number in range(1, 8)]
    reply = replies.acted(ENGLISH, SCENE, outcomes, Meant())
    assert reply == "Noted, you go: Kasese HC3 fridge 2: Fridge too warm 9.4C +6. ref 1, 2, 3, 4 +3."


def test_times_are_the_facilitys() -> None:
    """Since when somebody has it is said in the time of the place, with the date where it is another day."""
    since = replace(an_alert(1), acknowledged_at=NOON - timedelta(days=2), acknowledged_by="Joseph")
    reply = replies.acted(ENGLISH, SCENE, [Outcome(Result.SOMEBODY_HAS_IT, since)], Meant())
    assert reply.startswith("Joseph has it since 18.11. 15:00: Kasese HC3")

"""Words: one SMS part with place and reference whatever the names, and a longer text that loses nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.bundle import Bundle, Shape
from alerts.facts import Facts, Power, RuleText, facts_document, facts_of
from alerts.notification import NotificationKind
from alerts.words.compose import Message, compose
from alerts.words.times import brief_duration
from domain.directory import Directory
from domain.episode import SubjectKind
from domain.gsm7 import ONE_PART_SEPTETS, septets, transliterate
from tests.alerts.given import DIRECTORY, MINUTE, NOON, RULES, an_episode

HOSTILE = Path(__file__).parents[2] / "../shared/data/hostile/blns.json"
FACTS = facts_of(
    NotificationKind.ALARM,
    an_episode(),
    reference=4821,
    directory=DIRECTORY,
    text=RULES["heat"],
    now=NOON + 35 * MINUTE,
    power=Power(on=False, since=NOON - timedelta(hours=2, minutes=25)),
)


def alone(facts: Facts) -> Message:
    """Return what one alert by itself says in English, where nobody can answer."""
    return compose(Bundle(Shape.INCIDENT, (facts,)), language="en", answerable=False)


def check_short(facts: Facts) -> str:
    """Assert what holds for every short text and return it."""
    short = alone(facts).short_text
    size = septets(short)
    assert size is not None
    assert size <= ONE_PART_SEPTETS
    assert short.endswith(f"ref {facts.reference}")
    assert "\n" not in short
    return short


def test_an_alarm_says_where_what_since_power_and_what_to_do() -> None:
    """Everything a technician needs is in one SMS part."""
    assert check_short(FACTS) == (
        "ALARM Kasese HC3 fridge 2: 9.4C, above 8.0C for 35min. Power OFF 3h. Move vaccines to cold box. ref 4821"
    )


def test_the_long_text_shows_local_time_and_the_whole_place() -> None:
    """A mail tells the time that the clock on the facility's wall shows."""
    text = alone(FACTS).long_text
    assert "20 Nov 2026 15:00 (Africa/Kampala)" in text
    assert "Kasese HC3, Kasese, Western, Uganda" in text
    assert "9.4 °C, above 8.0 °C" in text


@pytest.mark.parametrize(
    ("phrase", "value", "said"),
    [
        ("above 8 °C for 10 hours", "9.4 °C", ": 9.4C, above 8C for 35min."),
        ("off for 5 minutes", "off", ": off for 35min."),
        ("below 25 %", "20 %", ": 20%, below 25% for 35min."),
        ("nothing heard for 30 minutes", "", ": nothing heard for 35min."),
    ],
)
def test_how_long_it_has_lasted_is_said_once(phrase: str, value: str, said: str) -> None:
    """What a rule waits for gives way to what is so; a state is not named twice."""
    assert said in check_short(replace(FACTS, message=phrase, value=value))


def test_an_unknown_time_zone_falls_back_to_utc() -> None:
    """A mistake in the registry delays no message."""
    assert "12:00 (UTC)" in alone(replace(FACTS, timezone="Mars/Olympus")).long_text


def test_the_all_clear_says_how_long_and_how_bad_it_was_and_asks_for_nothing() -> None:
    """What to do belongs to an alarm."""
    over = replace(FACTS, kind=NotificationKind.ALL_CLEAR, ended_at=NOON + 50 * MINUTE)
    short = check_short(over)
    assert short.startswith("OK Kasese HC3 fridge 2: over after 50min, worst 9.4C.")
    assert FACTS.action not in short


def test_a_withdrawn_alarm_is_called_a_false_one() -> None:
    """Somebody who is on the way hears why to turn back."""
    assert "false alarm" in check_short(replace(FACTS, kind=NotificationKind.ALL_CLEAR, retracted=True))


def test_a_silent_node_is_told_without_a_value() -> None:
    """An episode of a node names the node and its rule's phrase."""
    episode = replace(an_episode(), rule="silent", subject_kind=SubjectKind.NODE, subject="pi-1", extreme=None)
    facts = facts_of(
        NotificationKind.ALARM, episode, reference=7, directory=DIRECTORY, text=RULES["silent"], now=NOON + MINUTE
    )
    assert check_short(facts).startswith("ALARM Kasese HC3 gateway: no data from the node for 1min.")


def test_what_the_registry_forgot_is_called_by_its_id() -> None:
    """A facility or channel that was removed meanwhile still makes a message."""
    facts = facts_of(
        NotificationKind.ALARM, an_episode(), reference=7, directory=Directory(), text=RuleText("Heat"), now=NOON
    )
    assert "kasese-3" in check_short(facts)


def test_a_placeholder_that_names_no_limit_stays_visible() -> None:
    """A typing mistake in a rule shows, and breaks nothing."""
    text = replace(RULES["heat"], message="above $limits.hihg, now $value")
    facts = facts_of(NotificationKind.ALARM, an_episode(), reference=7, directory=DIRECTORY, text=text, now=NOON)
    assert facts.message == "above $limits.hihg, now 9.4 °C"


def test_a_name_in_another_script_gives_way_to_the_id() -> None:
    """A row of question marks would tell nobody where to go."""
    assert "kasese-3" in check_short(replace(FACTS, facility_name="ካሴሴ ጤና ጣቢያ"))


@given(
    st.builds(
        replace,
        st.just(FACTS),
        facility_name=st.text(max_size=300),
        equipment_name=st.text(max_size=300),
        message=st.text(max_size=300),
        title=st.text(max_size=100),
        action=st.text(max_size=500),
        value=st.text(max_size=40),
        reference=st.integers(1, 10**9),
        kind=st.sampled_from(NotificationKind),
        retracted=st.booleans(),
    )
)
def test_every_message_fits_and_keeps_its_reference(facts: Facts) -> None:
    """No name, phrase or instruction can push the reference out or make a second part."""
    check_short(facts)
    message = alone(facts)
    assert len(message.subject.splitlines()) <= 1
    assert str(facts.reference) in message.subject
    assert json.loads(json.dumps(facts_document(facts)))["reference"] == facts.reference


def test_hostile_names_fit_too() -> None:
    """The strings that break programs break no message, and the place stays in it."""
    if not HOSTILE.exists():
        pytest.skip("the folder ../shared/data is not there")
    for name in json.loads(HOSTILE.read_text("utf-8")):
        short = check_short(replace(FACTS, facility_name=name, equipment_name=name, action=name * 20))
        place = transliterate(name)[:20].strip()
        assert place in short or "kasese-3" in short or not place


@given(st.text())
def test_transliteration_stays_in_the_alphabet(text: str) -> None:
    """Whatever comes in, one line of GSM 7-bit characters comes out."""
    assert septets(transliterate(text)) is not None


@pytest.mark.parametrize(
    ("text", "plain"), [("9.4 °C", "9.4C"), ("Ñandú á l’été", "Ñandu a l'été"), ("Łódź", "Lodz"), ("2 m³", "2 m3")]
)
def test_transliteration_keeps_what_can_be_kept(text: str, plain: str) -> None:
    """Letters of the alphabet stay, others lose their accents."""
    assert transliterate(text) == plain


@given(st.timedeltas(min_value=timedelta(days=-1), max_value=timedelta(days=4000)))
def test_durations_are_short(duration: timedelta) -> None:
    """Nobody reads seconds of a day-long outage."""
    assert len(brief_duration(duration)) <= len("47h 59min")

"""Words in every language: sizes, references, places, and catalogues that are whole."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.bundle import Bundle, Occasion, Shape
from alerts.notification import NotificationKind
from alerts.words.alphabet import alphabet_of, parts_of
from alerts.words.catalogues import MESSAGES, flaws, sentences
from alerts.words.compose import compose
from alerts.words.language import SOURCE, languages, say, say_many
from tests.alerts.given import NOON
from tests.alerts.test_messages import FACTS

FREEZER = replace(FACTS, equipment="freezer-1", equipment_name="freezer 1", reference=4822)
TRANSLATED = [language for language in languages() if language != SOURCE]
TEXT = st.text(max_size=120)
ITEMS = st.builds(
    replace,
    st.just(FACTS),
    facility_name=TEXT,
    equipment_name=TEXT,
    region=TEXT,
    message=TEXT,
    title=TEXT,
    action=TEXT,
    value=TEXT,
    reference=st.integers(1, 10**9),
    kind=st.sampled_from(NotificationKind),
)
BUNDLES = st.builds(
    Bundle,
    st.sampled_from(Shape),
    st.lists(ITEMS, min_size=1, max_size=5).map(tuple),
    st.sampled_from(Occasion),
    TEXT,
    st.integers(1, 99),
)


def short(bundle: Bundle, language: str = "en", *, answerable: bool = True) -> str:
    """Return the text message."""
    return compose(bundle, language=language, answerable=answerable).short_text


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_catalogue_has_every_sentence_and_nothing_else(language: str) -> None:
    """`python -m alerts.words.catalogues` brings it up to date; what it then lists is to be translated."""
    assert list(flaws(MESSAGES.catalogues.read(language), sentences(MESSAGES))) == []


@given(BUNDLES, st.sampled_from([*languages(), "pt-BR", "lg", "xx"]), st.booleans())
def test_whatever_is_told_fits_and_ends_with_its_reference(bundle: Bundle, language: str, answerable: bool) -> None:
    """One part in Latin letters and two in others; the long text names every reference."""
    message = compose(bundle, language=language, answerable=answerable, link="https://example.org/alerts")
    assert message.short_text.endswith(f"ref {bundle.items[0].reference}")
    assert parts_of(message.short_text) <= len(alphabet_of(language).limits)
    assert len(message.subject.splitlines()) == 1
    assert all(str(item.reference) in message.long_text for item in bundle.items)


@given(st.sampled_from(languages()), TEXT, TEXT, TEXT)
def test_the_place_is_never_lost(language: str, message: str, action: str, equipment: str) -> None:
    """However much else there is to say."""
    facts = replace(FACTS, message=message, action=action, equipment_name=equipment)
    assert "Kasese HC3" in short(Bundle(Shape.INCIDENT, (facts,)), language)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "9.4C, above 8.0C for 35min. Power OFF 3h. Move vaccines to cold box. Reply 1=I go 2=need help."),
        ("fr", "9.4C, above 8.0C depuis 35min. Courant coupé 3h. Move vaccines to cold box. Répondez 1=j'y vais 2=aide."),  # noqa: E501 - one message
        ("pt-BR", "9.4C, above 8.0C ha 35min. Sem energia 3h. Move vaccines to cold box. Responda 1=vou 2=ajuda."),
        ("sw", "9.4C, above 8.0C kwa dak 35. Hakuna umeme saa 3. Move vaccines to cold box. Jibu 1=naenda 2=msaada."),
    ],
)  # fmt: skip
def test_an_alarm_in_a_language(language: str, said: str) -> None:
    """Value, time, power, what to do, how to answer; what a rule says is in the bundle's language already."""
    text = short(Bundle(Shape.INCIDENT, (FACTS,)), language)
    assert text == f"{say(language, 'ALARM')} Kasese HC3 fridge 2: {said} ref 4821"


def test_only_a_channel_that_hears_asks_for_an_answer() -> None:
    """Nobody is asked to answer where nobody listens, or when it is over."""
    over = replace(FACTS, kind=NotificationKind.ALL_CLEAR, ended_at=NOON + timedelta(hours=1))
    assert "Reply" not in short(Bundle(Shape.INCIDENT, (FACTS,)), answerable=False)
    assert "Reply" not in short(Bundle(Shape.INCIDENT, (over,)))


def test_an_incident_names_what_else_it_concerns_and_why_one_hears_of_it() -> None:
    """One message for all of it."""
    text = short(Bundle(Shape.INCIDENT, (FACTS, FREEZER), Occasion.HELP_WANTED, "Amina"))
    assert "for 35min. Amina asks for help. Power OFF 3h. Also: freezer 1." in text


def test_an_area_counts_its_facilities_and_names_some() -> None:
    """A grid that failed is one message."""
    lost = replace(FACTS, title="Mains power lost")
    items = tuple(replace(lost, facility=f"bukasa-{n}", facility_name=f"Bukasa HC{n}") for n in range(200))
    again = replace(items[0], equipment="mains-2", equipment_name="Mains 2")
    text = short(Bundle(Shape.AREA, (*items, again)))
    assert text.startswith("ALARM Kasese district: mains power lost at 200 facilities: Bukasa HC0, Bukasa HC1")
    assert "+196. For 35min." in text


def test_a_digest_counts_by_severity() -> None:
    """Then it lists, worst first, as it was given."""
    critical = replace(FACTS, severity="critical")
    text = short(Bundle(Shape.DIGEST, (critical, replace(FREEZER, severity="warning"))))
    assert text.startswith("DIGEST 2 alerts: 1 critical, 1 warning. Kasese HC3 fridge 2 9.4C; Kasese HC3 freezer 1")


def test_arabic_has_its_plurals_and_keeps_signs_before_their_numbers() -> None:
    """A mark in text messages; isolates only where there is room."""
    assert say_many("ar", "{title} at {count} facility", "{title} at {count} facilities", 2, title="x") == "x في مرفقين"
    message = compose(Bundle(Shape.INCIDENT, (replace(FACTS, value="-9.4 °C"),)), language="ar", answerable=True)
    assert "\u200e-9.4C" in message.short_text
    assert "\u2068" in message.long_text
    assert "\u2068" not in message.short_text


def test_who_has_no_catalogue_reads_english() -> None:
    """A message in the wrong language is better than none."""
    assert say("lg", "Power ON") == "Power ON"

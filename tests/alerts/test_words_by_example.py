"""Every shape and kind of message in every language, word for word, in a file that a native speaker can read."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from alerts.bundle import Bundle, Occasion, Shape
from alerts.facts import Facts
from alerts.notification import NotificationKind
from alerts.words.alphabet import alphabet_of, parts_of
from alerts.words.compose import compose
from alerts.words.language import languages
from app.rule_documents import every_rule
from app.rulebook import rule_texts
from tests.alerts.given import NOON
from tests.alerts.test_messages import FACTS, HOSTILE

EXAMPLES: dict[str, dict[str, str]] = yaml.safe_load(
    (Path(__file__).parent / "messages.yaml").read_text(encoding="utf-8")
)
TEXTS = rule_texts(every_rule())


def facts(rule: str, language: str, **others: object) -> Facts:
    """Return the usual facts with what a rule says."""
    text = TEXTS[rule].spoken(language)
    said = replace(FACTS, title=text.title, message=text.message, action=text.action, severity="critical")
    return replace(said, **others)  # type: ignore[arg-type]  # whatever fields a case changes


def _districts(facts: Facts) -> tuple[Facts, ...]:
    """Return the same at 200 facilities."""
    return tuple(replace(facts, facility=f"bukasa-{n}", facility_name=f"Bukasa HC{n}") for n in range(1, 201))


def bundles(language: str) -> dict[str, Bundle]:
    """Return what is told in the examples, by its name there."""
    warm = facts("who-heat", language)
    freezer = facts("freezer-warm", language, equipment="freezer-1", equipment_name="Freezer 1", value="-12.0 °C")
    mains = facts("mains-lost", language, value="", power=None)
    over = {"ended_at": NOON + timedelta(hours=1), "now": NOON + timedelta(hours=1)}
    clear = facts("who-heat", language, kind=NotificationKind.ALL_CLEAR, **over)
    past = facts("who-heat", language, kind=NotificationKind.PAST, power=None, **over)
    one = (warm,)
    return {
        "alarm": Bundle(Shape.INCIDENT, one),
        "worse": Bundle(Shape.INCIDENT, (replace(warm, kind=NotificationKind.WORSE),)),
        "all-clear": Bundle(Shape.INCIDENT, (clear,)),
        "false alarm": Bundle(Shape.INCIDENT, (replace(clear, retracted=True),)),
        "past": Bundle(Shape.INCIDENT, (past,)),
        "nobody answered": Bundle(Shape.INCIDENT, one, Occasion.NOBODY_ANSWERED),
        "help wanted": Bundle(Shape.INCIDENT, one, Occasion.HELP_WANTED, "Amina"),
        "unreachable": Bundle(Shape.INCIDENT, one, Occasion.UNREACHABLE, "Joseph"),
        "comes and goes": Bundle(Shape.INCIDENT, one, Occasion.AGAIN, times=4),
        "goes on": Bundle(Shape.INCIDENT, one, Occasion.AGAIN),
        "incident": Bundle(Shape.INCIDENT, (warm, freezer)),
        "area": Bundle(Shape.AREA, _districts(mains)),
        "digest": Bundle(Shape.DIGEST, (warm, replace(freezer, severity="warning"), clear)),
    }


@pytest.mark.parametrize("language", languages())
def test_messages_read_as_in_the_examples(language: str) -> None:
    """A change of words shows as a change of `messages.yaml`."""
    said = {
        name: compose(bundle, language=language, answerable=True).short_text.replace("\u200e", "")
        for name, bundle in bundles(language).items()
    }
    assert said == EXAMPLES[language]


@pytest.mark.parametrize("language", languages())
def test_hostile_names_break_no_message(language: str) -> None:
    """The strings that break programs, as names, leave its size and its reference as they are."""
    if not HOSTILE.exists():
        pytest.skip("the folder ../shared/data is not there")
    for name in json.loads(HOSTILE.read_text("utf-8")):
        bundle = Bundle(Shape.INCIDENT, (replace(FACTS, facility_name=name, equipment_name=name),), who=name)
        text = compose(bundle, language=language, answerable=True).short_text
        assert parts_of(text) <= len(alphabet_of(language).limits)
        assert text.endswith("ref 4821")

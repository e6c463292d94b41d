"""A link in a message takes the room that is left, and no other."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from alerts.bundle import Bundle, Shape
from alerts.facts import Facts, Power
from alerts.notification import NotificationKind
from alerts.words.alphabet import parts_of
from alerts.words.compose import compose
from alerts.words.short import write_short

NOW = datetime(2026, 9, 30, 12, tzinfo=UTC)
LINK = "https://v.example.ug/a/AOxD_-abcdefghijklmnopqr"
FACTS = Facts(
    reference=48213, kind=NotificationKind.ALARM, title="Fridge too warm", message="above 8.0 °C", action="",
    severity="critical", facility="kasese", facility_name="Kasese HC3", region="Kasese", timezone="Africa/Kampala",
    equipment="fridge-1", equipment_name="Fridge 1", value="9.4 °C", started_at=NOW - timedelta(hours=3), now=NOW,
    ended_at=None, power=Power(on=False, since=NOW - timedelta(hours=4)),
)  # fmt: skip
WORDS = "Move the vaccines to another fridge or to a cold box and then look for the cause of it and write it down well"


@pytest.mark.parametrize("language", ["en", "fr", "sw", "pt", "ar"])
def test_a_text_message_has_the_link_where_nothing_else_gives_way(language: str) -> None:
    """However much there is to do: without the link the message says the same, letter by letter."""
    had = set()
    for length in range(0, len(WORDS), 3):
        bundle = Bundle(Shape.INCIDENT, (replace(FACTS, action=WORDS[:length]),))
        with_link = write_short(bundle, language=language, answerable=True, link=LINK)
        without = write_short(bundle, language=language, answerable=True)
        assert with_link.text.replace(f"{LINK} ", "") == without.text
        assert (with_link.cut, with_link.dropped) == (without.cut, without.dropped)
        assert parts_of(with_link.text) <= max(1, parts_of(without.text), 2 if language == "ar" else 1)
        had.add(LINK in with_link.text)
    assert False in had


def test_it_is_there_where_there_is_room() -> None:
    """Before the reference, which ends every message; and in every longer one."""
    bundle = Bundle(Shape.INCIDENT, (replace(FACTS, power=None),))
    text = write_short(bundle, language="en", answerable=False, link=LINK).text
    assert text.endswith(f" {LINK} ref 48213")
    full = Bundle(Shape.INCIDENT, (replace(FACTS, action=WORDS),))
    message = compose(full, language="en", answerable=True, link=LINK)
    assert LINK not in message.short_text
    assert LINK in message.long_text

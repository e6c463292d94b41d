"""The rules that come with Vitals: documented one by one, short enough for a message, and apart where they overlap."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.rule_documents import every_rule, rules_of
from domain.gsm7 import ONE_PART_SEPTETS, septets, transliterate
from rules.catalogue import USUAL, load_catalogue
from rules.model import Rule
from rules.sentence import describe

PAGE = Path(__file__).parents[2] / "docs" / "catalogue.md"
ROW = re.compile(r"^\| `([a-z0-9-]+)` \| (.+) \| (.+) \|$", re.MULTILINE)
LONGEST_MESSAGE = 60
"""Beside the value and how long it has lasted: what a text message has room for."""


def sections() -> dict[str, str]:
    """Return the text of each document's section of the page."""
    parts = re.split(r"^## (.+)$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize("name", load_catalogue())
def test_the_page_has_every_rule_of_a_document_with_its_sentence_and_its_source(name: str) -> None:
    """In order, word for word as `vitals rules list` says it, none missing and none that is gone."""
    rows = ROW.findall(sections()[name])
    assert [(id_, sentence) for id_, sentence, _ in rows] == [
        (rule.id, describe(rule)) for rule in rules_of(catalogue=(name,), files=())
    ]
    assert all(source.strip() for _, _, source in rows)


def test_the_page_knows_which_documents_there_are_and_which_are_usual() -> None:
    """One section a document, the usual ones first."""
    names = list(sections())
    assert set(names) == set(load_catalogue())
    assert tuple(names[: len(USUAL)]) == USUAL


@pytest.mark.parametrize("rule", every_rule(), ids=lambda rule: rule.id)
def test_a_rule_can_be_told_in_a_text_message(rule: Rule) -> None:
    """Its phrase is short, its action fits one part, and nothing in them is lost in the alphabet of text messages."""
    for text, longest in ((rule.message, LONGEST_MESSAGE), (rule.action, ONE_PART_SEPTETS), (rule.title, 120)):
        plain = transliterate(text)
        assert text
        assert "?" not in plain
        assert (septets(plain) or 0) <= longest


@pytest.mark.parametrize("rule", every_rule(), ids=lambda rule: rule.id)
def test_a_rule_proves_both_that_it_tells_and_that_it_stays_silent(rule: Rule) -> None:
    """A rule that always told, or never, would fail one of its own tests."""
    assert any(trial.episodes for trial in rule.tests)
    assert any(not trial.episodes for trial in rule.tests)

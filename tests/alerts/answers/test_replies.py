"""Replies in every language: complete, within their room, and never an answer themselves."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import alerts.answers.replies
from alerts.answers.parse import parse
from alerts.answers.parts import fitted
from domain.gsm7 import septets

LOCALE = Path(__file__).parents[3] / "alerts" / "words" / "locale"
LANGUAGES = ("fr", "pt", "sw", "ar")
SENTENCE = re.compile(r'say\(\s*(?:reader\.)?language,\s*"([^"]+)"')
ENTRY = re.compile(r'^msgid "(.+)"\nmsgstr "(.+)"$', re.MULTILINE)
FIELDS = {
    "what": "Kasese HC3 fridge 2: Fridge too warm 9.4C",
    "refs": "4821, 4822",
    "who": "Dr Amina Nakato",
    "time": "15:40",
    "people": "Joseph Okello, Fatuma +2",
    "count": "12",
    "number": "4821",
}


def english() -> set[str]:
    """Return the sentences that the code says."""
    return set(SENTENCE.findall(Path(alerts.answers.replies.__file__).read_text()))


def translated(language: str) -> dict[str, str]:
    """Return what a catalogue says instead."""
    if language == "en":
        return {sentence: sentence for sentence in english()}
    found = dict(ENTRY.findall((LOCALE / f"{language}.po").read_text()))
    return {sentence: found[sentence] for sentence in english()}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_is_translated_with_its_fields(language: str) -> None:
    """No reply falls back to English or loses what it has to say."""
    assert len(english()) > 20
    for sentence, there in translated(language).items():
        assert sorted(re.findall(r"\{\w+\}", there)) == sorted(re.findall(r"\{\w+\}", sentence))


@pytest.mark.parametrize("language", ["en", *LANGUAGES])
def test_no_reply_is_an_answer(language: str) -> None:
    """A machine that sends our own words back changes nothing, whatever language they are in."""
    for sentence in translated(language).values():
        text = sentence.format(**FIELDS)
        for sent in (text, fitted([text], True)):
            assert not parse(sent).meaning.acts, sent


@pytest.mark.parametrize("language", ["en", *LANGUAGES])
def test_every_sentence_fits_one_sms(language: str) -> None:
    """One part in Latin script, two in Arabic, and nothing is cut off with usual names."""
    for sentence in translated(language).values():
        text = sentence.format(**FIELDS)
        sent = fitted([text], True)
        assert not sent.endswith("..")
        assert len(sent) <= 134 if language == "ar" else (septets(sent) or 999) <= 160
        assert language != "ar" or sent == text


def test_what_does_not_fit_is_left_out_from_the_end() -> None:
    """The first sentence stays; a chat has room for all."""
    sentences = ["a" * 100, "b" * 50, "c" * 50]
    assert fitted(sentences, True) == f"{'a' * 100} {'b' * 50}"
    assert fitted(sentences, False).count(" ") == 2
    assert len(fitted(["д" * 300], True)) == 134

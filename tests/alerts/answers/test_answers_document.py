"""The examples of docs/answers.md do what it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from alerts.answers.parse import Meaning, parse
from alerts.answers.settings import AnswersSettings

DOCUMENT = (Path(__file__).parents[3] / "docs" / "answers.md").read_text()
MEANINGS = {
    "I go": Meaning.GOING,
    "I need help": Meaning.HELP,
    "done": Meaning.DONE,
    "what is open": Meaning.STATUS,
    "how does one answer": Meaning.HOW,
    "no more messages": Meaning.STOP,
}
ROWS = re.findall(r"^\| (`.+?) \| (.+?) \| ", DOCUMENT, re.MULTILINE)
WORDS = [
    (word.strip(" `"), MEANINGS[meaning])
    for words, meaning in ROWS
    for word in re.split(r"[,·]", words)
    if word.strip()
]


@pytest.mark.parametrize(("word", "meaning"), WORDS)
def test_words_of_the_table(word: str, meaning: Meaning) -> None:
    """Every word of the table means what its row says."""
    assert parse(word).meaning is meaning


def test_the_table_is_whole() -> None:
    """Nothing is tested by accident alone."""
    assert {meaning for _, meaning in WORDS} == set(MEANINGS.values())


def test_the_settings_can_be_read() -> None:
    """The block of settings is one."""
    (block,) = re.findall(r"```yaml\n(.+?)```", DOCUMENT, re.DOTALL)
    assert AnswersSettings.model_validate(yaml.safe_load(block)["answers"]).country_prefix == "+256"

"""The commands about messages: what they would say, and whether they arrive."""

from __future__ import annotations

from pathlib import Path

import pytest

from alerts.facts import RuleText
from alerts.words.language import languages
from app.config import read_config
from app.message_lint import lint, report
from app.rule_documents import every_rule
from app.rulebook import rule_texts
from app.send_test import send_test
from domain.errors import OperatorError
from tests.alerts.given import NOON

REGISTRY = """\
facilities:
  - {id: kasese-3, name: Kasese HC3, country: Uganda, region: Western, district: Kasese, timezone: Africa/Kampala}
contacts: [{id: amina, name: Amina, language: fr, phone: "+256700000001", facilities: [kasese-3]}]
"""


def config_in(folder: Path) -> Path:
    """Write a configuration with one contact."""
    (folder / "registry.yaml").write_text(REGISTRY, encoding="utf-8")
    config = folder / "vitals.yaml"
    config.write_text("registry: registry.yaml\n", encoding="utf-8")
    return config


def test_every_rule_that_comes_with_vitals_can_be_told_in_every_language() -> None:
    """No message is too long, without its place or its reference."""
    lines = list(lint(rule_texts(every_rule()), languages()))
    assert [line for line in lines if line.errors] == []


def test_a_placeholder_that_nobody_fills_is_an_error() -> None:
    """It would stand in the message as it is written."""
    said: list[str] = []
    lines = list(lint({"hot": RuleText("Hot", "above $limit.high", "Look.")}, ["en"]))
    assert not report(lines, as_json=False, say=said.append)
    assert "  error: unknown placeholder $limit.high" in said


async def test_a_test_message_goes_out_in_the_language_of_its_reader(tmp_path: Path) -> None:
    """With the time at the facility, over what is configured: here the console."""
    said: list[str] = []
    config = read_config(config_in(tmp_path), {})
    assert await send_test(config, "amina", None, now=NOON, echo=said.append)
    assert said == [
        "to amina (+256700000001): TEST: Vitals vous joint, 20 nov. 2026 15:00 (Africa/Kampala). Rien à faire.",
        "console: delivered",
    ]


@pytest.mark.parametrize(
    ("contact", "channel", "says"), [("amira", None, "amina"), ("amina", "email", "no such channel is configured")]
)
async def test_a_mistake_is_told_with_what_is_allowed(
    tmp_path: Path, contact: str, channel: str | None, says: str
) -> None:
    """Nothing is sent then."""
    with pytest.raises(OperatorError, match=says):
        await send_test(read_config(config_in(tmp_path), {}), contact, channel, now=NOON, echo=print)

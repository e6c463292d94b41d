"""The document on people tells the truth: what stands in it imports, and comes to what it says."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

from alerts.oncall.chain import chain_of, steps_of
from alerts.oncall.roster import on_call
from app.documents import parse_document
from domain.episode import Severity
from registry.checks import directory_of

DOCUMENT = (Path(__file__).parents[2] / "docs/people.md").read_text(encoding="utf-8")
PLACES = """\
facilities:
  - {id: kasese-hc3, name: Kasese HC3, country: Uganda, region: Western, district: Kasese}
  - {id: gulu-hc4, name: Gulu HC4, country: Uganda, region: Northern, district: Gulu}
"""


def test_the_samples_are_one_registry() -> None:
    """Whoever copies all of them has people on call, and a chain that reaches them."""
    texts = [PLACES, *re.findall(r"```yaml\n(.*?)```", DOCUMENT, re.DOTALL)]
    known = directory_of(*(parse_document(text, f"sample {number}") for number, text in enumerate(texts)))
    kasese, gulu = known.facilities.values()
    night = datetime(2026, 12, 25, 2, tzinfo=UTC)
    assert on_call(known.rosters["kasese-duty"], night) == ("amina",)
    assert on_call(known.rosters["gulu-nights"], night) == ("peter",)
    chain = chain_of(kasese, Severity.CRITICAL, known)
    assert chain.id == "kasese-critical"
    found = [[each.id for each in step.people] for step in steps_of(chain, kasese, known, night)]
    assert found == [["amina"], ["joseph", "grace"], ["ruth", "dan"]]
    usual = steps_of(chain_of(gulu, Severity.INFO, known), gulu, known, night)
    assert [(step.after.total_seconds(), step.people[0].id) for step in usual] == [(0, "peter"), (3600, "dan")]

"""The rules in force: the catalogue that comes with Vitals and the files that the configuration names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from alerts.facts import RuleText
from app.config import RulesSettings
from app.rule_documents import rules_of
from rules.model import Rule


def read_rules(settings: RulesSettings) -> list[Rule]:
    """Return every rule in force; raise ``DocumentError`` listing the problems of all documents."""
    return rules_of(catalogue=settings.catalogue, files=settings.files)


def rule_texts(rules: Iterable[Rule]) -> Mapping[str, RuleText]:
    """Return what each rule says to people, by rule id."""
    return {rule.id: RuleText(rule.title, rule.message, rule.action, rule.worse_by) for rule in rules}

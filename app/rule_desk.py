"""What the pages of rules are given."""

from __future__ import annotations

from collections.abc import Sequence

from alerts.store import AlertStore
from api.jobs import JobDesk
from api.rule_services import BacktestOrder, RuleDesk
from app.documents import parse_document, render_document
from app.rule_documents import every_rule
from app.rulebook import Rulebook
from domain.errors import DocumentError, Problem
from rules.loader import load_rules
from rules.model import Rule

CHANGED_RULE = "the changed rule"


def rule_desk(rulebook: Rulebook, alerts: AlertStore, backtests: JobDesk[BacktestOrder]) -> RuleDesk:
    """Return the desk of the rules in force."""

    def others() -> Sequence[Rule]:
        return [rule for rule in every_rule() if rule.id not in rulebook.by_id]

    return RuleDesk(
        rules=lambda: rulebook.rules,
        others=others,
        trouble=lambda: rulebook.trouble,
        firings=alerts.reading.firings,
        written=written,
        read=read,
        backtests=backtests,
    )


def written(rule: Rule) -> str:
    """Return a rule as YAML that a person can change."""
    return render_document({"rules": [rule.written]})


def read(text: str) -> Rule:
    """Return the one rule of a document; raise ``DocumentError`` for what cannot be read, or is not one rule."""
    found = load_rules(parse_document(text, CHANGED_RULE))
    if len(found) != 1:
        raise DocumentError([Problem(CHANGED_RULE, 1, 1, "rules", f"{len(found)} rules", "one rule")])
    return found[0]

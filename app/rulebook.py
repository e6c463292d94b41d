"""The rules in force: the catalogue that comes with Vitals and the files that the configuration names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from alerts.facts import RuleText
from app.config import RulesSettings
from app.documents import parse_document, read_documents
from domain.document import Document
from domain.errors import DocumentError, Problem
from rules.catalogue import load_catalogue
from rules.loader import load_rules
from rules.model import Rule

CATALOGUE_SOURCE = "catalogue/"
"""What the names of the documents that come with Vitals begin with."""


def read_rules(settings: RulesSettings) -> list[Rule]:
    """Return every rule in force; raise ``DocumentError`` listing the problems of all documents.

    A rule of a file takes the place of the catalogue's rule with the same id; two files may not share one.
    """
    catalogue = {rule.id: rule for rule in _load(_catalogue(settings))}
    own = _load(document for path in settings.files for document in read_documents(path))
    return list((catalogue | {rule.id: rule for rule in _unique(own)}).values())


def rule_texts(rules: Iterable[Rule]) -> Mapping[str, RuleText]:
    """Return what each rule says to people, by rule id."""
    return {rule.id: RuleText(rule.title, rule.message, rule.action, rule.worse_by) for rule in rules}


def _catalogue(settings: RulesSettings) -> list[Document]:
    if not settings.catalogue:
        return []
    return [parse_document(text, f"{CATALOGUE_SOURCE}{name}") for name, text in load_catalogue()]


def _load(documents: Iterable[Document]) -> list[Rule]:
    rules: list[Rule] = []
    problems: list[Problem] = []
    for document in documents:
        try:
            rules += load_rules(document)
        except DocumentError as error:
            problems += error.problems
    if problems:
        raise DocumentError(problems)
    return rules


def _unique(rules: Iterable[Rule]) -> list[Rule]:
    seen: dict[str, Rule] = {}
    for rule in rules:
        if rule.id in seen:
            raise DocumentError([rule.problem(("id",), f"'{rule.id}' again", "an id that no other file uses")])
        seen[rule.id] = rule
    return list(seen.values())

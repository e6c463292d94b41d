"""The rules that a node judges by: chosen by id from those that come with Vitals and from files beside its own."""

from __future__ import annotations

from collections.abc import Iterator

from app.rule_documents import rules_of
from domain.document import Document
from domain.document import Path as Steps
from domain.errors import DocumentError, Problem
from domain.suggest import allowed_words
from edge.alarms.places import directory_of, unusable
from edge.settings import EdgeSettings
from rules.catalogue import load_catalogue
from rules.model import Rule

_RULES: Steps = ("local_alarms", "rules")


def local_rules(settings: EdgeSettings, document: Document) -> list[Rule]:
    """Return the rules that judge on the node, in the order of its file; none without ``local_alarms``.

    Raises ``DocumentError`` for the problems of rule files, and for ids in ``document`` that lead to nothing here.
    """
    if settings.local_alarms is None:
        return []
    known = {rule.id: rule for rule in rules_of(catalogue=load_catalogue(), files=settings.local_alarms.rule_files)}
    places = {each.rule: index for index, each in enumerate(settings.local_alarms.rules)}
    chosen = [known[id_] for id_ in places if id_ in known]
    problems = [
        document.problem((*_RULES, index, "rule"), f"'{id_}'", allowed_words(id_, known))
        for id_, index in places.items()
        if id_ not in known
    ]
    problems += _unusable(settings, document, chosen, places)
    if problems:
        raise DocumentError(problems)
    return chosen


def _unusable(
    settings: EdgeSettings, document: Document, rules: list[Rule], places: dict[str, int]
) -> Iterator[Problem]:
    if settings.local_alarms is None:
        return
    directory = directory_of(settings.local_alarms, node=settings.node, interval=settings.interval)
    for rule, reason in unusable(rules, directory):
        place = (*_RULES, places[rule.id], "rule")
        yield document.problem(place, f"'{rule.id}', but {reason}", "a rule that finds something on this node")

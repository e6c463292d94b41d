"""Rules out of documents: those that come with Vitals, and those that somebody wrote."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from app.documents import parse_document, read_documents
from domain.document import Document
from domain.errors import DocumentError, Problem
from rules.catalogue import load_catalogue
from rules.loader import load_rules
from rules.model import Rule

CATALOGUE_SOURCE = "catalogue/"
"""What the names of the documents that come with Vitals begin with."""


def rules_of(*, catalogue: bool, files: Sequence[Path]) -> list[Rule]:
    """Return the rules of the catalogue and of these files or folders; raise ``DocumentError`` with all problems.

    A rule of a file takes the place of the catalogue's rule with the same id; two files may not share one.
    """
    supplied = {rule.id: rule for rule in _load(_catalogue() if catalogue else [])}
    own = _load(document for path in files for document in read_documents(path))
    return list((supplied | {rule.id: rule for rule in _unique(own)}).values())


def _catalogue() -> list[Document]:
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

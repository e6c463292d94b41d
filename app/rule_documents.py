"""Rules out of documents: those that come with Vitals, and those that somebody wrote."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from app.documents import parse_document, read_documents
from domain.document import Document
from domain.errors import DocumentError, Problem
from rules.catalogue import load_catalogue
from rules.loader import load_rules
from rules.model import Rule

CATALOGUE_SOURCE = "catalogue/"
"""What the names of the documents that come with Vitals begin with."""


def rules_of(*, catalogue: Collection[str], files: Sequence[Path]) -> list[Rule]:
    """Return the rules of these documents of the catalogue, and of these files or folders.

    A rule of a file takes the place of the catalogue's rule with the same id; two files may not share one. Raises
    ``DocumentError`` with all problems.
    """
    supplied = {rule.id: rule for rule in _load(_supplied(catalogue))}
    own = _load(document for path in files for document in read_documents(path))
    return list((supplied | {rule.id: rule for rule in _unique(own)}).values())


def every_rule() -> list[Rule]:
    """Return all rules that come with Vitals, whether they are in force or not."""
    return rules_of(catalogue=load_catalogue(), files=())


def _supplied(names: Collection[str]) -> list[Document]:
    texts = load_catalogue().items() if names else ()
    return [parse_document(text, f"{CATALOGUE_SOURCE}{name}.yaml") for name, text in texts if name in names]


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

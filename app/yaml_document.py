"""YAML as people write it: plain data with the line and column of every value.

The YAML 1.2 core rules that surprise least hold, whatever the file says about its version:

- only ``true`` and ``false`` (also ``True``, ``TRUE``, ...) are booleans: ``on``, ``off``, ``yes``, ``no`` stay text;
- numbers are decimal; ``10:30``, ``0x1f``, ``0700``, ``+256700000001`` and ``1_000`` stay text, so no telephone number
  and no code changes its digits; dates and times stay text;
- a key is always text and stands only once; anchors, aliases and tags are refused.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any, Final

import yaml
from yaml import events

from domain.document import Document, Path
from domain.errors import DocumentError, Problem

MAX_DEPTH: Final = 40
TOO_DEEP: Final = "too many levels"
ALLOWED_DEPTH: Final = f"at most {MAX_DEPTH} levels"
MAX_INTEGER_DIGITS: Final = 18
"""What fits into 64 bits, as every store keeps it."""

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml is ten times faster, where it was built
_NULL = re.compile(r"(?:|~|null|Null|NULL)")
_BOOLEAN = re.compile(r"(?:true|True|TRUE|false|False|FALSE)")
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_FLOAT = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?")
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def parse_document(text: str, source: str, *, may_be_empty: bool = False) -> Document:
    """Return the data and positions of one YAML document; raise ``DocumentError`` listing every problem found.

    ``may_be_empty`` allows a text that says nothing: its data is None.
    """
    text = text.removeprefix("\ufeff")
    _refuse_unprintable(text, source)
    builder = _Builder(source, may_be_empty=may_be_empty)
    try:
        data = builder.build(_events(text))
    except yaml.MarkedYAMLError as error:
        raise DocumentError([*builder.problems, _syntax_problem(error, text, source)]) from error
    if builder.problems:
        raise DocumentError(builder.problems)
    return Document(source, data, builder.positions)


def render_document(data: Any) -> str:
    """Return plain data as YAML text that ``parse_document`` reads back as the same data."""
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


def _refuse_unprintable(text: str, source: str) -> None:
    match = _UNPRINTABLE.search(text)
    if match:
        line, column = place_after(text[: match.start()])
        raise refusal(
            source,
            line,
            column,
            "document",
            f"the control character U+{ord(match[0]):04X}",
            'printable text (in double quotes, "\\x01" writes such a character)',
        )


def place_after(before: str) -> tuple[int, int]:
    """Return the line and column, from 1, that follow the text ``before``."""
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def refusal(source: str, line: int, column: int, field: str, found: str, allowed: str) -> DocumentError:
    """Return the error for a single problem at a known place."""
    return DocumentError([Problem(source, line, column, field, found, allowed)])


def _events(text: str) -> Iterator[Any]:
    loader = _Loader(text)
    try:
        while loader.check_event():
            yield loader.get_event()
    finally:
        loader.dispose()


def _syntax_problem(error: yaml.MarkedYAMLError, text: str, source: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    lines = text.split("\n")
    rest = lines[line - 1][column - 1 :] if line <= len(lines) else ""
    if rest.startswith(("\t", "%")):
        found = "a tab" if rest[0] == "\t" else 'a text that starts with "%"'
        return Problem(source, line, column, "document", found, "spaces" if rest[0] == "\t" else 'the text in "quotes"')
    found = " ".join(part for part in (error.problem, error.context) if part).removeprefix("found ")
    if "nesting depth" in found:  # libyaml has a bound of its own, and reads ahead of ours
        return Problem(source, line, column, "document", TOO_DEEP, ALLOWED_DEPTH)
    return Problem(
        source, line, column, "document", found or "no YAML", "YAML: key: value, - item, text with special signs quoted"
    )


class _Builder:
    """Turns the parser's events into data; never recurses deeper than ``MAX_DEPTH``, whatever the text nests."""

    def __init__(self, source: str, *, may_be_empty: bool) -> None:
        self._may_be_empty = may_be_empty
        self.problems: list[Problem] = []
        self.positions: dict[Path, tuple[int, int]] = {}
        self._source = source

    def build(self, stream: Iterator[Any]) -> Any:
        data: Any = None
        documents = 0
        for event in stream:
            if isinstance(event, events.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise self._refusal(event, (), "a second document", "one document in a file")
            elif isinstance(event, events.NodeEvent):
                data = self._value(event, stream, ())
        if not documents and not self._may_be_empty:
            raise refusal(self._source, 1, 1, "document", "an empty file", "a YAML document")
        return data

    def _value(self, event: Any, stream: Iterator[Any], path: Path) -> Any:
        self.positions.setdefault(path, _position(event))
        if len(path) > MAX_DEPTH:
            raise self._refusal(event, path[:3], TOO_DEEP, ALLOWED_DEPTH)
        self._refuse_indirection(event, path)
        if isinstance(event, events.MappingStartEvent):
            return self._mapping(stream, path)
        if isinstance(event, events.SequenceStartEvent):
            return self._sequence(stream, path)
        return self._scalar(event, path) if isinstance(event, events.ScalarEvent) else None

    def _mapping(self, stream: Iterator[Any], path: Path) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        for event in stream:
            if isinstance(event, events.MappingEndEvent):
                break
            if not isinstance(event, events.ScalarEvent):
                raise self._refusal(event, path, "a list or mapping as a key", "a word as a key")
            self._refuse_indirection(event, path)
            key, at = event.value, (*path, event.value)
            if key in mapping:
                first = self.positions[at][0]
                self._note(event, at, f"the key {key!r} again (first in line {first})", "each key once")
            self.positions[at] = _position(event)
            mapping[key] = self._value(next(stream), stream, at)
        return mapping

    def _sequence(self, stream: Iterator[Any], path: Path) -> list[Any]:
        items: list[Any] = []
        for event in stream:
            if isinstance(event, events.SequenceEndEvent):
                break
            items.append(self._value(event, stream, (*path, len(items))))
        return items

    def _scalar(self, event: Any, path: Path) -> Any:
        if not event.implicit[0]:
            return event.value
        try:
            return resolve(event.value)
        except ValueError as error:
            self._note(event, path, str(error), "a smaller number, or the text in quotes")
            return None

    def _refuse_indirection(self, event: Any, path: Path) -> None:
        if event.anchor is not None:
            sign = "*" if isinstance(event, events.AliasEvent) else "&"
            self._note(event, path, f"{sign}{event.anchor}", "the value written out, without anchors and aliases")
        if getattr(event, "tag", None) is not None:
            self._note(event, path, f"the tag {event.tag}", "a value without a tag")

    def _note(self, event: Any, path: Path, found: str, allowed: str) -> None:
        name = ".".join(str(step) for step in path) or "document"
        self.problems.append(Problem(self._source, *_position(event), name, found, allowed))

    def _refusal(self, event: Any, path: Path, found: str, allowed: str) -> DocumentError:
        self._note(event, path, found, allowed)
        return DocumentError(self.problems)


def _position(event: Any) -> tuple[int, int]:
    return event.start_mark.line + 1, event.start_mark.column + 1


def resolve(text: str) -> str | int | float | bool | None:
    """Return what an unquoted YAML word means; raise ``ValueError`` for a number that no store can keep."""
    if _NULL.fullmatch(text):
        return None
    if _BOOLEAN.fullmatch(text):
        return text.lower() == "true"
    if _INTEGER.fullmatch(text):
        if len(text.lstrip("-")) > MAX_INTEGER_DIGITS:
            raise ValueError(f"a number of {len(text)} digits")
        return int(text)
    if _FLOAT.fullmatch(text):
        value = float(text)
        if not math.isfinite(value):
            raise ValueError(f"the number {text[:40]}, which is too large")
        return value
    return text


_FOREIGN_BREAK = re.compile("[\x85\u2028\u2029]")


class _Dumper(yaml.SafeDumper):
    """Quotes exactly the texts that ``resolve`` would take for something else."""

    yaml_implicit_resolvers: Any = {}  # noqa: RUF012 - PyYAML's own class attribute, emptied of the YAML 1.1 rules

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def represent_text(self, text: str) -> yaml.ScalarNode:
        """Write a text: of several lines as a block, with a line break other than a line feed escaped, or it folds."""
        style = '"' if _FOREIGN_BREAK.search(text) else "|" if "\n" in text else None
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _Dumper.represent_text)
for _tag, _pattern in (("null", _NULL), ("bool", _BOOLEAN), ("int", _INTEGER), ("float", _FLOAT)):
    _Dumper.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"(?:{_pattern.pattern})$"), None)

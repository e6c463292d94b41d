"""From a document to rules; a wrong document is refused with every problem in it, each with line and column."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel, RootModel, ValidationError

from domain.document import Document, Path
from domain.errors import DocumentError, Problem
from domain.suggest import allowed_words
from rules.model import Origin, Rule

_LIST = "rules"
_PLAIN = {
    "string_type": "text",
    "string_too_short": "some text",
    "model_type": "fields, each on its own line as NAME: VALUE",
    "tuple_type": "a list such as [fridge, cold_room]",
    "string_pattern_mismatch": "small letters, digits and hyphens, such as fridge-too-warm",
}

_UPPER = "> where the limit itself is still fine, >= where it is not"
_LOWER = "< where the limit itself is still fine, <= where it is not"
_REQUIRED = {
    ("above", "comparison"): _UPPER,
    ("high", "comparison"): _UPPER,
    ("below", "comparison"): _LOWER,
    ("low", "comparison"): _LOWER,
}


def load_rules(document: Document) -> list[Rule]:
    """Return the rules of a document; raise ``DocumentError`` listing everything that is wrong in it."""
    items = _items(document)
    rules: list[Rule] = []
    problems: list[Problem] = []
    for index, item in enumerate(items):
        origin = Origin(document, (_LIST, index))
        try:
            rule = Rule.model_validate(item).placed(origin)
        except ValidationError as error:
            readable = [_readable(each) for each in error.errors(include_url=False)]
            problems += document.refuse_all(readable, origin.path).problems
            continue
        problems += [rule.problem(*flaw) for flaw in rule.flaws()]
        rules.append(rule)
    problems += _repeated(rules)
    if problems:
        raise DocumentError(sorted(problems, key=lambda problem: (problem.line, problem.column)))
    return rules


def _items(document: Document) -> Sequence[Any]:
    data = document.data
    if not isinstance(data, Mapping) or _LIST not in data:
        raise document.refuse((), "no rules", "a list of rules below 'rules:'")
    if unknown := [key for key in data if key != _LIST]:
        raise DocumentError([document.problem((key,), f"'{key}'", "only 'rules:' at this level") for key in unknown])
    if not isinstance(data[_LIST], list) or not data[_LIST]:
        raise document.refuse((_LIST,), _found(data[_LIST]), "a list of rules, each beginning with '- id: NAME'")
    items: list[Any] = data[_LIST]
    return items


def _repeated(rules: Sequence[Rule]) -> Iterator[Problem]:
    seen: set[str] = set()
    for rule in rules:
        if rule.id in seen:
            yield rule.problem(("id",), f"'{rule.id}' again", "an id that no other rule has")
        seen.add(rule.id)


def _readable(error: Mapping[str, Any]) -> dict[str, Any]:
    """Return pydantic's error in words for a person who writes rules."""
    kind, loc, found = error["type"], error["loc"], error.get("input")
    if kind == "missing":
        return _told(loc, None, _REQUIRED.get(loc[-2:], "this field is required"))
    if kind == "extra_forbidden":
        allowed = _field_names(loc[:-1])
        return _told(loc, str(loc[-1]), allowed_words(str(loc[-1]), allowed))
    if kind in ("literal_error", "enum"):
        words = re.findall(r"'([^']*)'", str(error.get("ctx", {}).get("expected", "")))
        return _told(loc, found, allowed_words(str(found), words))
    if kind == "string_too_long":
        return _told(loc, f"{str(found)[:20]}...", f"at most {error['ctx']['max_length']} characters")
    if kind == "value_error":
        return _told(loc, found, str(error["msg"]).removeprefix("Value error, "))
    return _told(loc, found, _PLAIN.get(kind, str(error["msg"])))


def _told(loc: Path, found: Any, allowed: str) -> dict[str, Any]:
    return {"type": "told", "loc": loc, "input": _Words(_found(found)), "msg": allowed}


class _Words(str):
    """Text whose ``repr`` is itself, so that what was found is shown as it was written."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _found(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return f"the fields {', '.join(str(key) for key in value)}" if value else "no fields"
    if isinstance(value, (list, tuple)):
        return f"a list of {len(value)}"
    return str(value).lower() if isinstance(value, bool) else f"'{value}'"


def _field_names(loc: Path) -> list[str]:
    model: type[BaseModel] = Rule
    for step in loc:
        for name, field in model.model_fields.items():
            if step == (field.alias or name):
                model = _model_of(field.annotation) or model
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_of(annotation: Any) -> type[BaseModel] | None:
    candidates = (annotation, *get_args(annotation))
    model = next((each for each in candidates if isinstance(each, type) and issubclass(each, BaseModel)), None)
    # A list, or a condition that stands for itself: its fields are those of what is in it.
    return _model_of(model.model_fields["root"].annotation) if model and issubclass(model, RootModel) else model

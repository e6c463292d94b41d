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
    "too_short": "at least one in the list",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
}
_BOUNDED = {
    "greater_than": "more than {gt:g}",
    "greater_than_equal": "at least {ge:g}",
    "less_than_equal": "at most {le:g}",
}
_CONDITIONS = "a list of conditions, each on its own line as - KIND: ..."
_ELSEWHERE = {
    "for": "'for' beside the whole combination, or inside above, below, outside and is",
    "clear_for": "'clear_for' beside the whole combination",
    "silent_for": "'silent_for' only as the one condition of a rule: silence runs on another clock",
}
"""Fields of a whole rule's condition that somebody wrote inside a combination."""

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
            readable = [_readable(each) for each in error.errors(include_url=False) if not _follows(each)]
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


def _follows(error: Mapping[str, Any]) -> bool:
    """Tell whether pydantic finds a list too short only because what is in it was refused."""
    return bool(error["type"] == "too_short" and error.get("input"))


def _readable(error: Mapping[str, Any]) -> dict[str, Any]:
    """Return pydantic's error in words for a person who writes rules."""
    kind, loc, found = error["type"], error["loc"], error.get("input")
    if kind == "missing":
        return _told(loc, None, _REQUIRED.get(loc[-2:], "this field is required"))
    if kind == "extra_forbidden":
        name, allowed = str(loc[-1]), _field_names(loc[:-1])
        if loc[-2:] == ("when", "of"):
            return _told(loc, name, "'of' only beside a condition inside all, any, not, then and count")
        if "of" in allowed and "all" in allowed and name in _ELSEWHERE:
            return _told(loc, name, _ELSEWHERE[name])
        return _told(loc, name, allowed_words(name, allowed))
    if kind in ("literal_error", "enum"):
        words = re.findall(r"'([^']*)'", str(error.get("ctx", {}).get("expected", "")))
        return _told(loc, found, allowed_words(str(found), words))
    if kind == "string_too_long":
        return _told(loc, f"{str(found)[:20]}...", f"at most {error['ctx']['max_length']} characters")
    if kind in _BOUNDED:
        return _told(loc, found, _BOUNDED[kind].format(**error["ctx"]))
    if kind == "tuple_type" and loc[-1] in ("all", "any"):
        return _told(loc, found, _CONDITIONS)
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
        return f"a list of {len(value)}" if value else "an empty list"
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

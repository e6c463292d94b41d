"""Forms: fields with what is wrong beside each, and both values of what somebody else changed meanwhile. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, NamedTuple

from dashboards.pages.wording import zone
from dashboards.pages.words import Words
from domain.instant import to_datetime

_FIELD_PATTERN: Final = "%Y-%m-%dT%H:%M"


class Choice(NamedTuple):
    """One of the values that a field can have."""

    value: str
    label: str
    group: str = ""
    """The heading under which it stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field."""

    name: str
    label: str
    value: str = ""
    hint: str = ""
    error: str = ""
    kind: str = "text"
    """``text``, ``area``, ``select``, ``list`` (a text with suggestions), or a type of HTML's inputs."""
    choices: Sequence[Choice] = ()
    required: bool = False
    longest: int = 200

    @property
    def groups(self) -> Sequence[tuple[str, Sequence[Choice]]]:
        """Return the choices under their headings."""
        names = dict.fromkeys(each.group for each in self.choices)
        return [(name, [each for each in self.choices if each.group == name]) for name in names]


class Clash(NamedTuple):
    """A field that somebody else changed meanwhile."""

    label: str
    yours: str
    now: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a form was not taken."""

    errors: Mapping[str, str] = field(default_factory=dict)
    """By the name of the field."""
    problems: Sequence[str] = ()
    """What belongs to no field."""
    now: Mapping[str, str] | None = None
    """What is registered where somebody was faster."""
    mark: str = ""
    """Of what is registered."""
    said_by: str = ""
    """Who was faster, and when."""


class Heading(NamedTuple):
    """What stands around the fields of a form."""

    title: str
    action: str
    submit: str
    back: str
    back_title: str
    intro: str = ""
    section: str = "registry"
    """Of the head's menu."""


@dataclass(frozen=True, slots=True)
class FormPage:
    """A page with a form."""

    heading: Heading
    fields: Sequence[Field]
    seen: str
    """The mark of what the form was made from."""
    problems: Sequence[str]
    clashes: Sequence[Clash]
    said_by: str


def form_page(
    heading: Heading,
    fields: Sequence[Field],
    values: Mapping[str, str],
    refusal: Refusal | None,
    mark: str,
    words: Words,
) -> FormPage:
    """Return a page with a form that holds these values, and with what is wrong."""
    errors = refusal.errors if refusal else {}
    found = [replace(each, value=values.get(each.name, each.value), error=errors.get(each.name, "")) for each in fields]
    return FormPage(
        heading=heading,
        fields=found,
        seen=refusal.mark if refusal and refusal.mark else mark,
        problems=_problems(refusal, found),
        clashes=_clashes(found, refusal, words),
        said_by=refusal.said_by if refusal else "",
    )


def _clashes(fields: Iterable[Field], refusal: Refusal | None, words: Words) -> list[Clash]:
    """Return the fields of which somebody else's value is another than that of the form."""
    if refusal is None or refusal.now is None:
        return []
    nothing = words("(nothing)")
    return [
        Clash(each.label, _shown(each, each.value) or nothing, _shown(each, refusal.now.get(each.name, "")) or nothing)
        for each in fields
        if each.name in refusal.now and each.value != refusal.now[each.name]
    ]


def _problems(refusal: Refusal | None, fields: Iterable[Field]) -> list[str]:
    """Return what is wrong and stands beside no field."""
    if refusal is None:
        return []
    shown = {each.name for each in fields}
    return [*refusal.problems, *(f"{name}: {text}" for name, text in refusal.errors.items() if name not in shown)]


def _shown(of: Field, value: str) -> str:
    return next((each.label for each in of.choices if each.value == value), value)


def field_time(moment_ms: int, zone_name: str) -> str:
    """Return a moment as a form's field of date and time holds it, by the clock of a place."""
    return to_datetime(moment_ms).astimezone(zone(zone_name)).strftime(_FIELD_PATTERN)


def moment_of(written: str, zone_name: str) -> datetime | None:
    """Return the moment that such a field holds; None where it holds none."""
    try:
        return datetime.strptime(written.strip()[:16], _FIELD_PATTERN).replace(tzinfo=zone(zone_name))
    except ValueError:
        return None

"""The pages on which an administrator looks after those who sign in, and after the tokens of programs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from dashboards.pages.account import ROLE_WORDS, RoleLine, place_text, role_lines
from dashboards.pages.forms import Choice
from dashboards.pages.wording import LocalTime, ago_text, local_time
from dashboards.pages.words import Words, noop
from domain.access import Grant, Role
from domain.directory import Directory
from domain.instant import to_ms
from domain.places import Facility, Place

SCOPES: Final = {
    "": noop("everywhere"),
    "facility": noop("one facility"),
    "district": noop("one district"),
    "region": noop("one region"),
    "country": noop("one country"),
}
MOST_OFFERED: Final = 300
"""A form that offers more names is slow on a small telephone."""


class UserFacts(NamedTuple):
    """Somebody who may sign in, as the store knows it."""

    id: str
    name: str
    grants: frozenset[Grant]
    disabled: bool
    has_password: bool
    must_choose: bool
    seen_at: datetime | None


class UserLine(NamedTuple):
    """Somebody in the list."""

    id: str
    name: str
    roles: Sequence[RoleLine]
    state: str
    """Why this person cannot sign in; empty for who can."""
    seen: str


class GrantLine(NamedTuple):
    """A role that can be taken away."""

    role: str
    place_text: str
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantForm:
    """The part of a form that says which role where."""

    roles: Sequence[Choice]
    scopes: Sequence[Choice]
    names: Sequence[str]
    """Places that are offered while one types."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsersView:
    """The list, and the form for somebody new."""

    lines: Sequence[UserLine]
    form: GrantForm
    trouble: str = ""
    filled: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class UserView:
    """One user, and what can be done."""

    line: UserLine
    grants: Sequence[GrantLine]
    form: GrantForm
    disabled: bool
    own: bool
    """Whether it is who looks: others change one's roles."""
    password: str = ""
    """A new password, shown this once."""
    trouble: str = ""


class TokenFacts(NamedTuple):
    """A token, as the store knows it."""

    id: int
    name: str
    grants: frozenset[Grant]
    expires_at: datetime | None
    issued_by: str
    valid: bool


class TokenLine(NamedTuple):
    """A token in the list."""

    id: int
    name: str
    roles: Sequence[RoleLine]
    expires: LocalTime | None
    issued_by: str
    valid: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TokensView:
    """The tokens of programs, and the form for another one."""

    lines: Sequence[TokenLine]
    form: GrantForm
    token: str = ""
    """A new token, shown this once."""
    trouble: str = ""
    filled: dict[str, str]


def user_line(facts: UserFacts, directory: Directory, now_ms: int, words: Words) -> UserLine:
    """Return somebody as the list shows them."""
    state = ""
    if facts.disabled:
        state = words("shut out")
    elif facts.must_choose:
        state = words("has to choose a password")
    elif not facts.has_password:
        state = words("signs in elsewhere")
    seen = ago_text(None if facts.seen_at is None else to_ms(facts.seen_at), now_ms, words)
    return UserLine(facts.id, facts.name, role_lines(facts.grants, directory, words), state, seen)


def grant_lines(grants: Iterable[Grant], directory: Directory, words: Words) -> list[GrantLine]:
    """Return the roles of somebody, the most first."""
    lines = [(-each.role, place_text(each.place, directory, words), each) for each in grants]
    ordered = sorted(lines, key=lambda line: line[:2])
    return [GrantLine(words(ROLE_WORDS[each.role]), text, each.place) for _, text, each in ordered]


def grant_form(directory: Directory, words: Words) -> GrantForm:
    """Return what the form offers."""
    facilities = directory.facilities.values()
    areas = {name for each in facilities for name in (each.district, each.region, each.country)}
    names = sorted(areas) + sorted(each.name for each in facilities)
    return GrantForm(
        roles=[Choice(role.word, words(ROLE_WORDS[role])) for role in Role],
        scopes=[Choice(scope, words(text)) for scope, text in SCOPES.items()],
        names=names if len(names) <= MOST_OFFERED else sorted(areas)[:MOST_OFFERED],
    )


def token_lines(tokens: Iterable[TokenFacts], directory: Directory, now_ms: int, words: Words) -> list[TokenLine]:
    """Return the tokens, the valid ones first and of those the newest."""
    ordered = sorted(tokens, key=lambda each: (not each.valid, -each.id))
    return [
        TokenLine(
            each.id, each.name, role_lines(each.grants, directory, words),
            None if each.expires_at is None else local_time(each.expires_at, "UTC", now_ms, words),
            each.issued_by, each.valid,
        )
        for each in ordered
    ]  # fmt: skip


def place_meant(scope: str, written: str, directory: Directory) -> Place | None:
    """Return the place that a form names, None where there is none or more than one.

    A district or region is meant with what it lies in, because its name alone need not be unique.
    """
    wanted = written.strip().casefold()
    if not scope:
        return None if wanted else Place()
    found = {_place_of(scope, each) for each in directory.facilities.values() if wanted in _names(scope, each)}
    return found.pop() if len(found) == 1 else None


def _names(scope: str, facility: Facility) -> set[str]:
    if scope == "facility":
        return {facility.id.casefold(), facility.name.casefold()}
    name = str(getattr(facility, scope)).casefold()
    return {name, f"{name}, {facility.region.casefold()}"} if scope == "district" else {name}


def _place_of(scope: str, facility: Facility) -> Place:
    parts = ("country", "region", "district")
    if scope == "facility":
        return Place(facility=facility.id)
    return Place(**{part: getattr(facility, part) for part in parts[: parts.index(scope) + 1]})

"""The page of somebody who is signed in: who that is, what is allowed, where else, in which language."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from dashboards.pages.wording import ago_text
from dashboards.pages.words import Words, noop
from domain.access import Grant, Role
from domain.directory import Directory
from domain.instant import to_ms
from domain.places import EVERYWHERE, Place

ROLE_WORDS: Final = {
    Role.VIEWER: noop("Viewer"),
    Role.TECHNICIAN: noop("Technician"),
    Role.MANAGER: noop("Manager"),
    Role.ADMINISTRATOR: noop("Administrator"),
}
_MEANING: Final = {
    Role.VIEWER: noop("looks at facilities, readings and alerts"),
    Role.TECHNICIAN: noop("also takes, puts aside and closes alerts"),
    Role.MANAGER: noop("also changes equipment, limits, people and maintenance"),
    Role.ADMINISTRATOR: noop("also looks after users and the service"),
}
_WEAK: Final = {
    "short": noop("This password is too short. Take at least 10 characters: several words are easy to keep."),
    "long": noop("This password is too long. Take at most 200 characters."),
    "guessed": noop("This password is among the first that are guessed. Take several words that do not go together."),
}
_BROWSERS: Final = (
    ("Edg", "Edge"), ("OPR", "Opera"), ("SamsungBrowser", "Samsung Internet"), ("UCBrowser", "UC Browser"),
    ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"),
)  # fmt: skip
_SYSTEMS: Final = (
    ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS", "Mac"),
    ("Linux", "Linux"),
)  # fmt: skip


class RoleLine(NamedTuple):
    """One role in one place."""

    role: str
    meaning: str
    place: str


class SignedInAt(NamedTuple):
    """One session, as the store knows it."""

    id: int
    browser: str
    address: str
    seen_at: datetime
    here: bool


class SessionLine(NamedTuple):
    """One session, as it is shown."""

    id: int
    device: str
    address: str
    seen: str
    here: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountView:
    """What the page shows."""

    id: str
    name: str
    roles: Sequence[RoleLine]
    sessions: Sequence[SessionLine]
    language: str
    has_password: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordView:
    """What the form for a new password shows."""

    id: str
    next: str
    must: bool
    """Whether the old one was made up by somebody else."""
    trouble: str = ""


def role_lines(grants: Iterable[Grant], directory: Directory, words: Words) -> list[RoleLine]:
    """Return what somebody may do where, the most first."""
    ordered = sorted(grants, key=lambda each: (-each.role, place_text(each.place, directory, words)))
    return [
        RoleLine(words(ROLE_WORDS[each.role]), words(_MEANING[each.role]), place_text(each.place, directory, words))
        for each in ordered
    ]


def place_text(place: Place, directory: Directory, words: Words) -> str:
    """Return a place as a person names it, the smallest part first."""
    if place == EVERYWHERE:
        return words("everywhere")
    facility = directory.facilities.get(place.facility)
    parts = (facility.name if facility else place.facility, place.district, place.region, place.country)
    return words(", ").join(words.isolated(part) for part in parts if part)


def session_lines(sessions: Iterable[SignedInAt], now_ms: int, words: Words) -> list[SessionLine]:
    """Return where somebody is signed in, this device first."""
    ordered = sorted(sessions, key=lambda each: (not each.here, -to_ms(each.seen_at)))
    return [
        SessionLine(
            each.id, device_text(each.browser, words), each.address, ago_text(to_ms(each.seen_at), now_ms, words),
            each.here,
        )
        for each in ordered
    ]  # fmt: skip


def device_text(browser: str, words: Words) -> str:
    """Return what a browser calls itself, in short: ``Chrome, Android``."""
    found = (next((name for mark, name in table if mark in browser), "") for table in (_BROWSERS, _SYSTEMS))
    return ", ".join(filter(None, found)) or words("unknown device")


def weakness_text(kind: str, words: Words) -> str:
    """Return why a password is refused."""
    return words(_WEAK[kind])

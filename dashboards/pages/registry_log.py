"""Who changed what in the registry, in words. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from dashboards.pages.wording import LocalTime, local_time
from dashboards.pages.words import Words, noop
from domain.directory import Directory


class ChangeFacts(NamedTuple):
    """What the log says of a change."""

    at: datetime
    author: str
    reason: str
    kind: str
    item: str
    facility: str
    added: bool
    before: Mapping[str, Any]
    after: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """A change in words."""

    time: LocalTime
    author: str
    reason: str
    what: str
    item: str
    fields: tuple[tuple[str, str, str], ...]
    """Name, before, after."""


KIND_OF_CHANGE: Final = {
    "facilities": noop("Facility"),
    "equipment": noop("Equipment"),
    "nodes": noop("Node"),
    "channels": noop("Channel"),
    "contacts": noop("Contact"),
    "teams": noop("Team"),
    "rosters": noop("Roster"),
    "chains": noop("Escalation chain"),
}


def change_line(change: ChangeFacts, directory: Directory, now_ms: int, words: Words) -> ChangeLine:
    """Return a change in words."""
    facility = directory.facilities.get(change.facility)
    named = KIND_OF_CHANGE.get(change.kind)
    kind = words(named) if named else change.kind
    return ChangeLine(
        time=local_time(change.at, facility.timezone if facility else "UTC", now_ms, words),
        author=change.author or words("A document"),
        reason=change.reason,
        what=words("{kind} added", kind=kind) if change.added else words("{kind} changed", kind=kind),
        item=change.item,
        fields=tuple(
            (name, _text(change.before.get(name), words), _text(change.after.get(name), words))
            for name in {**change.before, **change.after}
        ),
    )


def _text(value: Any, words: Words) -> str:
    if value is None or value in ("", [], {}):
        return words("(nothing)")
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {each}" for name, each in value.items())
    return str(value)

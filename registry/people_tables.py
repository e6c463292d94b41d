"""The SQL tables of what the registry knows of people beside the contacts themselves, and their rows.

As everywhere in the registry nothing is ever removed from them and no table changes its columns. What stands as JSON is
read as a whole and never searched.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import time, timedelta
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, Row, String, Table, Text

from domain.episode import Severity
from domain.instant import to_datetime, to_ms
from domain.people import Contact, EscalationChain, EscalationStep, Override, QuietHours, Roster, Rotation, Team
from registry.tables import Cells, metadata

contact_preference = Table(
    "contact_preference",
    metadata,
    Column("id", String(64), ForeignKey("contact.id"), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("channels", Text, nullable=False),  # JSON
    Column("addresses", Text, nullable=False),  # JSON
    Column("quiet", Text),  # JSON
)

team = Table(
    "team",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("members", Text, nullable=False),  # JSON
)

roster = Table(
    "roster",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("timezone", Text, nullable=False),
    Column("rotations", Text, nullable=False),  # JSON
    Column("overrides", Text, nullable=False),  # JSON
)

escalation_chain = Table(
    "escalation_chain",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("country", Text, nullable=False),
    Column("region", Text, nullable=False),
    Column("district", Text, nullable=False),
    Column("facility", Text, nullable=False),
    Column("from_severity", Integer, nullable=False),
    Column("steps", Text, nullable=False),  # JSON
    Column("repeat_every_ms", BigInteger),
    Column("repeat_times", Integer, nullable=False),
)

_MILLISECOND: Final = timedelta(milliseconds=1)


def has_preferences(item: Contact) -> bool:
    """Tell whether there is anything to keep of a contact beside its own row."""
    return bool(item.channels or item.addresses or item.quiet)


def preference_cells(item: Contact) -> Cells:
    """Return the row of how a contact wants to be told."""
    quiet = None
    if item.quiet is not None:
        start, end = item.quiet.start.isoformat("minutes"), item.quiet.end.isoformat("minutes")
        quiet = json.dumps([start, end, item.quiet.timezone, item.quiet.woken_from.value])
    return {
        "id": item.id,
        "channels": json.dumps(item.channels),
        "addresses": json.dumps(dict(item.addresses)),
        "quiet": quiet,
    }


def with_preferences(item: Contact, row: Row[Any] | None) -> Contact:
    """Return a contact with what its row, where it has one, says of how to tell them."""
    if row is None:
        return item
    addresses = MappingProxyType(json.loads(row.addresses))
    return replace(item, channels=tuple(json.loads(row.channels)), addresses=addresses, quiet=_quiet(row.quiet))


def _quiet(text: str | None) -> QuietHours | None:
    if text is None:
        return None
    start, end, timezone, woken_from = json.loads(text)
    return QuietHours(time.fromisoformat(start), time.fromisoformat(end), timezone, Severity(woken_from))


def team_cells(item: Team) -> Cells:
    """Return the row of a team."""
    return {"id": item.id, "name": item.name, "members": json.dumps(item.members)}


def to_team(row: Row[Any]) -> Team:
    """Return the team of a row."""
    return Team(row.id, row.name, tuple(json.loads(row.members)))


def roster_cells(item: Roster) -> Cells:
    """Return the row of a roster."""
    rotations = [
        {
            "members": each.members,
            "first_day": to_ms(each.first_day),
            "turn_days": each.turn_days,
            "from": _clock(each.from_time),
            "to": _clock(each.to_time),
            "weekdays": each.weekdays,
        }
        for each in item.rotations
    ]
    overrides = [[each.contact, to_ms(each.start), to_ms(each.end), each.reason] for each in item.overrides]
    return {
        "id": item.id,
        "name": item.name,
        "timezone": item.timezone,
        "rotations": json.dumps(rotations),
        "overrides": json.dumps(overrides),
    }


def to_roster(row: Row[Any]) -> Roster:
    """Return the roster of a row."""
    rotations = tuple(_rotation(each) for each in json.loads(row.rotations))
    overrides = tuple(
        Override(contact, to_datetime(start), to_datetime(end), reason)
        for contact, start, end, reason in json.loads(row.overrides)
    )
    return Roster(row.id, row.name, row.timezone, rotations, overrides)


def _rotation(said: Mapping[str, Any]) -> Rotation:
    return Rotation(
        tuple(said["members"]),
        to_datetime(said["first_day"]),
        said["turn_days"],
        _time(said["from"]),
        _time(said["to"]),
        tuple(said["weekdays"]),
    )


def chain_cells(item: EscalationChain) -> Cells:
    """Return the row of an escalation chain."""
    steps = [{"after_ms": each.after // _MILLISECOND, "to": each.to, "by": each.by} for each in item.steps]
    return {
        "id": item.id,
        "country": item.country,
        "region": item.region,
        "district": item.district,
        "facility": item.facility,
        "from_severity": item.from_severity.value,
        "steps": json.dumps(steps),
        "repeat_every_ms": None if item.repeat_every is None else item.repeat_every // _MILLISECOND,
        "repeat_times": item.repeat_times,
    }


def to_chain(row: Row[Any]) -> EscalationChain:
    """Return the escalation chain of a row."""
    steps = tuple(
        EscalationStep(each["after_ms"] * _MILLISECOND, tuple(each["to"]), tuple(each["by"]))
        for each in json.loads(row.steps)
    )
    every = None if row.repeat_every_ms is None else row.repeat_every_ms * _MILLISECOND
    severity = Severity(row.from_severity)
    return EscalationChain(
        row.id, steps, row.country, row.region, row.district, row.facility, severity, every, row.repeat_times
    )


def _clock(moment: time | None) -> str | None:
    return None if moment is None else moment.isoformat("minutes")


def _time(text: str | None) -> time | None:
    return None if text is None else time.fromisoformat(text)

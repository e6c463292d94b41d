"""What a directory says of people, in the YAML form of a registry document, as plain data."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from domain.directory import Directory
from domain.episode import Severity
from domain.instant import format_duration, format_rfc3339
from domain.people import Contact, EscalationChain, EscalationStep, Override, QuietHours, Roster, Rotation, Team
from registry.people_fields import WEEKDAYS


def exported_people(directory: Directory) -> dict[str, Any]:
    """Return the parts of the document that speak of people; those that are empty stand there, too."""
    return {
        "contacts": [_contact(contact) for contact in directory.contacts.values()],
        "teams": [_team(team) for team in directory.teams.values()],
        "rosters": [exported_roster(roster) for roster in directory.rosters.values()],
        "escalation": [_chain(chain) for chain in directory.chains.values()],
    }


def person_entry(item: Contact | Team | Roster | EscalationChain) -> dict[str, Any]:
    """Return the entry of a contact, a team, a roster or a chain."""
    if isinstance(item, Contact):
        return _contact(item)
    if isinstance(item, Team):
        return _team(item)
    return exported_roster(item) if isinstance(item, Roster) else _chain(item)


def exported_roster(roster: Roster) -> dict[str, Any]:
    """Return the entry of a roster, with all of its overrides, also where there are none."""
    rotations = [_rotation(rotation, roster.timezone) for rotation in roster.rotations]
    entry = said(id=roster.id, name=roster.name, timezone=roster.timezone, rotations=rotations)
    return {**entry, "overrides": [_override(override, roster.timezone) for override in roster.overrides]}


def duration_text(duration: timedelta) -> str:
    """Return the text that ``parse_duration`` reads back exactly."""
    if duration % timedelta(seconds=1):
        return f"{duration // timedelta(milliseconds=1)}ms"
    return format_duration(duration).replace(" ", "")


def said(**fields: Any) -> dict[str, Any]:
    """Return the fields that say anything."""
    return {name: value for name, value in fields.items() if value not in ("", None, [], {})}


def _contact(contact: Contact) -> dict[str, Any]:
    return said(
        id=contact.id,
        name=contact.name,
        language=contact.language,
        email=contact.email,
        phone=contact.phone,
        facilities=list(contact.facilities),
        district=contact.district,
        region=contact.region,
        channels=list(contact.channels),
        addresses=dict(contact.addresses),
        quiet=_quiet(contact.quiet) if contact.quiet else None,
    )


def _quiet(quiet: QuietHours) -> dict[str, Any]:
    hours = {"from": _clock(quiet.start), "to": _clock(quiet.end)}
    return {**hours, "timezone": quiet.timezone, "woken_from": quiet.woken_from.label}


def _team(team: Team) -> dict[str, Any]:
    return said(id=team.id, name=team.name, members=list(team.members))


def _rotation(rotation: Rotation, timezone: str) -> dict[str, Any]:
    begin, end = rotation.from_time, rotation.to_time
    hours = None if begin is None and end is None else {"from": _clock(begin), "to": _clock(end)}
    return said(
        members=list(rotation.members),
        first_day=_wall_clock(rotation.first_day, timezone),
        turn_days=rotation.turn_days,
        hours=hours,
        weekdays=[WEEKDAYS[day] for day in rotation.weekdays],
    )


def _override(override: Override, timezone: str) -> dict[str, Any]:
    start, end = _wall_clock(override.start, timezone), _wall_clock(override.end, timezone)
    return said(**{"contact": override.contact, "from": start, "to": end, "reason": override.reason})


def _chain(chain: EscalationChain) -> dict[str, Any]:
    return said(
        id=chain.id,
        country=chain.country,
        region=chain.region,
        district=chain.district,
        facility=chain.facility,
        from_severity="" if chain.from_severity is Severity.INFO else chain.from_severity.label,
        steps=[_step(step) for step in chain.steps],
        repeat_every=duration_text(chain.repeat_every) if chain.repeat_every else None,
        repeat_times=chain.repeat_times or None,
    )


def _step(step: EscalationStep) -> dict[str, Any]:
    return said(after=duration_text(step.after) if step.after else "", to=list(step.to), by=list(step.by))


def _clock(moment: time | None) -> str:
    return "00:00" if moment is None else moment.isoformat("minutes")


def _wall_clock(moment: datetime, timezone: str) -> str:
    """Return the moment by the clock of the zone, or where that clock shows it twice in UTC."""
    local = moment.astimezone(ZoneInfo(timezone)).replace(microsecond=0)
    wall = local.replace(tzinfo=None)
    if local.fold or wall.replace(tzinfo=ZoneInfo(timezone)).astimezone(moment.tzinfo) != moment:
        return format_rfc3339(moment)
    return wall.isoformat(timespec="seconds" if wall.second else "minutes")

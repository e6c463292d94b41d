"""The commands that say who is on call and who is told."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from alerts.oncall.answering import who_answers
from alerts.oncall.chain import USUAL
from alerts.oncall.roster import next_handover, on_call, override_at
from app.check import registered
from app.config import ServiceConfig
from domain.directory import Directory
from domain.episode import Severity
from domain.errors import OperatorError
from domain.instant import format_duration
from domain.people import Contact, EscalationChain, Roster
from domain.suggest import allowed_words


async def show_rosters(config: ServiceConfig, name: str | None, at: datetime, *, say: Callable[[str], None]) -> None:
    """Say who is on call by each roster, or by one, and until when."""
    directory = await registered(config)
    rosters = [roster_of(directory, name)] if name else list(directory.rosters.values())
    if not rosters:
        say("no roster is registered (docs/people.md says how)")
    for roster in rosters:
        for line in roster_lines(roster, directory, at):
            say(line)


async def show_chain(
    config: ServiceConfig, facility: str, severity: Severity, at: datetime, *, say: Callable[[str], None]
) -> None:
    """Say who is told of alerts of this severity at a facility, step by step."""
    directory = await registered(config)
    if facility not in directory.facilities:
        raise OperatorError(f"found facility {facility!r}; allowed: {allowed_words(facility, directory.facilities)}")
    for line in chain_lines(directory, facility, severity, at):
        say(line)


def roster_of(directory: Directory, name: str) -> Roster:
    """Return a registered roster; raise ``OperatorError`` naming the others where there is none of this id."""
    if name not in directory.rosters:
        raise OperatorError(f"found roster {name!r}; allowed: {allowed_words(name, directory.rosters)}")
    return directory.rosters[name]


def roster_lines(roster: Roster, directory: Directory, at: datetime) -> list[str]:
    """Return who is on call and until when, as lines."""
    zone = ZoneInfo(roster.timezone)
    lines = [f"{roster.id} ({roster.name}) at {_clock(at, zone)}"]
    known = [directory.contacts.get(contact) for contact in on_call(roster, at)]
    lines += _people_lines(contact for contact in known if contact is not None) or ["  nobody"]
    override = override_at(roster, at)
    if override is not None:
        reason = f": {override.reason}" if override.reason else ""
        lines.append(f"  instead of whom the rotations name, until {_clock(override.end, zone)}{reason}")
    handover = next_handover(roster, at)
    if handover is not None:
        after = ", ".join(on_call(roster, handover)) or "nobody"
        lines.append(f"  from {_clock(handover, zone)}: {after}")
    return lines


def chain_lines(directory: Directory, facility: str, severity: Severity, at: datetime) -> list[str]:
    """Return the steps of the chain for a facility with their people at a moment, as lines."""
    place = directory.facilities[facility]
    chain, steps = who_answers(place, severity, directory, at)
    lines = [f"{severity.label} alerts at {place.id} ({place.name}), {_clock(at, ZoneInfo(place.timezone))}"]
    lines.append("chain: the usual one, for no registered one is for this" if chain is USUAL else f"chain: {chain.id}")
    for after, step, people in steps:
        by = f", by {', '.join(step.by)}" if step.by else ""
        lines.append(f"{_when(after)} {', '.join(step.to)}{by}")
        lines += _people_lines(each.contact for each in people) or ["  nobody"]
    return [*lines, *_repeat_lines(chain)]


def _when(after: timedelta | None) -> str:
    if after is None:
        return "left out:"
    return f"after {format_duration(after)}:" if after else "at once:"


def _repeat_lines(chain: EscalationChain) -> list[str]:
    if chain.repeat_every is None:
        return []
    return [f"then every {format_duration(chain.repeat_every)}, {chain.repeat_times} times: the last step again"]


def _people_lines(people: Iterable[Contact]) -> list[str]:
    return [f"  {_person(contact)}" for contact in people]


def _person(contact: Contact) -> str:
    addresses = [
        contact.phone,
        contact.email,
        *(f"{medium} {_shown(each)}" for medium, each in contact.addresses.items()),
    ]
    known = ", ".join(address for address in addresses if address) or "no address"
    quiet = contact.quiet
    woken = ""
    if quiet is not None:
        hours = f"{quiet.start:%H:%M}-{quiet.end:%H:%M} {quiet.timezone}"
        woken = f"; quiet {hours} below {quiet.woken_from.label}"
    preferred = f"; by {', then '.join(contact.channels)}" if contact.channels else ""
    return f"{contact.id} ({contact.name}): {known}{preferred}{woken}"


def _shown(address: str) -> str:
    """Return an address without what may be a password: a URL may hold a token."""
    schema, mark, _ = address.partition("://")
    return f"{schema}://..." if mark else address


def _clock(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%a %Y-%m-%d %H:%M} {zone.key}"

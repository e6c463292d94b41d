"""The escalation chain of a place, and the people of each of its steps; pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Final, NamedTuple

from alerts.oncall.roster import on_call
from domain.directory import Directory
from domain.episode import Severity
from domain.people import Contact, EscalationChain, EscalationStep
from domain.places import Facility

USUAL: Final = EscalationChain(
    id="",
    steps=(
        EscalationStep(timedelta(0), ("facility",)),
        EscalationStep(timedelta(minutes=15), ("district",)),
        EscalationStep(timedelta(minutes=30), ("region",)),
        EscalationStep(timedelta(minutes=60), ("country",)),
    ),
)
"""Where the registry names no chain: those who answer for the facility, then for its district, region, country.

0, 15 and 30 minutes are the usual steps of a cold chain's escalation.
"""


class Level(IntEnum):
    """How large a place is, from the largest on."""

    EVERYWHERE = 0
    COUNTRY = 1
    REGION = 2
    DISTRICT = 3
    FACILITY = 4


class MannedStep(NamedTuple):
    """A step that has people at a moment."""

    after: timedelta
    """Since the first step that has people."""
    people: tuple[Contact, ...]
    by: tuple[str, ...]
    """Media or channels to use whatever the person prefers; empty: as the person prefers."""


def chain_of(facility: Facility, severity: Severity, directory: Directory) -> EscalationChain:
    """Return the chain for alerts of this severity at a facility: the one for the smallest place that it is in.

    Of chains for one place the one with the highest ``from_severity`` that the alert reaches counts. ``USUAL`` where
    no chain is for this.
    """
    fitting = [
        chain for chain in directory.chains.values() if chain.place.covers(facility) and chain.from_severity <= severity
    ]
    return max(fitting, key=lambda chain: (level_of(chain), chain.from_severity), default=USUAL)


def people_of(step: EscalationStep, facility: Facility, directory: Directory, at: datetime) -> tuple[Contact, ...]:
    """Return whom a step names at a moment, each once; ids that are not registered are passed over."""
    named = (contact for word in step.to for contact in named_by(word, facility, directory, at))
    known = (directory.contacts.get(contact) for contact in dict.fromkeys(named))
    return tuple(contact for contact in known if contact is not None)


def steps_of(chain: EscalationChain, facility: Facility, directory: Directory, at: datetime) -> tuple[MannedStep, ...]:
    """Return the steps of a chain that name anybody at a moment, so that somebody is told at once.

    Steps without people are left out. The first step that has some is due at 0, whatever its own ``after`` is, because
    nobody would wait for an answer of nobody; each later step keeps its own ``after``, so that whoever stands high in a
    chain is not asked earlier than the chain says. All steps are of the people of this one moment: by the time that a
    step is due somebody else may be on call, so ask again then.
    """
    found = [MannedStep(step.after, people_of(step, facility, directory, at), step.by) for step in chain.steps]
    manned = [step for step in found if step.people]
    return tuple([manned[0]._replace(after=timedelta(0)), *manned[1:]] if manned else ())


def level_of(placed: Contact | EscalationChain) -> Level:
    """Return the smallest place that a contact or a chain names."""
    facility = placed.facilities if isinstance(placed, Contact) else placed.facility
    country = "" if isinstance(placed, Contact) else placed.country
    if facility:
        return Level.FACILITY
    if placed.district:
        return Level.DISTRICT
    if placed.region:
        return Level.REGION
    return Level.COUNTRY if country else Level.EVERYWHERE


_LEVEL_OF_WORD: Final = {
    "facility": Level.FACILITY,
    "district": Level.DISTRICT,
    "region": Level.REGION,
    # Of a contact nothing smaller than the country can be left to name.
    "country": Level.EVERYWHERE,
}


def named_by(word: str, facility: Facility, directory: Directory, at: datetime) -> Iterator[str]:
    """Yield the ids of the contacts whom a word of a step names at a moment, registered or not, perhaps repeated."""
    level = _LEVEL_OF_WORD.get(word)
    if level is not None:
        yield from (each.id for each in directory.contacts_for(facility) if level_of(each) is level)
        return
    kind, _, id_ = word.partition(":")
    if kind == "contact":
        yield id_
    elif kind == "team" and id_ in directory.teams:
        yield from directory.teams[id_].members
    elif kind == "roster" and id_ in directory.rosters:
        yield from on_call(directory.rosters[id_], at)

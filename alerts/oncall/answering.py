"""Who answers for a place at a moment, step by step, and why each of them; pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from alerts.oncall.chain import chain_of, named_by
from alerts.oncall.roster import next_handover, override_at
from domain.directory import Directory
from domain.episode import Severity
from domain.people import Contact, EscalationChain, EscalationStep, Override
from domain.places import Facility


class Why(NamedTuple):
    """What names a person: a word of a step, and what stands behind it."""

    word: str
    """As the chain has it: ``roster:kasese-duty``, ``contact:ruth``, ``district``."""
    override: Override | None = None
    """Of a roster: what puts the person on call instead of whom the rotations name."""
    until: datetime | None = None
    """Of a roster: when somebody else, or nobody, is on call; None: not in sight."""


class Answering(NamedTuple):
    """A person who answers, and everything that names them."""

    contact: Contact
    why: tuple[Why, ...]


class AnsweringStep(NamedTuple):
    """A step of a chain, with its people at a moment."""

    after: timedelta | None
    """Since the first step that has people; None: left out, for it names nobody."""
    step: EscalationStep
    people: tuple[Answering, ...]


class Answers(NamedTuple):
    """The chain that counts for a place, and who its steps name."""

    chain: EscalationChain
    steps: tuple[AnsweringStep, ...]


def who_answers(place: Facility, severity: Severity, directory: Directory, at: datetime) -> Answers:
    """Return the steps of the chain for alerts of this severity at a place, those that name nobody too.

    They are due as ``alerts.oncall.chain.steps_of`` says: the first that names anybody at once.
    """
    chain = chain_of(place, severity, directory)
    steps = [(step, _people(step, place, directory, at)) for step in chain.steps]
    first = next((number for number, (_, people) in enumerate(steps) if people), None)
    return Answers(
        chain,
        tuple(
            AnsweringStep((timedelta(0) if number == first else step.after) if people else None, step, people)
            for number, (step, people) in enumerate(steps)
        ),
    )


def areas_of(country: str, region: str, district: str, directory: Directory) -> list[Facility]:
    """Return what stands for a whole area in questions about a facility, for every area that is called so.

    An empty part is filled in where it is larger than what is named; otherwise the area is the whole region or country.
    """
    said = (country, region, district)
    places = dict.fromkeys(
        (
            facility.country,
            facility.region if region or district else "",
            facility.district if district else "",
        )
        for facility in directory.facilities.values()
        if all(
            wanted in ("", found)
            for wanted, found in zip(said, (facility.country, facility.region, facility.district), strict=True)
        )
    )
    return [Facility("", place[2] or place[1] or place[0], *place) for place in places]


def _people(step: EscalationStep, place: Facility, directory: Directory, at: datetime) -> tuple[Answering, ...]:
    named: dict[str, list[Why]] = {}
    for word in dict.fromkeys(step.to):
        why = _why(word, directory, at)
        for contact in dict.fromkeys(named_by(word, place, directory, at)):
            named.setdefault(contact, []).append(why)
    known = directory.contacts
    return tuple(Answering(known[contact], tuple(why)) for contact, why in named.items() if contact in known)


def _why(word: str, directory: Directory, at: datetime) -> Why:
    kind, _, id_ = word.partition(":")
    roster = directory.rosters.get(id_) if kind == "roster" else None
    return Why(word) if roster is None else Why(word, override_at(roster, at), next_handover(roster, at))

"""What must fit together in what is said of people: a draft against itself and against what is registered already."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from domain.directory import Directory
from domain.errors import Problem
from domain.people import EscalationChain, Roster
from domain.suggest import allowed_words
from registry.draft import Draft, Place, Said


def with_kept_overrides(draft: Draft, registered: Directory) -> Draft:
    """Give rosters of whose overrides nothing is said those that are registered; return the draft."""
    for id_ in draft.keep_overrides & draft.rosters.keys() & registered.rosters.keys():
        said = draft.rosters[id_]
        draft.rosters[id_] = Said(replace(said.item, overrides=registered.rosters[id_].overrides), said.place)
    return draft


def people_problems(draft: Draft, registered: Directory) -> Iterator[Problem]:
    """Find what is said of people that does not fit: unknown ids and places, turns of nobody, chains for one place."""
    yield from _contact_problems(draft, registered)
    contacts = {**registered.contacts, **draft.contacts}
    for team in draft.teams.values():
        for member in team.item.members:
            yield from unless_known(team.place, "members", member, contacts)
    for roster in draft.rosters.values():
        yield from _roster_problems(roster, contacts)
    known = {
        "contact": contacts,
        "team": {**registered.teams, **draft.teams},
        "roster": {**registered.rosters, **draft.rosters},
    }
    for chain in draft.chains.values():
        yield from _step_problems(chain, known)
        yield from _place_problems(chain.place, chain.item, draft, registered)
    yield from _rival_chains(draft, registered)


def unless_known(place: Place, field: str, word: str, known: Mapping[str, Any] | set[str]) -> Iterator[Problem]:
    """Find a word that names nothing."""
    if word not in known:
        yield place.problem(field, repr(word), allowed_words(word, sorted(known)))


def _contact_problems(draft: Draft, registered: Directory) -> Iterator[Problem]:
    facilities = {**registered.facilities, **draft.facilities}
    for contact in draft.contacts.values():
        for facility in contact.item.facilities:
            yield from unless_known(contact.place, "facilities", facility, facilities)
        yield from _place_problems(contact.place, contact.item, draft, registered)


def _place_problems(place: Place, placed: Any, draft: Draft, registered: Directory) -> Iterator[Problem]:
    """Find a country, region, district or facility that no facility is in."""
    facilities = [*registered.facilities.values(), *(said.item for said in draft.facilities.values())]
    for field in ("country", "region", "district"):
        word = getattr(placed, field, "")
        if word:
            yield from unless_known(place, field, word, {getattr(each, field) for each in facilities})
    facility = getattr(placed, "facility", "")
    if facility:
        yield from unless_known(place, "facility", facility, {each.id for each in facilities})


def _roster_problems(roster: Said[Roster], contacts: Mapping[str, Any]) -> Iterator[Problem]:
    for number, rotation in enumerate(roster.item.rotations):
        place = replace(roster.place, path=(*roster.place.path, "rotations", number))
        for member in rotation.members:
            yield from unless_known(place, "members", member, contacts)
    for number, override in enumerate(roster.item.overrides):
        place = replace(roster.place, path=(*roster.place.path, "overrides", number))
        yield from unless_known(place, "contact", override.contact, contacts)
        if override.end <= override.start:
            yield place.problem("to", "an end that is not after the beginning", "a moment after from")
    if not roster.item.rotations and not roster.item.overrides:
        yield roster.place.problem("rotations", "nobody who would ever be on call", "at least one rotation or override")


def _step_problems(chain: Said[EscalationChain], known: Mapping[str, Mapping[str, Any]]) -> Iterator[Problem]:
    for number, step in enumerate(chain.item.steps):
        place = replace(chain.place, path=(*chain.place.path, "steps", number))
        for word in step.to:
            kind, _, id_ = word.partition(":")
            if id_ and id_ not in known[kind]:
                ids = [f"{kind}:{each}" for each in sorted(known[kind])]
                yield place.problem("to", repr(word), allowed_words(word, ids))


def _rival_chains(draft: Draft, registered: Directory) -> Iterator[Problem]:
    """Find chains between which nothing decides."""
    staying = [chain for chain in registered.chains.values() if chain.id not in draft.chains]
    taken = {_scope(chain): chain.id for chain in staying}
    for said in draft.chains.values():
        other = taken.setdefault(_scope(said.item), said.item.id)
        if other != said.item.id:
            found = f"the place and the severity of {other}"
            yield said.place.problem("from_severity", found, "one chain for a place from each severity on")


def _scope(chain: EscalationChain) -> tuple[Any, ...]:
    return chain.country, chain.region, chain.district, chain.facility, chain.from_severity

"""What must fit together: a draft against itself and against what is registered already."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import Any, Final

from domain.directory import Directory
from domain.document import Document, Path
from domain.errors import DocumentError, Problem
from domain.places import Channel
from registry.draft import Draft, Place, Said, read_draft
from registry.in_force import in_force, scopes_of, sources
from registry.people_checks import people_problems, unless_known, with_kept_overrides

MAX_PROBLEMS: Final = 100
"""More than a person mends in one round; each costs a search for the word that was meant."""


def checked_draft(documents: Iterable[Document], registered: Directory) -> Draft:
    """Return what the documents say, where all of it can be used beside what is registered.

    Raises ``DocumentError`` listing up to ``MAX_PROBLEMS`` problems.
    """
    draft = with_kept_overrides(read_draft(documents), registered)
    found = chain(
        draft.problems,
        _unknown_references(draft, registered),
        people_problems(draft, registered),
        _clashing_names(draft, registered),
    )
    problems = list(islice(found, MAX_PROBLEMS))
    # What limits come to can be told only where everything fits together.
    problems = problems or list(islice(_crossed_limits(draft, registered), MAX_PROBLEMS))
    if problems:
        raise DocumentError(problems)
    return draft


def directory_of(*documents: Document) -> Directory:
    """Return the directory that the documents alone describe; raise ``DocumentError`` where they do not fit."""
    nothing = Directory()
    return merged(checked_draft(documents, nothing), nothing)


def _unknown_references(draft: Draft, registered: Directory) -> Iterator[Problem]:
    facilities = {**registered.facilities, **draft.facilities}
    equipment = {**registered.equipment, **draft.equipment}
    nodes = {**registered.nodes, **draft.nodes}
    for item in draft.equipment.values():
        yield from unless_known(item.place, "facility", item.item.facility, facilities)
    for node in draft.nodes.values():
        yield from unless_known(node.place, "facility", node.item.facility, facilities)
    for channel in draft.channels.values():
        yield from unless_known(channel.place, "facility", channel.item.facility, facilities)
        yield from unless_known(channel.place, "node", channel.item.node, nodes)
        if channel.item.facility in facilities:
            yield from unless_known(channel.place, "equipment", channel.item.equipment, equipment)
    for limits in draft.shared_limits.values():
        if limits.item.id.facility:
            yield from unless_known(limits.place, "facility", limits.item.id.facility, facilities)


def _clashing_names(draft: Draft, registered: Directory) -> Iterator[Problem]:
    """Find names that lead a node's reading to two channels."""
    staying = (channel for channel in registered.channels.values() if channel.id not in draft.channels)
    taken = {(channel.node, channel.name): channel.id for channel in staying}
    for said in draft.channels.values():
        name = (said.item.node, said.item.name)
        other = taken.setdefault(name, said.item.id)
        if other != said.item.id:
            found = f"{said.item.name!r}, which {other} has on node {said.item.node}"
            yield said.place.problem("name", found, "each name once on a node")


def _crossed_limits(draft: Draft, registered: Directory) -> Iterator[Problem]:
    """Find channels whose low limit the draft puts above the high one, wherever each of them is said."""
    after = merged(draft, limits_touched(draft, registered))
    crossed: dict[tuple[str, Path], list[tuple[Channel, Place]]] = {}
    for channel in after.channels.values():
        low, high = channel.limits.get("low"), channel.limits.get("high")
        crossing = low is not None and high is not None and low > high
        if crossing and (place := _place_of_limits(channel, after, draft)):
            crossed.setdefault((place.document.source, place.path), []).append((channel, place))
    for (channel, place), *others in crossed.values():
        found = sources(channel, after)
        words = (
            f"{name} {channel.quantity.format(channel.limits[name])} ({found[name].scope or 'its own'})"
            for name in ("low", "high")
        )
        more = f" and {len(others)} more" if others else ""
        yield place.problem("limits", f"{' above '.join(words)} at {channel.id}{more}", "low up to high")


def _place_of_limits(channel: Channel, after: Directory, draft: Draft) -> Place | None:
    """Return the place in the draft that makes the limits what they are; None where the draft says nothing of them."""
    found = sources(channel, after)
    # A limit may also come to light: where what hid it is taken back, or where the equipment becomes another.
    scopes = (*(found[name].scope for name in ("low", "high")), None, *scopes_of(channel, after))
    said: list[Said[Any] | None] = [
        draft.channels.get(channel.id) if scope is None else draft.shared_limits.get(scope) for scope in scopes
    ]
    said.append(draft.equipment.get(channel.equipment))
    return next((each.place for each in said if each is not None), None)


def limits_touched(draft: Draft, registered: Directory) -> Directory:
    """Return the part of what is registered whose limits a draft can change: of a nation, what one form is about."""
    if draft.shared_limits:
        return registered
    at_equipment = {said.item.facility for said in draft.equipment.values()}
    return registered.within(at_equipment | {said.item.facility for said in draft.channels.values()})


def _replaced(registered: Mapping[Any, Any], said: Mapping[Any, Said[Any]]) -> Iterable[Any]:
    return {**registered, **{id_: entry.item for id_, entry in said.items()}}.values()


def merged(draft: Draft, registered: Directory) -> Directory:
    """Return what is registered once the draft is imported, with the limits that are in force then."""
    everything = Directory(
        facilities=_replaced(registered.facilities, draft.facilities),
        equipment=_replaced(registered.equipment, draft.equipment),
        nodes=_replaced(registered.nodes, draft.nodes),
        channels=_replaced(registered.channels, draft.channels),
        contacts=_replaced(registered.contacts, draft.contacts),
        shared_limits=_replaced(registered.shared_limits, draft.shared_limits),
        teams=_replaced(registered.teams, draft.teams),
        rosters=_replaced(registered.rosters, draft.rosters),
        chains=_replaced(registered.chains, draft.chains),
        upkeep=registered.upkeep.values(),
    )
    return in_force(everything)

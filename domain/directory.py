"""The directory: an immutable view of the registry, indexed for those who look things up on every reading."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import wraps
from typing import TypeVar
from weakref import WeakKeyDictionary

from domain.people import Contact, EscalationChain, Roster, Team
from domain.places import Channel, Equipment, Facility, Node, Place, SharedLimits
from domain.suggest import allowed_words
from domain.upkeep import Upkeep, UpkeepState

Placed = TypeVar("Placed", Equipment, Node, Channel)
Made = TypeVar("Made")


class Directory:
    """Everything that is registered, looked up by id; replaced as a whole when the registry changes."""

    def __init__(
        self,
        *,
        facilities: Iterable[Facility] = (),
        equipment: Iterable[Equipment] = (),
        nodes: Iterable[Node] = (),
        channels: Iterable[Channel] = (),
        contacts: Iterable[Contact] = (),
        shared_limits: Iterable[SharedLimits] = (),
        teams: Iterable[Team] = (),
        rosters: Iterable[Roster] = (),
        chains: Iterable[EscalationChain] = (),
        upkeep: Iterable[Upkeep] = (),
    ) -> None:
        self.facilities = {facility.id: facility for facility in facilities}
        self.equipment = {item.id: item for item in equipment}
        self.nodes = {node.id: node for node in nodes}
        self.channels = {channel.id: channel for channel in channels}
        self.contacts = {contact.id: contact for contact in contacts}
        self.shared_limits = {limits.id: limits for limits in shared_limits}
        self.teams = {team.id: team for team in teams}
        self.rosters = {roster.id: roster for roster in rosters}
        self.chains = {chain.id: chain for chain in chains}
        self.upkeep = {said.equipment: said for said in upkeep}
        """How equipment is of which anything was said; all other is taken to function."""
        self.out_of_service = frozenset(
            said.equipment for said in self.upkeep.values() if said.state is UpkeepState.OUT_OF_SERVICE
        )
        by_node: dict[str, dict[str, Channel]] = {node: {} for node in self.nodes}
        for channel in self.channels.values():
            by_node.setdefault(channel.node, {})[channel.name] = channel
        self._channels_by_node = by_node
        self._equipment_by_facility = _group(self.equipment.values())
        self._nodes_by_facility = _group(self.nodes.values())
        self._channels_by_facility = _group(self.channels.values())
        self._contacts_by_place = _by_place(self.contacts.values())

    def within(self, facilities: Collection[str]) -> Directory:
        """Return the part with only these facilities, what stands in them, and the people who are told of them."""
        found = [facility for facility in self.facilities.values() if facility.id in facilities]
        chains = self._chains_for(found)
        told = {contact.id for each in found for contact in self.contacts_for(each)}
        named = {word for chain in chains for step in chain.steps for word in step.to}
        teams = [each for each in self.teams.values() if f"team:{each.id}" in named or told.issuperset(each.members)]
        rosters = [each for each in self.rosters.values() if f"roster:{each.id}" in named or told >= each.contacts]
        told.update(
            (word.removeprefix("contact:") for word in named if word.startswith("contact:")),
            *(each.members for each in teams),
            *(each.contacts for each in rosters),
        )
        equipment = [item for each in found for item in self.equipment_of(each.id)]
        return Directory(
            facilities=found,
            equipment=equipment,
            nodes=(node for each in found for node in self.nodes_of(each.id)),
            channels=(channel for each in found for channel in self.channels_of(each.id)),
            contacts=(each for each in self.contacts.values() if each.id in told),
            shared_limits=[
                each for each in self.shared_limits.values() if not each.id.facility or each.id.facility in facilities
            ],
            teams=teams,
            rosters=rosters,
            chains=chains,
            upkeep=[self.upkeep[item.id] for item in equipment if item.id in self.upkeep],
        )

    def _chains_for(self, facilities: Sequence[Facility]) -> list[EscalationChain]:
        """Return the chains that are for any of these facilities."""
        by_id = {each.id: each for each in facilities}
        # Of a district one facility stands for all, or thousands of chains would be held against thousands of places.
        of_area = {(each.country, each.region, each.district): each for each in facilities}.values()
        return [
            chain
            for chain in self.chains.values()
            if (
                chain.facility in by_id and chain.place.covers(by_id[chain.facility])
                if chain.facility
                else any(map(chain.place.covers, of_area))
            )
        ]

    def channels_of_node(self, node: str) -> dict[str, Channel] | None:
        """Return the node's channels by the node's own name for them, or None for an unknown node."""
        return self._channels_by_node.get(node)

    def equipment_of(self, facility: str) -> tuple[Equipment, ...]:
        """Return the equipment of a facility in registration order."""
        return self._equipment_by_facility.get(facility, ())

    def nodes_of(self, facility: str) -> tuple[Node, ...]:
        """Return the nodes of a facility in registration order."""
        return self._nodes_by_facility.get(facility, ())

    def channels_of(self, facility: str) -> tuple[Channel, ...]:
        """Return the channels of a facility in registration order."""
        return self._channels_by_facility.get(facility, ())

    def contacts_for(self, facility: Facility) -> tuple[Contact, ...]:
        """Return the people who answer for a facility."""
        places = (("facility", facility.id), ("district", facility.district), ("", ""))
        near = [entry for place in places for entry in self._contacts_by_place.get(place, ())]
        return tuple(contact for _, contact in sorted(near, key=_rank) if contact.answers_for(facility))


def _by_place(contacts: Iterable[Contact]) -> dict[tuple[str, str], list[tuple[int, Contact]]]:
    """Return the contacts by a place that is needed, though not enough, for them to answer; with their rank."""
    grouped: defaultdict[tuple[str, str], list[tuple[int, Contact]]] = defaultdict(list)
    for rank, contact in enumerate(contacts):
        named = [("facility", facility) for facility in dict.fromkeys(contact.facilities)]
        for place in named or [("district", contact.district) if contact.district else ("", "")]:
            grouped[place].append((rank, contact))
    return dict(grouped)


def _rank(entry: tuple[int, Contact]) -> int:
    return entry[0]


def _group(items: Iterable[Placed]) -> dict[str, tuple[Placed, ...]]:
    grouped: defaultdict[str, list[Placed]] = defaultdict(list)
    for item in items:
        grouped[item.facility].append(item)
    return {facility: tuple(members) for facility, members in grouped.items()}


def misplaced(place: Place, directory: Directory) -> str:
    """Return why no facility is meant, with what is allowed; empty where one is, or where all are."""
    facilities = directory.facilities.values()
    for part in ("country", "region", "district", "facility"):
        wanted = getattr(place, part)
        known = {facility.id if part == "facility" else getattr(facility, part) for facility in facilities}
        if wanted and wanted not in known:
            return f"no such {part}: {allowed_words(wanted, known)}"
    if place != Place() and not any(map(place.covers, facilities)):
        return "no facility lies in all of the places that were named"
    return ""


def once_per_directory(make: Callable[[Directory], Made]) -> Callable[[Directory], Made]:
    """Let a function be called once for each directory, and its answer go when the directory goes.

    A directory of a nation takes hundreds of megabytes: none may live on because something was made of it. So what is
    made must not hold the directory itself.
    """
    known: WeakKeyDictionary[Directory, Made] = WeakKeyDictionary()

    @wraps(make)
    def made(directory: Directory) -> Made:
        if directory not in known:
            known[directory] = make(directory)
        return known[directory]

    return made

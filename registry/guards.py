"""What must hold for a change beside its own sense: nobody was faster, and it is within one's reach. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from domain.directory import Directory
from domain.errors import Fault, VitalsError
from domain.people import Roster, Team
from domain.places import Facility
from registry.draft import Draft
from registry.rows import Row, mark_of, row_of

_BEYOND = "This concerns more than the places where you may change something."
Guard = Callable[[Directory, Draft], None]
"""Raises where what is registered at the moment of the change does not allow it."""


class ChangedMeanwhileError(VitalsError):
    """Somebody else changed what a change was said against."""

    fault = Fault.SENDER

    def __init__(self, kind: str, id_: str, now: Row | None) -> None:
        self.kind, self.id, self.now = kind, id_, now
        """What is registered now; None: nothing."""
        super().__init__(f"{id_} was changed by somebody else meanwhile; look at it again.")


class OutOfReachError(VitalsError):
    """A change would touch what one may not change."""

    fault = Fault.SENDER


def seen(kind: str, id_: str, mark: str) -> Guard:
    """Demand that an item is as it was seen: with the mark of its row, or not there where the mark is empty."""

    def guard(registered: Directory, _: Draft) -> None:
        found = getattr(registered, kind).get(id_)
        row = None if found is None else row_of(kind, found)
        if mark != ("" if row is None else mark_of(row)):
            raise ChangedMeanwhileError(kind, id_, row)

    return guard


def unchanged(kind: str, item: Any) -> Guard:
    """Demand that an item is still the one that was read."""

    def guard(registered: Directory, _: Draft) -> None:
        if getattr(registered, kind).get(item.id) != item:
            raise ChangedMeanwhileError(kind, item.id, None)

    return guard


def only_within(may: Callable[[Facility], bool]) -> Guard:
    """Demand that everything a draft says stands, before and after, in facilities that one may change."""

    def guard(registered: Directory, draft: Draft) -> None:
        after = {**registered.facilities, **{id_: said.item for id_, said in draft.facilities.items()}}
        if draft.shared_limits or draft.chains:
            raise OutOfReachError(_BEYOND)
        _require_people(registered, draft, after.values(), may)
        for id_ in _touched(registered, draft):
            for facility in (registered.facilities.get(id_), after.get(id_)):
                if facility is not None and not may(facility):
                    raise OutOfReachError(f"{id_} is in a place where you may not change anything.")

    return guard


def _require_people(
    registered: Directory, draft: Draft, facilities: Collection[Facility], may: Callable[[Facility], bool]
) -> None:
    """Demand that people of whom a draft speaks, before and after, answer for nothing that one may not change."""
    after = {**registered.contacts, **{id_: said.item for id_, said in draft.contacts.items()}}
    concerned = [known[id_] for id_ in draft.contacts for known in (registered.contacts, after) if id_ in known]
    for kind in ("teams", "rosters"):
        known: Mapping[str, Any] = getattr(registered, kind)
        for id_, said in getattr(draft, kind).items():
            members = {member for each in (known.get(id_), said.item) if each for member in _members_of(each)}
            concerned += [after[member] for member in members if member in after]
    for contact in concerned:
        answered = [facility for facility in facilities if contact.answers_for(facility)]
        if not answered or not all(map(may, answered)):
            raise OutOfReachError(f"{contact.name} answers for more than the places where you may change something.")


def _members_of(item: Team | Roster) -> Collection[str]:
    return item.members if isinstance(item, Team) else item.contacts


def adds_only(registered: Directory, draft: Draft) -> None:
    """Demand that facilities and equipment that a draft names and that are registered stay what they are."""
    for kind in ("facilities", "equipment"):
        known: dict[str, Any] = getattr(registered, kind)
        for id_, said in getattr(draft, kind).items():
            if id_ in known and known[id_] != said.item:
                raise ChangedMeanwhileError(kind, id_, row_of(kind, known[id_]))


def unclaimed(node: str) -> Guard:
    """Demand that a node is not registered, and that what it is added to stays what it is."""

    def guard(registered: Directory, draft: Draft) -> None:
        if node in registered.nodes:
            raise ChangedMeanwhileError("nodes", node, row_of("nodes", registered.nodes[node]))
        adds_only(registered, draft)

    return guard


def _touched(registered: Directory, draft: Draft) -> Iterable[str]:
    """Give the facilities that a draft has to do with."""
    yield from draft.facilities
    for kind in ("equipment", "nodes", "channels"):
        known: dict[str, Any] = getattr(registered, kind)
        for id_, said in getattr(draft, kind).items():
            yield said.item.facility
            if id_ in known:
                yield known[id_].facility
    for channel in draft.channels.values():
        # Whoever names another's node takes its readings.
        node = draft.nodes.get(channel.item.node)
        found = node.item if node else registered.nodes.get(channel.item.node)
        if found is not None:
            yield found.facility

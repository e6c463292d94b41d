"""What the pages of the registry call: changes by the path that documents take, upkeep, visits and who changed what."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from api.problems import NotAllowedError, NotFoundError
from domain.directory import Directory
from domain.document import Document
from domain.places import Facility, LimitScope
from domain.upkeep import Upkeep, Visit
from registry.changes import RegistryChange
from registry.draft import Draft
from registry.guards import Guard, OutOfReachError, only_within
from registry.history import LimitChange, Occasion, SharedLimitChange


class ChangeRegistry(Protocol):
    """Imports documents, all of them or nothing; what they change is in force when it returns."""

    async def __call__(self, *documents: Document, occasion: Occasion, guard: Guard) -> None:
        """Raise ``DocumentError`` for what cannot be used, and what ``guard`` raises."""


class ReadChanges(Protocol):
    """The log of changes of the registry, newest first."""

    async def __call__(
        self,
        *,
        limit: int,
        within: Collection[str] | None = None,
        facility: str | None = None,
        item: tuple[str, str] | None = None,
    ) -> Sequence[RegistryChange]:
        """Return changes of some facilities, of one, or of one thing by its kind and id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryDesk:
    """The registry as somebody may change it."""

    change: ChangeRegistry
    changes: ReadChanges
    limit_changes: Callable[[str], Awaitable[Sequence[LimitChange]]]
    """What was said of the limits of a channel, in the order in which it was said."""
    shared_limit_changes: Callable[[], Awaitable[Mapping[LimitScope, SharedLimitChange]]]
    say: Callable[[Upkeep], Awaitable[Upkeep]]
    """Keeps how equipment is; in force when it returns."""
    history: Callable[[str], Awaitable[Sequence[Upkeep]]]
    """What was said of a piece of equipment, in the order in which it was said."""
    note: Callable[[Visit], Awaitable[Visit]]
    visit: Callable[[int], Awaitable[Visit | None]]


def narrowed_desk(
    desk: RegistryDesk, directory: Callable[[], Directory], may: Callable[[Facility], bool]
) -> RegistryDesk:
    """Return the desk as somebody may use it who sees ``directory`` alone, and may change what ``may`` says."""
    mine = _Narrowed(desk, directory, may)
    return dataclasses.replace(
        desk,
        change=mine.change,
        changes=mine.changes,
        limit_changes=mine.limit_changes,
        say=mine.say,
        history=mine.history,
        note=mine.note,
        visit=mine.visit,
    )


class _Narrowed:
    def __init__(self, desk: RegistryDesk, directory: Callable[[], Directory], may: Callable[[Facility], bool]) -> None:
        self._all, self._directory, self._may = desk, directory, may

    async def change(self, *documents: Document, occasion: Occasion, guard: Guard) -> None:
        def both(registered: Directory, draft: Draft) -> None:
            only_within(self._may)(registered, draft)
            guard(registered, draft)

        try:
            await self._all.change(*documents, occasion=occasion, guard=both)
        except OutOfReachError as error:
            raise NotAllowedError(str(error)) from None

    async def changes(
        self,
        *,
        limit: int,
        within: Collection[str] | None = None,
        facility: str | None = None,
        item: tuple[str, str] | None = None,
    ) -> Sequence[RegistryChange]:
        mine = self._directory().facilities.keys()
        asked = mine if within is None else mine & set(within)
        return await self._all.changes(limit=limit, within=asked, facility=facility, item=item)

    async def limit_changes(self, channel: str) -> Sequence[LimitChange]:
        self._require("channels", channel, "channel")
        return await self._all.limit_changes(channel)

    async def say(self, said: Upkeep) -> Upkeep:
        self._require("equipment", said.equipment, "equipment")
        return await self._all.say(said)

    async def history(self, equipment: str) -> Sequence[Upkeep]:
        self._require("equipment", equipment, "equipment")
        return await self._all.history(equipment)

    async def note(self, entry: Visit) -> Visit:
        self._require("facilities", entry.facility, "facility")
        return await self._all.note(entry)

    async def visit(self, number: int) -> Visit | None:
        found = await self._all.visit(number)
        return found if found and found.facility in self._directory().facilities else None

    def _require(self, kind: str, id_: str, what: str) -> None:
        if id_ not in getattr(self._directory(), kind):
            raise NotFoundError(what, id_)

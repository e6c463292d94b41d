"""Who may do what where: roles, given for places. Pure; who somebody is, is found out elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from domain.places import EVERYWHERE, Facility, Place


class Role(IntEnum):
    """What somebody may do; each includes those before it."""

    VIEWER = 1
    """Look: facilities, readings, alerts, figures."""
    TECHNICIAN = 2
    """And act on what is found: take, shelve and close alerts, note a visit, claim a node."""
    MANAGER = 3
    """And say how things are to be: equipment, limits, people, rosters, maintenance; read what people wrote."""
    ADMINISTRATOR = 4
    """And look after the service: who may sign in, tokens, dead letters."""

    @property
    def word(self) -> str:
        """Return the name that a person writes: ``viewer``."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Grant:
    """A role in a place."""

    role: Role
    place: Place = EVERYWHERE
    """Everywhere, unless it names a smaller one."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody, or a program, who was recognised, with what that allows."""

    id: str
    """For the record: ``user:amina``, ``token:12``, ``link:contact``; empty where nobody signs in."""
    name: str
    """What stands in records as who did something; empty for somebody who has to say it each time."""
    grants: frozenset[Grant]
    language: str = ""
    """In which pages are shown unless the browser was told another; empty: as the browser asks."""
    is_program: bool = False
    """Whether it may say for whom it does something."""

    def may(self, role: Role, facility: Facility | None) -> bool:
        """Tell whether this role is given for this facility; None is one that is not registered any more."""
        return any(grant.role >= role and grant.place.covers(facility) for grant in self.grants)

    def may_somewhere(self, role: Role) -> bool:
        """Tell whether this role is given for any place."""
        return any(grant.role >= role for grant in self.grants)

    def may_everywhere(self, role: Role) -> bool:
        """Tell whether this role is given for all there is, also what belongs to no place."""
        return any(grant.role >= role and grant.place == EVERYWHERE for grant in self.grants)


NOBODY = Principal("", "", frozenset())
"""Who has not signed in."""
EVERYBODY = Principal("", "", frozenset({Grant(Role.ADMINISTRATOR)}))
"""Who asks where nobody signs in."""

"""People: who is told, when they are on call, and who is asked next where nobody answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from types import MappingProxyType

from domain.episode import Severity
from domain.places import Facility, Place


@dataclass(frozen=True, slots=True)
class QuietHours:
    """The hours of a day, in a time zone, in which a person is not woken for what can wait."""

    start: time
    end: time
    """Not included; at or before ``start``: on the next day."""
    timezone: str
    """IANA name."""
    woken_from: Severity = Severity.CRITICAL
    """From this severity on messages do not wait."""


@dataclass(frozen=True, slots=True)
class Contact:
    """A person who is told, and how."""

    id: str
    name: str
    language: str = "en"
    email: str = ""
    phone: str = ""
    facilities: tuple[str, ...] = ()
    """Facility ids this person answers for; empty means the whole ``district``, ``region`` or everything."""
    district: str = ""
    region: str = ""
    channels: tuple[str, ...] = ()
    """Media (``sms``) or channels (``sms_modem``) in order of preference: the first carries a message, each further one
    only what the one before could not deliver. Empty: every medium at once."""
    addresses: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Addresses by medium, where neither phone nor e-mail is one: ``telegram: "1234"``."""
    quiet: QuietHours | None = None

    def answers_for(self, facility: Facility) -> bool:
        """Tell whether this person is responsible for the facility."""
        if self.facilities:
            return facility.id in self.facilities
        if self.district:
            return facility.district == self.district
        return not self.region or facility.region == self.region


@dataclass(frozen=True, slots=True)
class Team:
    """People who are told together, or take turns in a roster."""

    id: str
    name: str
    members: tuple[str, ...]
    """Ids of contacts."""


@dataclass(frozen=True, slots=True)
class Rotation:
    """People who take turns of equal length, one after the other; perhaps only at certain hours or on certain days."""

    members: tuple[str, ...]
    """Ids of contacts, in the order of their turns."""
    first_day: datetime
    """When the first one's first turn begins; aware. Turns begin at this wall-clock time of the roster's zone, also
    where the clocks change."""
    turn_days: int = 7
    from_time: time | None = None
    """Nobody of this rotation is on call before this hour of the day ..."""
    to_time: time | None = None
    """... or from this one on; at or before ``from_time``: on the next day."""
    weekdays: tuple[int, ...] = ()
    """0 is Monday; the days on which hours begin; empty: every day."""


@dataclass(frozen=True, slots=True)
class Override:
    """Somebody else is on call for a while, instead of everybody whom the rotations name."""

    contact: str
    start: datetime
    end: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Roster:
    """Who is on call when."""

    id: str
    name: str
    timezone: str
    rotations: tuple[Rotation, ...]
    """All of them count: two that overlap put two people on call."""
    overrides: tuple[Override, ...] = ()

    @property
    def contacts(self) -> frozenset[str]:
        """Return the ids of everybody who takes turns or stands in."""
        turns = {member for rotation in self.rotations for member in rotation.members}
        return frozenset(turns.union(override.contact for override in self.overrides))


@dataclass(frozen=True, slots=True)
class EscalationStep:
    """Whom to tell if nobody has answered so far."""

    after: timedelta
    """Since the first step."""
    to: tuple[str, ...]
    """``contact:ID``, ``team:ID``, ``roster:ID``, or ``facility``, ``district``, ``region``, ``country``: the contacts
    who answer for the place at exactly that level."""
    by: tuple[str, ...] = ()
    """Media or channels to use whatever the person prefers; empty: as the person prefers."""


@dataclass(frozen=True, slots=True)
class EscalationChain:
    """Who is told of alerts at a place, who next, and after how long, until somebody answers."""

    id: str
    steps: tuple[EscalationStep, ...]
    country: str = ""
    region: str = ""
    district: str = ""
    facility: str = ""
    """The place that it is for; the one that names the smallest counts. All empty: for every place."""
    from_severity: Severity = Severity.INFO
    """For alerts at least this severe; of chains for one place the one with the highest bound that holds counts."""
    repeat_every: timedelta | None = None
    """After the last step: tell its people again so often; None: no more."""
    repeat_times: int = 0

    @property
    def place(self) -> Place:
        """Return the place that it is for."""
        return Place(self.country, self.region, self.district, self.facility)

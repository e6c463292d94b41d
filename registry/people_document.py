"""The forms in which registry documents speak of people: who is told, in which teams, when, and in which order."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, timedelta
from itertools import pairwise
from types import MappingProxyType
from typing import Annotated, Any, Self

from pydantic import Field, field_validator, model_validator

from domain.episode import Severity
from domain.instant import format_duration
from domain.people import Contact, EscalationChain, EscalationStep, Override, QuietHours, Roster, Rotation, Team
from registry import fields
from registry.entry import Entry
from registry.people_fields import (
    Medium,
    Moment,
    Named,
    Pause,
    SeverityName,
    TimeOfDay,
    Wait,
    Weekday,
    at_zone,
)


class QuietEntry(Entry):
    """The hours in which a person is not woken for what can wait."""

    start: TimeOfDay = Field(alias="from")
    end: TimeOfDay = Field(alias="to")
    timezone: fields.TimeZone
    woken_from: SeverityName = Severity.CRITICAL

    def quiet_hours(self) -> QuietHours:
        """Return the hours."""
        return QuietHours(self.start, self.end, self.timezone, self.woken_from)


class ContactEntry(Entry):
    """A person who is told."""

    id: fields.Id
    name: fields.Name
    language: fields.Language = "en"
    email: fields.Email = ""
    phone: fields.Phone = ""
    facilities: tuple[fields.Id, ...] = ()
    district: fields.Text = ""
    region: fields.Text = ""
    channels: tuple[Medium, ...] = ()
    addresses: dict[Medium, fields.Name] = Field(default_factory=dict)
    quiet: QuietEntry | None = None

    @field_validator("channels")
    @classmethod
    def _once(cls, channels: tuple[str, ...]) -> tuple[str, ...]:
        return _each_once(channels)

    def contact(self) -> Contact:
        """Return the contact."""
        return Contact(
            self.id,
            self.name,
            self.language,
            self.email,
            self.phone,
            self.facilities,
            self.district,
            self.region,
            self.channels,
            MappingProxyType(dict(self.addresses)),
            self.quiet.quiet_hours() if self.quiet else None,
        )


class ContactRow(ContactEntry):
    """A row of contacts.csv; several facilities or channels are separated by blanks.

    Its columns ``address.<medium>`` and ``quiet.<field>`` are the addresses and the quiet hours.
    """

    @field_validator("facilities", "channels", mode="before")
    @classmethod
    def _split(cls, written: Any) -> Any:
        return _words(written)


class TeamEntry(Entry):
    """People who are told together."""

    id: fields.Id
    name: fields.Name
    members: Annotated[tuple[fields.Id, ...], Field(min_length=1)]

    @field_validator("members")
    @classmethod
    def _once(cls, members: tuple[str, ...]) -> tuple[str, ...]:
        return _each_once(members)

    def team(self) -> Team:
        """Return the team."""
        return Team(self.id, self.name, self.members)


class TeamRow(TeamEntry):
    """A row of teams.csv; the members are separated by blanks."""

    @field_validator("members", mode="before")
    @classmethod
    def _split(cls, written: Any) -> Any:
        return _words(written)


class HoursEntry(Entry):
    """The hours of a day in which a rotation is on call."""

    start: TimeOfDay = Field(alias="from")
    end: TimeOfDay = Field(alias="to")


class RotationEntry(Entry):
    """People who take turns."""

    members: Annotated[tuple[fields.Id, ...], Field(min_length=1)]
    first_day: Moment
    turn_days: Annotated[int, Field(ge=1, le=366)] = 7
    hours: HoursEntry | None = None
    weekdays: tuple[Weekday, ...] = ()

    def rotation(self, timezone: str) -> Rotation:
        """Return the rotation of a roster in this zone."""
        begin, end = (self.hours.start, self.hours.end) if self.hours else (None, None)
        days = tuple(sorted(set(self.weekdays)))
        first = at_zone(self.first_day, timezone).astimezone(UTC)
        return Rotation(self.members, first, self.turn_days, begin, end, days)


class OverrideEntry(Entry):
    """Somebody else is on call for a while."""

    contact: fields.Id
    start: Moment = Field(alias="from")
    end: Moment = Field(alias="to")
    reason: fields.Text = ""

    def override(self, timezone: str) -> Override:
        """Return the override of a roster in this zone."""
        start, end = (at_zone(moment, timezone).astimezone(UTC) for moment in (self.start, self.end))
        return Override(self.contact, start, end, self.reason)


class RosterEntry(Entry):
    """Who is on call when."""

    id: fields.Id
    name: fields.Name
    timezone: fields.TimeZone
    rotations: tuple[RotationEntry, ...] = ()
    overrides: tuple[OverrideEntry, ...] | None = None
    """None: those that are registered stay, for they may have come from a calendar."""

    def roster(self) -> Roster:
        """Return the roster with the overrides that are said here."""
        rotations = tuple(each.rotation(self.timezone) for each in self.rotations)
        overrides = tuple(each.override(self.timezone) for each in self.overrides or ())
        return Roster(self.id, self.name, self.timezone, rotations, overrides)


class StepEntry(Entry):
    """Whom to tell if nobody has answered so far."""

    after: Wait = timedelta(0)
    to: Annotated[tuple[Named, ...], Field(min_length=1)]
    by: tuple[Medium, ...] = ()

    def step(self) -> EscalationStep:
        """Return the step."""
        return EscalationStep(self.after, self.to, self.by)


class ChainEntry(Entry):
    """Who is told of alerts at a place, and who next."""

    id: fields.Id
    country: fields.Text = ""
    region: fields.Text = ""
    district: fields.Text = ""
    facility: fields.Id | None = None
    from_severity: SeverityName = Severity.INFO
    steps: Annotated[tuple[StepEntry, ...], Field(min_length=1)]
    repeat_every: Pause | None = None
    repeat_times: Annotated[int, Field(ge=0, le=100)] = 0

    @field_validator("steps")
    @classmethod
    def _growing(cls, steps: tuple[StepEntry, ...]) -> tuple[StepEntry, ...]:
        if steps[0].after:
            raise ValueError("a first step without after, for the others count from it")
        for before, step in pairwise(steps):
            if step.after <= before.after:
                raise ValueError(f"steps one after the other: after {format_duration(before.after)} comes a longer one")
        return steps

    @model_validator(mode="after")
    def _both(self) -> Self:
        if (self.repeat_every is None) != (self.repeat_times == 0):
            raise ValueError("repeat_every and repeat_times (1 to 100) together, or neither")
        return self

    def chain(self) -> EscalationChain:
        """Return the chain."""
        return EscalationChain(
            self.id,
            tuple(each.step() for each in self.steps),
            self.country,
            self.region,
            self.district,
            self.facility or "",
            self.from_severity,
            self.repeat_every,
            self.repeat_times,
        )


def _words(written: Any) -> Any:
    return tuple(written.split()) if isinstance(written, str) else written


def _each_once(words: Iterable[str]) -> tuple[str, ...]:
    found = tuple(words)
    if len(set(found)) != len(found):
        raise ValueError("each of them once")
    return found

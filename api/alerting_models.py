"""What the API says and takes about the telling of alerts."""

from __future__ import annotations

from datetime import time
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from alerts.silences import SilenceKind
from api.models import Acknowledgement, AlertDetail, Model, Moment, Signature

Sentence = Annotated[str, StringConstraints(min_length=1, max_length=500)]
Words = Annotated[str, StringConstraints(max_length=500)]
Scope = Annotated[str, StringConstraints(max_length=300)]


class AuditLine(Model):
    """Something that happened to an alert."""

    at: Moment
    who: str
    origin: str = Field(description="From where: api, page, rules, a channel with an address")
    what: str = Field(examples=["raised", "told_new", "acknowledged", "silent_no_contact"])
    detail: str


class AlertHistory(Model):
    """Everything that happened to an alert, oldest first."""

    entries: list[AuditLine]


class NotificationDetail(Model):
    """One message to one person or system over one channel."""

    id: int
    kind: str = Field(examples=["alarm", "all_clear"])
    contact: str = Field(description="Id of the contact; empty for a system")
    channel: str
    reason: str = Field(description="Why it was sent", examples=["told_new", "told_escalated"])
    state: str = Field(description="queued, submitted, delivered, failed, unknown, cancelled or acknowledged")
    text: str
    attempts: int
    queued_at: Moment
    settled_at: Moment | None
    last_error: str


class NotificationList(Model):
    """Messages about an alert, in the order of queueing."""

    notifications: list[NotificationDetail]


class Shelving(Acknowledgement):
    """Puts an alert aside for a while."""

    hours: float = Field(gt=0, le=24 * 31)
    reason: Sentence


class ClosingStatement(Acknowledgement):
    """What was found and done."""

    reason: Words = ""
    action: Words = ""
    doses_affected: int | None = Field(default=None, ge=0)


class IncidentDetail(Model):
    """Alerts of one facility with one root cause."""

    number: int = Field(description="The reference of its first message")
    facility: str
    root: int = Field(description="Number of the alert whose excursion began first: the probable cause")
    next_step_at: Moment | None = Field(description="When the next people are told unless somebody answers")
    alerts: list[AlertDetail]


class IncidentList(Model):
    """Incidents that are not over, newest first."""

    incidents: list[IncidentDetail]


class SilenceStatement(BaseModel):
    """A maintenance window: once, or at the same hours of certain days."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    by: Signature = ""
    reason: Sentence
    start: Moment
    end: Moment | None = Field(default=None, description="Left out: until it is taken back")
    country: Scope = ""
    region: Scope = ""
    district: Scope = ""
    facility: Scope = ""
    equipment: Scope = ""
    rule: Scope = ""
    weekdays: tuple[Annotated[int, Field(ge=0, le=6)], ...] = Field(default=(), description="0 is Monday; none: all")
    from_time: time | None = Field(default=None, description="With to_time: only between these hours")
    to_time: time | None = None
    timezone: str = "UTC"

    @model_validator(mode="after")
    def _means_something(self) -> Self:
        if not any((self.country, self.region, self.district, self.facility, self.equipment, self.rule)):
            raise ValueError("a maintenance names a place, a piece of equipment or a rule; everything is never silent")
        if self.end is not None and self.end <= self.start:
            raise ValueError("it ends after it starts")
        if (self.from_time is None) != (self.to_time is None):
            raise ValueError("from_time and to_time go together")
        return self


class SilenceDetail(Model):
    """A shelving or a maintenance window."""

    id: int
    kind: SilenceKind
    reason: str
    created_by: str
    created_at: Moment
    start: Moment
    end: Moment | None
    country: str
    region: str
    district: str
    facility: str
    equipment: str
    subject: str
    rule: str
    weekdays: tuple[int, ...]
    from_time: time | None
    to_time: time | None
    timezone: str


class SilenceList(Model):
    """What holds now or will."""

    silences: list[SilenceDetail]


class OutboxLine(Model):
    """How many messages of a channel are in a state."""

    channel: str
    state: str
    notifications: int


class OutboxState(Model):
    """The outbox by channel and state."""

    counts: list[OutboxLine]

"""What the API answers, as typed documents; every field that is not plain from its name is described."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, StringConstraints

from alerts.allowed import AllowedAction
from api.problems import parse_moment
from dashboards.pages.series import Resolution
from dashboards.pages.status import Status
from domain.alert import AlertState
from domain.episode import SubjectKind
from domain.instant import format_rfc3339
from domain.places import EquipmentKind, Service
from domain.rejection import Reason

Moment = Annotated[
    datetime,
    BeforeValidator(parse_moment),
    PlainSerializer(format_rfc3339, return_type=str, when_used="json"),
    Field(description="RFC 3339, UTC", examples=["2026-11-20T12:00:00Z"]),
]


class Model(BaseModel):
    """Base of every answer."""

    model_config = ConfigDict(frozen=True)


class ServiceState(Model):
    """How one service of a facility is."""

    service: Service
    status: Status
    reason: str = Field(description="Why, in a few words; empty when all is well")


class FacilitySummary(Model):
    """A facility and how it is."""

    id: str
    name: str
    country: str
    region: str
    district: str
    timezone: str = Field(description="IANA name")
    latitude: float | None
    longitude: float | None
    status: Status = Field(description="`silent` means unknown: nothing was heard")
    services: list[ServiceState]
    last_heard: Moment | None = Field(description="Arrival of the newest reading")
    open_alerts: int = Field(description="Open alerts that say something about the present, warning or worse")


class FacilityList(Model):
    """Facilities, worst first."""

    total: int = Field(description="How many there are in all")
    by_status: dict[Status, int] = Field(description="How many of all facilities are in each status")
    facilities: list[FacilitySummary]


class LatestValue(Model):
    """The newest reading of a channel."""

    measured_at: Moment
    received_at: Moment
    value: float | None = Field(description="In the channel's unit; null exactly where the quality is not usable")
    quality: str = Field(examples=["good", "sensor_gone"])
    text: str = Field(description="The value as a person reads it", examples=["9.4 °C"])


class ChannelDetail(Model):
    """One measured quantity of one piece of equipment."""

    id: str
    facility: str
    equipment: str
    node: str
    quantity: str = Field(examples=["temperature"])
    unit: str = Field(description="The canonical unit of every value of this channel", examples=["celsius"])
    interval_seconds: float = Field(description="How often a reading is expected")
    limits: dict[str, float] = Field(description="Named limits in the channel's unit")
    latest: LatestValue | None


class ChannelList(Model):
    """Channels in order of registration."""

    total: int
    channels: list[ChannelDetail]


class EquipmentDetail(Model):
    """A piece of equipment and what is measured of it."""

    id: str
    name: str
    kind: EquipmentKind
    service: Service
    model: str
    serial: str
    channels: list[ChannelDetail]


class ClosingDetail(Model):
    """What was found and done about an alert that is closed."""

    at: Moment
    by: str = Field(description="Name of the one who closed it")
    reason: str = Field(description="What it was; empty where nobody said")
    action: str = Field(description="What was done about it; empty where nobody said")
    doses_affected: int | None = Field(description="Vaccine doses that were harmed; null where nobody said")
    note: str


class AlertDetail(Model):
    """One alert."""

    id: int
    episode: str
    rule: str
    title: str = Field(description="What the rule says, in words")
    phrase: str = Field(description="What the rule says of the value, e.g. above 8.0 °C for 10 h")
    advice: str = Field(description="What to do")
    severity: str = Field(examples=["warning", "critical"])
    state: AlertState
    facility: str
    subject_kind: SubjectKind
    subject: str = Field(description="Id of the channel or node")
    started_at: Moment
    raised_at: Moment
    ended_at: Moment | None
    past: bool = Field(description="Told by late data: over before anybody could know")
    extreme: float | None = Field(description="The worst value, in the channel's unit")
    unit: str | None
    acknowledged_at: Moment | None
    acknowledged_by: str
    incident: int | None = Field(description="Number of its incident; null while nobody was to be told of it")
    closing: ClosingDetail | None = Field(description="Null until somebody closes it")
    allowed_actions: list[AllowedAction] = Field(description="What would have an effect now")


class AlertList(Model):
    """Alerts, newest first."""

    alerts: list[AlertDetail]


class FacilityDetail(FacilitySummary):
    """A facility with its equipment, newest values and open alerts."""

    equipment: list[EquipmentDetail]
    alerts: list[AlertDetail] = Field(description="Open ones")


class Point(Model):
    """What is known of a stretch of time; a raw reading has the same start and end."""

    start: Moment
    end: Moment
    min: float | None
    mean: float | None = Field(description="For a state (off/on): the share of the time it was on")
    max: float | None
    count: int = Field(description="How many readings stand behind it")
    quality: str | None = Field(default=None, description="Of a raw reading")
    covered_seconds: float | None = Field(
        default=None, description="Of a roll-up: how much time its readings stand for"
    )
    judged_seconds: float | None = Field(default=None, description="... and how much of that had limits in force")
    below_seconds: float | None = Field(default=None, description="... and was below the low limit of that time")
    above_seconds: float | None = Field(default=None, description="... and was above the high limit of that time")


class ReadingList(Model):
    """Readings or roll-ups of one channel, oldest first."""

    channel: str
    quantity: str
    unit: str
    from_: Moment = Field(serialization_alias="from")
    to: Moment = Field(description="Exclusive")
    resolution: Resolution = Field(description="What the points are: the finest that fits, unless one was asked for")
    kept_from: Moment | None = Field(description="What was measured before is no longer kept in this resolution")
    points: list[Point]
    next: Moment | None = Field(description="Ask again from here: the limit was reached")


Signature = Annotated[
    str,
    StringConstraints(max_length=80),
    Field(description="Name of the person; may be left out where one is signed in"),
]


class Acknowledgement(BaseModel):
    """Who takes an alert."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    by: Signature = ""
    note: Annotated[str, StringConstraints(max_length=500)] = Field(default="", description="What they say about it")


class LetterDetail(Model):
    """Something that was refused, as it came."""

    id: int
    reason: Reason
    detail: str = Field(description="What was found and what is allowed")
    topic: str
    node: str | None
    received_at: Moment
    payload_base64: str


class LetterGroupDetail(Model):
    """What was refused of one node for one reason, as far as it is kept."""

    reason: Reason
    node: str | None
    letters: int
    payload_bytes: int
    first_received_at: Moment
    last_received_at: Moment


class LetterList(Model):
    """Dead letters, newest first, and how many there are."""

    groups: list[LetterGroupDetail]
    letters: list[LetterDetail]


class ReplayOrder(BaseModel):
    """Which letters are to be sent through once more; without any field: all."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[int, Field(ge=1, lt=2**62)] | None = None
    reason: Reason | None = None
    node: Annotated[str, StringConstraints(max_length=64)] | None = None
    since: Moment | None = None


class ReplayResult(Model):
    """What came of a replay."""

    letters: int = Field(description="Sent through")
    readings: int = Field(description="Stored of them, repeated ones included")
    refused: dict[Reason, int] = Field(description="Refused again, by reason: these are new letters")
    left: int = Field(description="Not sent through: the same bytes cannot be accepted, or could not be stored")


class RefusedReading(Model):
    """A record, or a payload, that was not accepted."""

    reason: Reason
    detail: str = Field(description="What was found and what is allowed")
    record_base64: str


class PostedReceipt(Model):
    """Which pack is meant, as it named itself."""

    epoch: str
    seq: int


class PostedReadings(Model):
    """What became of posted readings; everything stored is durable."""

    stored: int = Field(description="Readings stored, repeated ones included")
    refused: list[RefusedReading]
    receipt: PostedReceipt | None = Field(None, description="Where the pack has an epoch and a seq: these, now durable")


class WaitingSample(Model):
    """The newest value of one channel of a node that is not registered."""

    name: str
    measured_at: Moment
    value: float | None
    unit: str | None = Field(description="SenML symbol, as sent")
    quality: str


class WaitingNodeDetail(Model):
    """A node that sends and is not in the registry."""

    node: str
    first_received_at: Moment
    last_received_at: Moment
    messages: int = Field(description="Kept until it is registered")
    channels: list[WaitingSample]


class WaitingList(Model):
    """Nodes that wait to be registered, the last heard first."""

    nodes: list[WaitingNodeDetail]


class Part(Model):
    """Whether one part of the service can do its work."""

    name: str
    ready: bool
    sentence: str


class Readiness(Model):
    """Whether the service can do its work."""

    ready: bool
    parts: list[Part]


class Liveness(Model):
    """The process lives."""

    alive: bool = True


class ProblemField(Model):
    """One value of a request that cannot be accepted."""

    field: str
    sentence: str


class ProblemDocument(Model):
    """An error as RFC 9457 writes it."""

    type: str = Field(default="about:blank")
    title: str
    status: int
    detail: str = Field(description="What was found and what is allowed, in sentences")
    instance: str
    errors: list[ProblemField] = Field(default_factory=list)

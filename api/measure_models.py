"""How alerting does, as a typed document: what ``alerts.measures`` found, with durations in seconds."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, ConfigDict, Field, PlainSerializer

from alerts.measures.bands import Band
from alerts.measures.compute import Measures
from api.models import Model, Moment
from domain.episode import Severity

Duration = Annotated[
    timedelta,
    PlainSerializer(timedelta.total_seconds, return_type=float, when_used="json"),
    Field(description="Seconds"),
]


def _by_label(found: object) -> object:
    """Return the shares of severities under their words."""
    if not isinstance(found, dict):
        return found
    return {key.label if isinstance(key, Severity) else key: share for key, share in found.items()}


def _parts(found: object) -> object:
    """Return country, region and district as a list, as JSON has it."""
    return list(found) if isinstance(found, tuple) else found


class _Read(Model):
    model_config = ConfigDict(frozen=True, from_attributes=True)


class PeriodDocument(_Read):
    """From when (included) to when (excluded)."""

    from_: Moment = Field(serialization_alias="from")
    to: Moment


class PlaceDocument(_Read):
    """Which facilities are meant; an empty part means all."""

    country: str
    region: str
    district: str
    facility: str


class SpreadDocument(_Read):
    """How long something took."""

    number: int = Field(description="Of how many")
    median: Duration | None
    p90: Duration | None = Field(description="Nine of ten took no longer; seconds")


class PersonDocument(_Read):
    """The messages to one person."""

    contact: str
    by_kind: dict[str, int] = Field(description="alarm, worse, all_clear, and past (a digest of what late data told)")
    waiting: int = Field(description="Queued and not sent yet; in no other figure")
    failed: int = Field(description="Undeliverable; in no other figure")
    per_week: float
    per_day: float
    too_many: bool = Field(description="More than two a day on average")


class ChannelDocument(_Read):
    """What came of the messages on one channel."""

    channel: str
    settled: int
    undeliverable: int
    share: float = Field(description="Undeliverable of settled")


class DistrictDocument(_Read):
    """The load of one district with its bands, after ISA-18.2 and EEMUA 191."""

    district: Annotated[list[str], BeforeValidator(_parts), Field(description="Country, region and district")]
    alarms: int
    per_ten_minutes: float
    per_hour: float
    per_day: float
    rate: Band
    busy_hours: float = Field(description="Share of hours with more than 30 alarms")
    busy_hours_band: Band
    floods: int
    in_flood: float = Field(description="Share of time in flood")
    in_flood_band: Band
    most_in_ten_minutes: int
    most_in_ten_minutes_band: Band
    priorities: Annotated[dict[str, float], BeforeValidator(_by_label), Field(description="Shares by severity")]
    priorities_band: Band
    chattering: int
    chattering_band: Band
    stale: int = Field(description="The most that stood longer than a day at once")
    stale_band: Band
    top_ten: float = Field(description="Share of the ten most frequent alarms")
    top_ten_band: Band


class RuleDocument(_Read):
    """What one rule causes."""

    rule: str
    alarms: int
    unanswered: int
    median: Duration | None = Field(description="Seconds that its episodes last; short ones are a nuisance")


class MeasuresDocument(_Read):
    """How alerting did in a period at a place."""

    period: PeriodDocument
    place: PlaceDocument
    raised: int
    told: int
    quiet: int = Field(description="Live alerts that nobody was told of")
    past: int = Field(description="Told of by late data only")
    acknowledge: SpreadDocument = Field(description="From the first message to the first acknowledgement")
    unanswered: int
    restore: SpreadDocument = Field(description="From start to end")
    ongoing: int
    escalated: int
    escalated_share: float
    people: list[PersonDocument]
    channels: list[ChannelDocument]
    districts: list[DistrictDocument]
    rules: list[RuleDocument]
    closings: dict[str, int] = Field(description="How many by reason")
    doses_affected: int


def document_of(measures: Measures) -> MeasuresDocument:
    """Return the measures as the API and ``--json`` give them."""
    return MeasuresDocument.model_validate(measures)

"""From domain objects to the documents that the API answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from alerts.allowed import Standing, allowed_actions
from alerts.closing import Closed
from api.models import (
    AlertDetail,
    ChannelDetail,
    ClosingDetail,
    EquipmentDetail,
    FacilityDetail,
    FacilitySummary,
    LatestValue,
    Point,
    ServiceState,
)
from api.services import Services
from collector.journal.rollup import Rollup
from dashboards.pages.series import Resolution
from dashboards.pages.status import FacilityStatus, alert_service
from dashboards.pages.wording import advice_for
from dashboards.pages.words import ENGLISH
from domain.alert import Alert
from domain.directory import Directory
from domain.instant import to_datetime
from domain.places import Channel, Equipment
from domain.reading import Reading


@dataclass(frozen=True, slots=True)
class Translator:
    """One request's view of the world: a directory that does not change under it."""

    services: Services
    directory: Directory
    standings: Mapping[int, Standing] = field(default_factory=dict)
    """Of the alerts that it is to translate."""

    @classmethod
    async def of(cls, services: Services, alerts: Sequence[Alert], directory: Directory | None = None) -> Translator:
        """Return one that knows all about these alerts, with a directory or that of this moment."""
        standings = await services.standings([alert.id for alert in alerts])
        return cls(services, directory or services.directory(), standings)

    def facility(self, status: FacilityStatus) -> FacilitySummary:
        """Return a facility and how it is."""
        facility = status.facility
        return FacilitySummary(
            id=facility.id,
            name=facility.name,
            country=facility.country,
            region=facility.region,
            district=facility.district,
            timezone=facility.timezone,
            latitude=facility.latitude,
            longitude=facility.longitude,
            status=status.overall,
            services=[
                ServiceState(service=each.service, status=each.status, reason=each.reason) for each in status.services
            ],
            last_heard=None if status.last_heard_ms is None else to_datetime(status.last_heard_ms),
            open_alerts=status.open_alerts,
        )

    def facility_detail(self, status: FacilityStatus, open_alerts: Sequence[Alert]) -> FacilityDetail:
        """Return a facility with all that stands in it."""
        return FacilityDetail(
            **dict(self.facility(status)),
            equipment=[self.equipment(item) for item in self.directory.equipment_of(status.facility.id)],
            alerts=[self.alert(alert) for alert in open_alerts],
        )

    def equipment(self, item: Equipment) -> EquipmentDetail:
        """Return a piece of equipment with its channels."""
        return EquipmentDetail(
            id=item.id,
            name=item.name,
            kind=item.kind,
            service=item.kind.service,
            model=item.model,
            serial=item.serial,
            channels=[
                self.channel(channel)
                for channel in self.directory.channels_of(item.facility)
                if channel.equipment == item.id
            ],
        )

    def channel(self, channel: Channel) -> ChannelDetail:
        """Return a channel with its newest value."""
        reading = self.services.latest(channel.id)
        return ChannelDetail(
            id=channel.id,
            facility=channel.facility,
            equipment=channel.equipment,
            node=channel.node,
            quantity=channel.quantity.name,
            unit=channel.quantity.unit.name,
            interval_seconds=channel.interval.total_seconds(),
            limits=dict(channel.limits),
            latest=None if reading is None else _latest(channel, reading),
        )

    def alert(self, alert: Alert) -> AlertDetail:
        """Return an alert with the words of its rule, how it was closed, and what can be done with it."""
        standing = self.standings.get(alert.id, Standing())
        text = self.services.describe(alert, ENGLISH)
        channel = self.directory.channels.get(alert.subject)
        actions = allowed_actions(alert, standing) if self.services.may_act(alert.facility) else ()
        return AlertDetail(
            id=alert.id,
            episode=alert.episode,
            rule=alert.rule,
            title=text.title,
            phrase=text.phrase,
            advice=text.advice or advice_for(alert_service(self.directory, alert), ENGLISH),
            severity=alert.severity.label,
            state=alert.state,
            facility=alert.facility,
            subject_kind=alert.subject_kind,
            subject=alert.subject,
            started_at=alert.started_at,
            raised_at=alert.raised_at,
            ended_at=alert.ended_at,
            past=alert.past,
            extreme=alert.extreme,
            unit=channel.quantity.unit.name if channel else None,
            acknowledged_at=alert.acknowledged_at,
            acknowledged_by=alert.acknowledged_by,
            incident=standing.incident,
            closing=None if standing.closed is None else _closing(standing.closed),
            allowed_actions=list(actions),
        )


def _closing(closed: Closed) -> ClosingDetail:
    said = closed.closing
    return ClosingDetail(
        at=closed.at,
        by=closed.by,
        reason=said.reason,
        action=said.action,
        doses_affected=said.doses_affected,
        note=said.note,
    )


def _latest(channel: Channel, reading: Reading) -> LatestValue:
    return LatestValue(
        measured_at=to_datetime(reading.measured_at_ms),
        received_at=to_datetime(reading.received_at_ms),
        value=reading.value,
        quality=reading.quality.label,
        text=channel.quantity.format(reading.value),
    )


def point_of_reading(reading: Reading) -> Point:
    """Return a raw reading as a point; an unusable one has no values, and its quality says why."""
    moment, value = to_datetime(reading.measured_at_ms), reading.value
    return Point(start=moment, end=moment, min=value, mean=value, max=value, count=1, quality=reading.quality.label)


def point_of_rollup(rollup: Rollup, resolution: Resolution) -> Point:
    """Return a roll-up as a point; one that is only covered by a reading before it has no values."""
    return Point(
        start=to_datetime(rollup.start_ms),
        end=to_datetime(rollup.start_ms + resolution.step_ms),
        min=rollup.minimum,
        mean=rollup.mean,
        max=rollup.maximum,
        count=rollup.readings,
        covered_seconds=rollup.covered_seconds,
        judged_seconds=rollup.judged_seconds,
        below_seconds=rollup.below_seconds,
        above_seconds=rollup.above_seconds,
    )

"""How a facility is, per service: one pure decision for pages, API and events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from dashboards.pages.wording import (
    AlertText,
    DescribeAlert,
    duration_text,
    plain_alert_text,
    quantity_word,
    value_text,
)
from dashboards.pages.words import ENGLISH, Words, noop
from domain.alert import Alert, AlertState
from domain.directory import Directory
from domain.episode import Severity, SubjectKind
from domain.instant import MINUTE_MS, to_ms
from domain.places import Channel, EquipmentKind, Facility, Service
from domain.reading import Quality, Reading

SILENT_INTERVALS = 3
"""A channel is silent when this many expected readings did not come ..."""
SILENT_AT_LEAST_MS = 10 * MINUTE_MS
"""... and at least this long; a batch on its way is not silence."""

LatestReading = Callable[[str], Reading | None]


class Status(StrEnum):
    """How a service or a facility is; a silent one is unknown, never ok."""

    CRITICAL = "critical"
    SILENT = "silent"
    WARNING = "warning"
    OK = "ok"
    NOT_MONITORED = "not_monitored"

    @property
    def word(self) -> str:
        """Return the word on pages, in English; translated where it is shown."""
        return _WORDS[self]

    @property
    def rank(self) -> int:
        """Return the place in a list that shows the worst first (0 is worst)."""
        return _RANKS[self]


_WORDS = {
    Status.CRITICAL: noop("Needs help"),
    Status.SILENT: noop("Silent"),
    Status.WARNING: noop("Attention"),
    Status.OK: noop("OK"),
    Status.NOT_MONITORED: noop("Not monitored"),
}
_RANKS = {status: rank for rank, status in enumerate(Status)}
ANSWERED_FOR = {AlertState.SHELVED, AlertState.SUPPRESSED, AlertState.OUT_OF_SERVICE, AlertState.NORMAL}
"""States of alerts that say nothing about how a facility is."""


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """How one service of a facility is, and why in a few words (empty when all is well)."""

    service: Service
    status: Status
    reason: str = ""


@dataclass(frozen=True, slots=True)
class FacilityStatus:
    """How a facility is: the sum of its services."""

    facility: Facility
    overall: Status
    services: tuple[ServiceStatus, ...]
    last_heard_ms: int | None
    """Arrival of the newest reading; None when nothing ever came."""
    open_alerts: int
    waiting_since_ms: int | None
    """Start of the oldest open alert that counts."""

    @property
    def reasons(self) -> tuple[str, ...]:
        """Return why, worst service first, each reason once."""
        if self.overall is Status.SILENT:
            # One cause: whatever else is unknown is unknown because of it.
            return tuple(each.reason for each in self.services if each.service is Service.MONITORING)
        worst_first = sorted(self.services, key=lambda each: each.status.rank)
        return tuple(dict.fromkeys(each.reason for each in worst_first if each.reason))


@dataclass(frozen=True, slots=True)
class _Finding:
    status: Status
    reason: str


@dataclass(frozen=True, slots=True)
class _Scene:
    """Everything the decision looks at."""

    directory: Directory
    latest: LatestReading
    describe: DescribeAlert
    now_ms: int
    words: Words


def silent_after_ms(channel: Channel) -> int:
    """Return the age in milliseconds from which a channel's newest value says nothing about now."""
    interval_ms = round(channel.interval.total_seconds() * 1000)
    return max(SILENT_INTERVALS * interval_ms, SILENT_AT_LEAST_MS)


def is_fresh(channel: Channel, reading: Reading | None, now_ms: int) -> bool:
    """Tell whether a reading is young enough to speak of now (whatever its quality)."""
    return reading is not None and now_ms - reading.measured_at_ms <= silent_after_ms(channel)


def counts(alert: Alert) -> bool:
    """Tell whether an open alert says something about the present state of its facility."""
    return not alert.past and alert.state not in ANSWERED_FOR and alert.severity >= Severity.WARNING


def alert_service(directory: Directory, alert: Alert) -> Service:
    """Return the service an alert is about; a node's, or one of unknown subject, is monitoring."""
    channel = directory.channels.get(alert.subject) if alert.subject_kind is SubjectKind.CHANNEL else None
    return Service.MONITORING if channel is None else _service_of(directory, channel)


def subject_name(directory: Directory, alert: Alert) -> str:
    """Return the name of the equipment or node that an alert is about."""
    if alert.subject_kind is SubjectKind.NODE:
        node = directory.nodes.get(alert.subject)
        return (node.name if node else "") or alert.subject
    channel = directory.channels.get(alert.subject)
    equipment = directory.equipment.get(channel.equipment) if channel else None
    return equipment.name if equipment else alert.subject


def facility_statuses(
    directory: Directory,
    latest: LatestReading,
    open_alerts: Iterable[Alert],
    now_ms: int,
    describe: DescribeAlert = plain_alert_text,
    words: Words = ENGLISH,
) -> list[FacilityStatus]:
    """Return the status of every facility, worst first, equals by name."""
    by_facility: dict[str, list[Alert]] = {}
    for alert in open_alerts:
        by_facility.setdefault(alert.facility, []).append(alert)
    found = [
        facility_status(facility, directory, latest, by_facility.get(facility.id, ()), now_ms, describe, words)
        for facility in directory.facilities.values()
    ]
    return sorted(found, key=worst_first)


def worst_first(status: FacilityStatus) -> tuple[int, int, int, str, str]:
    """Return the sort key: status, number of open alerts, who waits longest, name."""
    since_ms = status.waiting_since_ms if status.waiting_since_ms is not None else 2**63
    name = status.facility.name.casefold()
    return (status.overall.rank, -status.open_alerts, since_ms, name, status.facility.id)


def facility_status(
    facility: Facility,
    directory: Directory,
    latest: LatestReading,
    open_alerts: Sequence[Alert],
    now_ms: int,
    describe: DescribeAlert = plain_alert_text,
    words: Words = ENGLISH,
) -> FacilityStatus:
    """Decide how a facility is from its newest readings, its open alerts and its silence."""
    scene = _Scene(directory, latest, describe, now_ms, words)
    channels = directory.channels_of(facility.id)
    alerts = [alert for alert in open_alerts if counts(alert)]
    services = tuple(_service_status(scene, service, facility, channels, alerts) for service in Service)
    heard = [reading.received_at_ms for channel in channels if (reading := latest(channel.id)) is not None]
    return FacilityStatus(
        facility=facility,
        overall=_overall(services),
        services=services,
        last_heard_ms=max(heard, default=None),
        open_alerts=len(alerts),
        waiting_since_ms=min((to_ms(alert.started_at) for alert in alerts), default=None),
    )


def _overall(services: Sequence[ServiceStatus]) -> Status:
    by_service = {each.service: each.status for each in services}
    worst = min(by_service.values(), key=lambda status: status.rank)
    if worst is Status.SILENT and by_service[Service.MONITORING] is not Status.SILENT:
        # The facility is heard, one sensor is not: somebody should look, and the facility is not silent.
        return Status.WARNING
    return worst


def _service_of(directory: Directory, channel: Channel) -> Service:
    equipment = directory.equipment.get(channel.equipment)
    return equipment.kind.service if equipment else Service.MONITORING


def _service_status(
    scene: _Scene, service: Service, facility: Facility, channels: Sequence[Channel], alerts: Sequence[Alert]
) -> ServiceStatus:
    own = [channel for channel in channels if _service_of(scene.directory, channel) is service]
    findings = [_alert_finding(scene, alert) for alert in alerts if alert_service(scene.directory, alert) is service]
    if service is Service.MONITORING:
        findings += _node_findings(scene, channels)
        watched = bool(channels) or bool(scene.directory.nodes_of(facility.id))
    else:
        findings += _channel_findings(scene, own)
        watched = bool(own)
    if not findings:
        return ServiceStatus(service, Status.OK if watched else Status.NOT_MONITORED)
    worst = min(findings, key=lambda finding: finding.status.rank)
    return ServiceStatus(service, worst.status, worst.reason)


def _alert_finding(scene: _Scene, alert: Alert) -> _Finding:
    text: AlertText = scene.describe(alert, scene.words)
    reason = _about(scene, subject_name(scene.directory, alert), scene.words.isolated(text.title))
    if alert.state is AlertState.RETURNED_UNACKNOWLEDGED:
        return _Finding(Status.WARNING, scene.words("{what} (over, nobody has answered)", what=reason))
    return _Finding(Status.CRITICAL if alert.severity is Severity.CRITICAL else Status.WARNING, reason)


def _about(scene: _Scene, name: str, what: str) -> str:
    """Return ``Fridge 1: too warm``, of which the name is whatever somebody registered."""
    return scene.words("{name}: {what}", name=scene.words.isolated(name), what=what)


def _node_findings(scene: _Scene, channels: Sequence[Channel]) -> list[_Finding]:
    """Return what is wrong with the nodes: one is silent when none of its channels speaks of now."""
    by_node: dict[str, list[Channel]] = {}
    for channel in channels:
        by_node.setdefault(channel.node, []).append(channel)
    silent = [
        node
        for node, own in by_node.items()
        if not any(is_fresh(channel, scene.latest(channel.id), scene.now_ms) for channel in own)
    ]
    if not silent:
        return []
    since = _silence(scene, [channel for node in silent for channel in by_node[node]])
    if len(silent) == len(by_node):
        return [_Finding(Status.SILENT, since)]
    return [_Finding(Status.WARNING, _about(scene, _node_name(scene.directory, silent[0]), since.lower()))]


def _silence(scene: _Scene, channels: Sequence[Channel]) -> str:
    heard = [reading.measured_at_ms for each in channels if (reading := scene.latest(each.id)) is not None]
    if not heard:
        return scene.words("Never heard")
    return scene.words("Silent for {duration}", duration=duration_text(scene.now_ms - max(heard), scene.words))


def _node_name(directory: Directory, node_id: str) -> str:
    node = directory.nodes.get(node_id)
    return (node.name if node else "") or node_id


def _channel_findings(scene: _Scene, channels: Sequence[Channel]) -> list[_Finding]:
    found = [(channel, _channel_finding(scene, channel)) for channel in channels]
    findings = [finding for _, finding in found if finding is not None]
    if channels and all(finding is not None and finding.status is Status.SILENT for _, finding in found):
        return [_Finding(Status.SILENT, findings[0].reason if len(findings) == 1 else _silence(scene, channels))]
    return findings


def _channel_finding(scene: _Scene, channel: Channel) -> _Finding | None:
    reading, words = scene.latest(channel.id), scene.words
    name, what = _equipment_name(scene.directory, channel), quantity_word(channel.quantity.name, words).lower()
    if reading is None:
        return _Finding(Status.SILENT, _about(scene, name, words("{quantity} never heard", quantity=what)))
    if not is_fresh(channel, reading, scene.now_ms):
        lasted = duration_text(scene.now_ms - reading.measured_at_ms, words)
        since = words("{quantity} silent for {duration}", quantity=what, duration=lasted)
        return _Finding(Status.SILENT, _about(scene, name, since))
    if reading.value is None or not reading.quality.usable:
        why = words("{name}: {what}", name=what, what=words(QUALITY_WORDS[reading.quality]))
        return _Finding(Status.SILENT, _about(scene, name, why))
    breach = limit_breach(scene.directory, channel, reading.value, words)
    return _Finding(Status.WARNING, _about(scene, name, breach)) if breach else None


def limit_breach(directory: Directory, channel: Channel, value: float, words: Words) -> str:
    """Return what is wrong with a value now (``9.4 °C, above 8.0 °C``), or an empty text."""
    note = limit_note(directory, channel, value, words)
    if not note or channel.quantity.states:
        return note
    return words("{value}, {note}", value=value_text(channel.quantity, value, words), note=note)


def limit_note(directory: Directory, channel: Channel, value: float, words: Words) -> str:
    """Return what is wrong with a value that stands beside it: ``above 8.0 °C``, ``off``; empty where all is well."""
    quantity, high, low = channel.quantity, channel.limits.get("high"), channel.limits.get("low")
    if high is not None and value > high:
        return words("above {limit}", limit=value_text(quantity, high, words))
    if low is not None and value < low:
        return words("below {limit}", limit=value_text(quantity, low, words))
    equipment = directory.equipment.get(channel.equipment)
    if quantity.name == "supply" and value < 1 and equipment is not None and equipment.kind is EquipmentKind.MAINS:
        return words("off")
    return words("fault") if quantity.name == "fault" and value >= 1 else ""


def _equipment_name(directory: Directory, channel: Channel) -> str:
    equipment = directory.equipment.get(channel.equipment)
    return equipment.name if equipment else channel.equipment


QUALITY_WORDS = {
    Quality.GOOD: noop("good"),
    Quality.UNCERTAIN: noop("uncertain"),
    Quality.BAD_VALUE: noop("the sensor tells nonsense"),
    Quality.SENSOR_GONE: noop("the sensor does not answer"),
    Quality.BUS_ERROR: noop("the sensor's cable or port does not work"),
}

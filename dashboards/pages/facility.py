"""One facility: what needs somebody, its equipment with values now, charts, and what happened lately."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dashboards.pages.alerts import AlertCard, AlertScene, alert_card, worst_and_oldest
from dashboards.pages.chart import Chart, Window, build_chart
from dashboards.pages.series import Bucket
from dashboards.pages.status import QUALITY_WORDS, FacilityStatus, ServiceStatus, Status, is_fresh, limit_breach
from dashboards.pages.time_spent import TimeSpent
from dashboards.pages.wording import (
    SERVICE_WORDS,
    LocalTime,
    ago_text,
    duration_text,
    kind_word,
    local_time,
    quantity_word,
)
from domain.alert import Alert
from domain.episode import Episode
from domain.instant import to_ms
from domain.places import Channel, Equipment, Facility, Service
from domain.reading import Quality

MOST_EPISODES = 30
_ORDER = (Service.COLD_CHAIN, Service.POWER, Service.WATER, Service.MONITORING)


@dataclass(frozen=True, slots=True)
class Past:
    """What the charts of a page show, by channel."""

    series: Mapping[str, Sequence[Bucket]]
    spent: Mapping[str, TimeSpent]
    """Of channels with limits."""


@dataclass(frozen=True, slots=True)
class ChannelView:
    """One measured value now, and its chart."""

    id: str
    anchor: str
    name: str
    value: str
    status: Status
    note: str
    """What is wrong with it, or an empty text."""
    heard: str
    limits: str
    chart: Chart | None
    """None in a fragment that only updates values."""
    spent: str
    """How long it was within its limits, in a sentence; empty where there are none, or in a fragment."""


@dataclass(frozen=True, slots=True)
class EquipmentView:
    """One piece of equipment with its values."""

    name: str
    kind: str
    model: str
    channels: tuple[ChannelView, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """The equipment of one service."""

    status: ServiceStatus
    word: str
    equipment: tuple[EquipmentView, ...]


@dataclass(frozen=True, slots=True)
class PastEpisode:
    """An excursion in the range that the page shows."""

    title: str
    subject: str
    started: LocalTime
    lasted: str
    ongoing: bool
    worst: str


@dataclass(frozen=True, slots=True)
class FacilityPage:
    """What the page of one facility says."""

    id: str
    name: str
    place: str
    status: FacilityStatus
    heard: str
    local_now: LocalTime
    alerts: tuple[AlertCard, ...]
    sections: tuple[Section, ...]
    episodes: tuple[PastEpisode, ...]
    window: Window


def facility_page(
    status: FacilityStatus,
    open_alerts: Sequence[Alert],
    episodes: Sequence[tuple[Episode, str]],
    past: Past | None,
    scene: AlertScene,
    window: Window,
) -> FacilityPage:
    """Return the page; ``episodes`` come with the words of their rule, ``past`` None leaves the charts out."""
    facility = status.facility
    return FacilityPage(
        id=facility.id,
        name=facility.name,
        place=" · ".join(part for part in (facility.district, facility.region, facility.country) if part),
        status=status,
        heard=ago_text(status.last_heard_ms, scene.now_ms),
        local_now=local_time(scene.now_ms, facility.timezone, scene.now_ms),
        alerts=tuple(alert_card(alert, scene) for alert in sorted(open_alerts, key=worst_and_oldest)),
        sections=_sections(status, past, scene, window),
        episodes=tuple(_episode(episode, title, facility, scene) for episode, title in episodes[:MOST_EPISODES]),
        window=window,
    )


def _sections(status: FacilityStatus, past: Past | None, scene: AlertScene, window: Window) -> tuple[Section, ...]:
    directory, facility = scene.directory, status.facility.id
    channels: dict[str, list[Channel]] = {}
    for channel in directory.channels_of(facility):
        channels.setdefault(channel.equipment, []).append(channel)
    by_service = {each.service: each for each in status.services}
    found = []
    for service in _ORDER:
        equipment = tuple(
            _equipment(item, channels.get(item.id, ()), past, scene, window)
            for item in directory.equipment_of(facility)
            if item.kind.service is service
        )
        if equipment:
            found.append(Section(by_service[service], SERVICE_WORDS[service], equipment))
    return tuple(found)


def _equipment(
    item: Equipment,
    channels: Sequence[Channel],
    past: Past | None,
    scene: AlertScene,
    window: Window,
) -> EquipmentView:
    model = " · ".join(part for part in (item.model, f"serial {item.serial}" if item.serial else "") if part)
    views = tuple(_channel(channel, item, past, scene, window) for channel in channels)
    return EquipmentView(item.name, kind_word(item.kind), model, views)


def _channel(
    channel: Channel,
    item: Equipment,
    past: Past | None,
    scene: AlertScene,
    window: Window,
) -> ChannelView:
    reading = scene.latest(channel.id)
    status, value, note = _now(channel, scene)
    word = quantity_word(channel.quantity.name)
    chart, spent = None, None
    if past is not None:
        chart = build_chart(channel, past.series.get(channel.id, ()), window, f"{item.name}: {word}")
        spent = past.spent.get(channel.id)
    return ChannelView(
        id=channel.id,
        anchor=channel_anchor(scene, channel),
        name=word,
        value=value,
        status=status,
        note=note,
        heard=ago_text(None if reading is None else reading.measured_at_ms, scene.now_ms),
        limits=_limits(channel),
        chart=chart,
        spent=spent.words if spent else "",
    )


def channel_anchor(scene: AlertScene, channel: Channel) -> str:
    """Return a name for the channel that is legal in a page whatever its id holds: its place in the facility."""
    ids = [each.id for each in scene.directory.channels_of(channel.facility)]
    return f"c{ids.index(channel.id)}"


def _now(channel: Channel, scene: AlertScene) -> tuple[Status, str, str]:
    reading = scene.latest(channel.id)
    if reading is None:
        return Status.SILENT, "–", "never heard"
    if not is_fresh(channel, reading, scene.now_ms):
        last = channel.quantity.format(reading.value) if reading.value is not None else "no value"
        return Status.SILENT, "–", f"silent; last was {last}"
    if reading.value is None or not reading.quality.usable:
        return Status.SILENT, "–", scene.words(QUALITY_WORDS[reading.quality])
    breach = limit_breach(scene.directory, channel, reading.value)
    doubt = "uncertain" if reading.quality is Quality.UNCERTAIN else ""
    note = breach.partition(", ")[2] or ("" if breach == channel.quantity.format(reading.value) else breach) or doubt
    return (Status.WARNING if breach else Status.OK), channel.quantity.format(reading.value), note


def _limits(channel: Channel) -> str:
    low, high = channel.limits.get("low"), channel.limits.get("high")
    if low is not None and high is not None:
        return f"{channel.quantity.format(low)} to {channel.quantity.format(high)}"
    if high is not None:
        return f"up to {channel.quantity.format(high)}"
    return f"from {channel.quantity.format(low)}" if low is not None else ""


def _episode(episode: Episode, title: str, facility: Facility, scene: AlertScene) -> PastEpisode:
    channel = scene.directory.channels.get(episode.subject)
    equipment = scene.directory.equipment.get(channel.equipment) if channel else None
    node = scene.directory.nodes.get(episode.subject)
    end_ms = to_ms(episode.ended_at) if episode.ended_at else scene.now_ms
    return PastEpisode(
        title=title,
        subject=equipment.name if equipment else (node.name if node and node.name else episode.subject),
        started=local_time(episode.started_at, facility.timezone, scene.now_ms),
        lasted=duration_text(end_ms - to_ms(episode.started_at)),
        ongoing=episode.ended_at is None,
        worst=channel.quantity.format(episode.extreme) if channel and episode.extreme is not None else "",
    )

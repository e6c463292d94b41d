"""The equipment of a facility on its page: values now, how it is looked after, and charts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dashboards.pages.alerts import AlertScene
from dashboards.pages.chart import Beside, Chart, build_chart
from dashboards.pages.facility_past import those_about
from dashboards.pages.happenings import Lettered
from dashboards.pages.series import Bucket, Window
from dashboards.pages.state_strip import Stretch, power_stretches, stretches_of
from dashboards.pages.status import QUALITY_WORDS, Status, is_fresh, limit_note
from dashboards.pages.time_spent import TimeSpent
from dashboards.pages.upkeep import UpkeepBadge, badge_of
from dashboards.pages.wording import LocalTime, ago_text, kind_word, local_time, quantity_word, value_text
from dashboards.pages.words import Words
from domain.places import Channel, Equipment, Service
from domain.reading import Quality
from domain.supplies import is_supply
from domain.upkeep import Visit


@dataclass(frozen=True, slots=True)
class Past:
    """What the charts of a page show."""

    window: Window
    series: Mapping[str, Sequence[Bucket]]
    """By channel."""
    spent: Mapping[str, TimeSpent]
    """Of channels with limits."""
    happenings: Sequence[Lettered] = ()


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

    id: str
    name: str
    kind: str
    model: str
    upkeep: UpkeepBadge | None
    """None where nobody said anything."""
    visited: LocalTime | None
    """When somebody looked after this one; the page's head has the last visit of all."""
    visited_by: str
    worst: Status
    channels: tuple[ChannelView, ...]


@dataclass(frozen=True, slots=True)
class EquipmentScene:
    """What the equipment of one facility is written from."""

    alerts: AlertScene
    zone: str
    visits: Sequence[Visit]
    """The last first."""
    past: Past | None
    """None leaves the charts out."""
    power: Sequence[Stretch] | None
    """When the facility had power; None where nothing tells."""


def power_of(channels: Sequence[Channel], past: Past, scene: AlertScene) -> list[Stretch] | None:
    """Return when a facility with these channels had power; None where no supply is measured."""
    supplies = [channel for channel in channels if is_supply(scene.directory, channel)]
    if not supplies:
        return None
    return power_stretches([stretches_of(each, past.series.get(each.id, ()), past.window) for each in supplies])


def equipment_view(item: Equipment, channels: Sequence[Channel], scene: EquipmentScene) -> EquipmentView:
    """Return one piece of equipment with what is measured at it."""
    words, now_ms = scene.alerts.words, scene.alerts.now_ms
    said = scene.alerts.directory.upkeep.get(item.id)
    serial = words("serial {number}", number=item.serial) if item.serial else ""
    views = tuple(_channel(channel, item, scene) for channel in channels)
    visit = next((each for each in scene.visits if each.equipment == item.id), None)
    return EquipmentView(
        id=item.id,
        name=item.name,
        kind=kind_word(item.kind, words),
        model=" · ".join(part for part in (item.model, serial) if part),
        upkeep=badge_of(said, scene.zone, now_ms, words) if said else None,
        visited=local_time(visit.at, scene.zone, now_ms, words) if visit else None,
        visited_by=visit.by if visit else "",
        worst=min((each.status for each in views), key=lambda status: status.rank, default=Status.NOT_MONITORED),
        channels=views,
    )


def _channel(channel: Channel, item: Equipment, scene: EquipmentScene) -> ChannelView:
    alerts, past = scene.alerts, scene.past
    words, reading = alerts.words, alerts.latest(channel.id)
    status, value, note = _now(channel, alerts)
    name, spent = quantity_word(channel.quantity.name, words), past.spent.get(channel.id) if past else None
    return ChannelView(
        id=channel.id,
        anchor=channel_anchor(alerts, channel),
        name=name,
        value=value,
        status=status,
        note=note,
        heard=ago_text(None if reading is None else reading.measured_at_ms, alerts.now_ms, words),
        limits=_limits(channel, words),
        chart=_chart(channel, item, past, scene) if past else None,
        spent=spent.sentence(words) if spent else "",
    )


def _chart(channel: Channel, item: Equipment, past: Past, scene: EquipmentScene) -> Chart:
    words = scene.alerts.words
    title = words("{name}: {what}", name=words.isolated(item.name), what=quantity_word(channel.quantity.name, words))
    warms = channel.quantity.name == "temperature" and item.kind.service is Service.COLD_CHAIN
    beside = Beside(scene.power if warms else None, those_about(past.happenings, item.id, channel.id))
    return build_chart(channel, past.series.get(channel.id, ()), past.window, title, beside, words=words)


def channel_anchor(scene: AlertScene, channel: Channel) -> str:
    """Return a name for the channel that is legal in a page whatever its id holds: its place in the facility."""
    ids = [each.id for each in scene.directory.channels_of(channel.facility)]
    return f"c{ids.index(channel.id)}"


def _now(channel: Channel, scene: AlertScene) -> tuple[Status, str, str]:
    reading, words = scene.latest(channel.id), scene.words
    if reading is None:
        return Status.SILENT, "–", words("never heard")
    if not is_fresh(channel, reading, scene.now_ms):
        last = value_text(channel.quantity, reading.value, words)
        return Status.SILENT, "–", words("silent; last was {value}", value=last)
    if reading.value is None or not reading.quality.usable:
        return Status.SILENT, "–", words(QUALITY_WORDS[reading.quality])
    note = limit_note(scene.directory, channel, reading.value, words)
    value, doubt = value_text(channel.quantity, reading.value, words), reading.quality is Quality.UNCERTAIN
    # Of a state the value is the note already: off.
    beside = "" if note == value else note
    return (Status.WARNING if note else Status.OK), value, beside or (words("uncertain") if doubt else "")


def _limits(channel: Channel, words: Words) -> str:
    low, high = (channel.limits.get(name) for name in ("low", "high"))
    if low is not None and high is not None:
        return words(
            "{low} to {high}",
            low=value_text(channel.quantity, low, words),
            high=value_text(channel.quantity, high, words),
        )
    if high is not None:
        return words("up to {high}", high=value_text(channel.quantity, high, words))
    return words("from {low}", low=value_text(channel.quantity, low, words)) if low is not None else ""

"""The page of one piece of equipment: what it is, how it is, its limits and where they come from, its visits. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from dashboards.pages.forms import field_time
from dashboards.pages.registry import place_of
from dashboards.pages.registry_log import ChangeLine
from dashboards.pages.upkeep import UpkeepBadge, VisitLine, badge_of
from dashboards.pages.wording import (
    LocalTime,
    ago_text,
    duration_text,
    kind_word,
    local_time,
    quantity_word,
    value_text,
)
from dashboards.pages.words import Words, noop
from domain.directory import Directory
from domain.limits import ALWAYS_MS
from domain.places import Channel, Equipment, LimitScope
from domain.reading import Reading
from domain.upkeep import Upkeep

LIMIT_NAMES: Final = {"low": noop("Lowest allowed"), "high": noop("Highest allowed")}


class LimitSource(NamedTuple):
    """What decides a limit of a channel today."""

    name: str
    value: float | None
    scope: LimitScope | None
    """None: it is said of the channel itself."""
    said_at: datetime | None = None
    author: str = ""
    reason: str = ""


class LimitSaid(NamedTuple):
    """What was said of a channel's limits at some time."""

    valid_from_ms: int
    limits: Mapping[str, float]
    said_at: datetime | None
    author: str
    reason: str


class ChannelFacts(NamedTuple):
    """What is known of a channel."""

    channel: Channel
    latest: Reading | None
    sources: Sequence[LimitSource]
    said: Sequence[LimitSaid]


@dataclass(frozen=True, slots=True)
class LimitLine:
    """A limit of today."""

    name: str
    value: str
    source: str
    said: LocalTime | None
    author: str
    reason: str


@dataclass(frozen=True, slots=True)
class EraLine:
    """Limits that were said to hold from a moment on."""

    begin: LocalTime | None
    """None: always."""
    limits: str
    said: LocalTime | None
    author: str
    reason: str


@dataclass(frozen=True, slots=True)
class ChannelPart:
    """A channel on the page."""

    path: str
    """The last part of its id."""
    quantity: str
    name: str
    node: str
    interval: str
    value: str
    heard: str
    limits: tuple[LimitLine, ...]
    eras: tuple[EraLine, ...]


@dataclass(frozen=True, slots=True)
class EquipmentPage:
    """The page."""

    item: Equipment
    kind: str
    facility_name: str
    place: str
    installed: str
    badge: UpkeepBadge
    history: tuple[UpkeepBadge, ...]
    channels: tuple[ChannelPart, ...]
    visits: tuple[VisitLine, ...]
    changes: tuple[ChangeLine, ...]
    may_change: bool
    may_act: bool
    now_local: str


def equipment_page(
    item: Equipment,
    channels: Sequence[ChannelFacts],
    history: Sequence[Upkeep],
    visits: Sequence[VisitLine],
    changes: Sequence[ChangeLine],
    directory: Directory,
    now_ms: int,
    words: Words,
    *,
    may_change: bool,
    may_act: bool,
) -> EquipmentPage:
    """Return the page of a piece of equipment; what was said of it comes in the order in which it was said."""
    facility = directory.facilities[item.facility]
    zone = facility.timezone
    return EquipmentPage(
        item=item,
        kind=kind_word(item.kind, words),
        facility_name=facility.name,
        place=place_of(facility),
        installed=item.installed.isoformat() if item.installed else "",
        badge=badge_of(directory.upkeep.get(item.id), zone, now_ms, words),
        history=tuple(badge_of(each, zone, now_ms, words) for each in reversed(history)),
        channels=tuple(_part(each, zone, now_ms, words) for each in channels),
        visits=tuple(visits),
        changes=tuple(changes),
        may_change=may_change,
        may_act=may_act,
        now_local=field_time(now_ms, zone),
    )


def limit_name(name: str, words: Words) -> str:
    """Return what a limit is called."""
    known = LIMIT_NAMES.get(name)
    return words(known) if known else name


def source_text(scope: LimitScope | None, words: Words) -> str:
    """Return where a limit is said."""
    if scope is None:
        return words("said for this channel")
    if scope.model and scope.facility:
        return words("said for model {model} at this facility", model=scope.model)
    if scope.model:
        return words("said for model {model}", model=scope.model)
    if scope.facility:
        return words("said for this facility")
    return words("said for every piece of equipment of this kind")


def _part(facts: ChannelFacts, zone: str, now_ms: int, words: Words) -> ChannelPart:
    channel, latest = facts.channel, facts.latest
    return ChannelPart(
        path=channel.id.removeprefix(f"{channel.equipment}/"),
        quantity=quantity_word(channel.quantity.name, words),
        name=channel.name,
        node=channel.node,
        interval=duration_text(channel.interval // timedelta(milliseconds=1), words)
        if channel.interval >= timedelta(minutes=1)
        else f"{channel.interval.total_seconds():g} s",
        value=value_text(channel.quantity, latest.value, words) if latest else words("no value"),
        heard=ago_text(latest.received_at_ms if latest else None, now_ms, words),
        limits=tuple(_limit(each, channel, zone, now_ms, words) for each in facts.sources),
        eras=tuple(_era(each, channel, zone, now_ms, words) for each in reversed(facts.said)),
    )


def _limit(source: LimitSource, channel: Channel, zone: str, now_ms: int, words: Words) -> LimitLine:
    return LimitLine(
        name=limit_name(source.name, words),
        value=words("none") if source.value is None else value_text(channel.quantity, source.value, words),
        source=source_text(source.scope, words),
        said=None if source.said_at is None else local_time(source.said_at, zone, now_ms, words),
        author=source.author,
        reason=source.reason,
    )


def _era(said: LimitSaid, channel: Channel, zone: str, now_ms: int, words: Words) -> EraLine:
    limits = (
        f"{limit_name(name, words)} {value_text(channel.quantity, value, words)}" for name, value in said.limits.items()
    )
    return EraLine(
        begin=None if said.valid_from_ms == ALWAYS_MS else local_time(said.valid_from_ms, zone, now_ms, words),
        limits=words(", ").join(limits) or words("no limits"),
        said=None if said.said_at is None else local_time(said.said_at, zone, now_ms, words),
        author=said.author,
        reason=said.reason,
    )

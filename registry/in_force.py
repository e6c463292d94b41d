"""Limits in force: each limit of a channel is that of the most particular place where it is said. Pure.

From the most general on: the kind of equipment, the model, the facility, the model at the facility, the channel itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple

from domain.directory import Directory
from domain.places import Channel, LimitScope, SharedLimits


class Source(NamedTuple):
    """What decides a limit of a channel."""

    value: float | None
    """None: it is taken away."""
    scope: LimitScope | None
    """None: it is said of the channel itself."""


def sources(channel: Channel, directory: Directory) -> dict[str, Source]:
    """Return what decides each limit of a registered channel, by the limit's name."""
    found: dict[str, Source] = {}
    for shared in _shared_with(channel, directory):
        found |= {name: Source(value, shared.id) for name, value in shared.limits.items()}
    return found | {name: Source(value, None) for name, value in channel.own_limits.items()}


def in_force(directory: Directory) -> Directory:
    """Return the directory with each channel's limits as they follow from all that is said."""
    alike: dict[tuple[tuple[str, float], ...], Mapping[str, float]] = {}
    channels = []
    for channel in directory.channels.values():
        values = {name: source.value for name, source in sources(channel, directory).items()}
        limits = {name: value for name, value in values.items() if value is not None}
        # A nation's channels share a few dozen sets of limits.
        channels.append(replace(channel, limits=alike.setdefault(tuple(limits.items()), MappingProxyType(limits))))
    return Directory(
        facilities=directory.facilities.values(),
        equipment=directory.equipment.values(),
        nodes=directory.nodes.values(),
        channels=channels,
        contacts=directory.contacts.values(),
        shared_limits=directory.shared_limits.values(),
        teams=directory.teams.values(),
        rosters=directory.rosters.values(),
        chains=directory.chains.values(),
        upkeep=directory.upkeep.values(),
    )


def unused(directory: Directory) -> list[LimitScope]:
    """Return the scopes in which there is no channel."""
    used = {shared.id for channel in directory.channels.values() for shared in _shared_with(channel, directory)}
    return [scope for scope in directory.shared_limits if scope not in used]


def scopes_of(channel: Channel, directory: Directory) -> list[LimitScope]:
    """Return the scopes that a registered channel is in, the most general first."""
    equipment = directory.equipment[channel.equipment]
    models = ("", equipment.model) if equipment.model else ("",)
    return [
        LimitScope(channel.quantity.name, equipment.kind, model, facility)
        for facility in ("", channel.facility)
        for model in models
    ]


def _shared_with(channel: Channel, directory: Directory) -> list[SharedLimits]:
    if not directory.shared_limits:
        return []
    said = (directory.shared_limits.get(scope) for scope in scopes_of(channel, directory))
    return [shared for shared in said if shared is not None]

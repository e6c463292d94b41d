"""The node's own small registry: what its rules have to know of its channels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta

from domain.directory import Directory
from domain.episode import SubjectKind
from domain.places import Channel, Equipment, Facility, Node
from domain.quantities import QUANTITIES
from edge.alarms.settings import LocalAlarmSettings
from rules.conditions.base import ValueCondition
from rules.conditions.silent_for import SilentFor
from rules.model import Rule


def directory_of(settings: LocalAlarmSettings, *, node: str, interval: timedelta) -> Directory:
    """Return the node's channels under their ids at the service; every channel has its own piece of equipment."""
    channels = [
        Channel(
            id=each.channel,
            facility=node,
            equipment=each.channel,
            node=node,
            name=name,
            quantity=QUANTITIES[each.quantity],
            interval=each.interval or interval,
            limits=each.limits,
        )
        for name, each in settings.channels.items()
    ]
    return Directory(
        facilities=[Facility(node, settings.place, "", "", "", settings.timezone)],
        equipment=[
            Equipment(each.channel, node, each.equipment, each.name or name) for name, each in settings.channels.items()
        ],
        nodes=[Node(node, node)],
        channels=channels,
    )


def unusable(rules: Iterable[Rule], directory: Directory) -> Iterator[tuple[Rule, str]]:
    """Yield the rules that would never find anything here, each with the reason."""
    for rule in rules:
        if rule.applies_to.subject_kind is SubjectKind.NODE:
            yield rule, "it judges whether nodes are heard, which a node cannot say of itself"
            continue
        if not isinstance(rule.condition, ValueCondition | SilentFor):
            yield rule, f"'{rule.when.kind}' looks back on readings, which a node does not keep"
            continue
        chosen = [channel for channel in directory.channels.values() if rule.applies_to.selects(channel, directory)]
        if not chosen:
            yield rule, "it judges none of the channels below local_alarms.channels"
        elif lacking := [channel.name for channel in chosen if _lacks_limit(rule, channel)]:
            yield rule, f"it asks for a limit that {', '.join(lacking)} has not"


def _lacks_limit(rule: Rule, channel: Channel) -> bool:
    return isinstance(rule.condition, ValueCondition) and rule.condition.band(channel) is None

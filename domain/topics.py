"""MQTT topics: the one place that spells ``vitals/v1/{node}/up/{lane}`` and ``vitals/v1/{node}/down/{lane}``."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NamedTuple

from domain.rejection import PayloadError, Reason

ROOT = "vitals/v1"

FACILITY = "facility"
"""No node may be called so: what follows in topics is a facility."""

FACILITY_ROOT = f"{ROOT}/{FACILITY}"
"""Where the alerts of facilities are shown."""

NODE_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
"""What a node may be called: nothing that means something in a topic filter, a URL or a file name."""

_NODE_NAME = re.compile(NODE_NAME)


class UpLane(StrEnum):
    """What a node publishes."""

    LIVE = "live"
    """The newest batches; they drive alarms."""
    BACKFILL = "backfill"
    """What could not be sent in time; it amends history."""
    STATE = "state"
    """Birth and last will, retained."""
    EVENT = "event"
    """Episodes that the node's own rules found."""
    REPLY = "reply"
    """Answers to commands."""


class DownLane(StrEnum):
    """What a node subscribes to."""

    RECEIPT = "receipt"
    CONFIG = "config"
    COMMAND = "command"


class Topic(NamedTuple):
    """A topic in its parts; the lane's type tells the direction."""

    node: str
    lane: UpLane | DownLane


def is_node_name(name: str) -> bool:
    """Tell whether the name may stand in a topic (see ``NODE_NAME``)."""
    return _NODE_NAME.fullmatch(name) is not None


def up(node: str, lane: UpLane) -> str:
    """Return the topic on which the node publishes this lane."""
    return f"{ROOT}/{node}/up/{lane}"


def down(node: str, lane: DownLane) -> str:
    """Return the topic on which the node is told this."""
    return f"{ROOT}/{node}/down/{lane}"


def every_node_up(lane: UpLane) -> str:
    """Return the filter that matches this lane of every node."""
    return up("+", lane)


def parse_topic(topic: str) -> Topic:
    """Return the parts of a topic; raise ``PayloadError`` (``bad_topic``) for any other shape."""
    parts = topic.split("/", 5)
    if len(parts) != 5 or f"{parts[0]}/{parts[1]}" != ROOT:
        raise PayloadError(Reason.BAD_TOPIC, f"found {topic[:100]!r}; allowed: {ROOT}/<node>/up|down/<lane>")
    node, direction, lane = parts[2:]
    if not is_node_name(node):
        raise PayloadError(Reason.BAD_TOPIC, f"found node {node[:100]!r}; allowed: {NODE_NAME}")
    known = _LANES.get((direction, lane))
    if known is None:
        allowed = ", ".join("/".join(pair) for pair in _LANES)
        raise PayloadError(Reason.BAD_TOPIC, f"found lane {direction[:50]}/{lane[:50]}; allowed: {allowed}")
    return Topic(node, known)


_LANES: dict[tuple[str, str], UpLane | DownLane] = {
    **{("up", lane.value): lane for lane in UpLane},
    **{("down", lane.value): lane for lane in DownLane},
}

"""What the collector knows of each registered node: when it was heard, and what it last said of itself."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from domain.directory import Directory
from domain.reading import Reading
from domain.rejection import PayloadError, Reason

MAX_STATE_BYTES = 4_096


class NodeState(NamedTuple):
    """A node's birth or last will."""

    online: bool
    fields: Mapping[str, Any]
    """Everything in the message, as JSON values."""
    received_at_ms: int


def decode_state(payload: bytes, received_at_ms: int) -> NodeState:
    """Return the state in a payload ``{"online": true, ...}``; raise ``PayloadError`` for anything else."""
    if len(payload) > MAX_STATE_BYTES:
        raise PayloadError(Reason.TOO_LARGE, f"the state has {len(payload)} bytes; allowed: {MAX_STATE_BYTES}")
    try:
        fields = json.loads(payload, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise PayloadError(Reason.TOO_DEEP, "the state is nested too deeply") from error
    except ValueError as error:
        raise PayloadError(Reason.MALFORMED, f"the state is not JSON: {type(error).__name__}") from error
    if not isinstance(fields, dict) or not isinstance(fields.get("online"), bool):
        raise PayloadError(Reason.MALFORMED, 'found no usable field "online"; allowed: {"online": true|false, ...}')
    return NodeState(fields["online"], MappingProxyType(fields), received_at_ms)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


class NodeStates:
    """Last heard and last said, per node; bounded because only registered nodes are remembered."""

    def __init__(self) -> None:
        self._last_heard_ms: dict[str, int] = {}
        self._states: dict[str, NodeState] = {}

    @property
    def last_heard_ms(self) -> Mapping[str, int]:
        """When each node was last heard (arrival, milliseconds); a node never heard is absent."""
        return MappingProxyType(self._last_heard_ms)

    @property
    def states(self) -> Mapping[str, NodeState]:
        """The last state message of each node that sent one."""
        return MappingProxyType(self._states)

    def heard(self, node: str, received_at_ms: int) -> None:
        """Note that a registered node sent something; never moves back."""
        if received_at_ms > self._last_heard_ms.get(node, -1):
            self._last_heard_ms[node] = received_at_ms

    def said(self, node: str, state: NodeState, *, retained: bool) -> None:
        """Note a registered node's state; a last will and a message kept by the broker are no signs of life."""
        self._states[node] = state
        if state.online and not retained:
            self.heard(node, state.received_at_ms)

    def restore(self, readings: Iterable[Reading], directory: Directory) -> None:
        """Take up what the newest stored readings tell of their nodes, so that a restart forgets nobody."""
        for reading in readings:
            channel = directory.channels.get(reading.channel)
            if channel is not None:
                self.heard(channel.node, reading.received_at_ms)

    def forget_unregistered(self, directory: Directory) -> None:
        """Drop the nodes that left the registry."""
        for known in (self._last_heard_ms, self._states):
            for node in known.keys() - directory.nodes.keys():
                del known[node]

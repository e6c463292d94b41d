"""Zigbee2MQTT: one flat JSON object per device under its base topic, ``zigbee2mqtt/<friendly name>``.

The node is ``zigbee-<friendly name>``; under another base topic ``zigbee-.2f<whole topic>``. Channels are the fields:
``temperature``, ``battery``, ``contact``. Beside ``contact`` (1: closed) stands ``door`` (1: open), which is what the
quantity ``door`` means. ``last_seen`` is when it was measured; devices without it are taken to measure as they arrive.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo
from typing import Any

from collector.foreign.adapter import Adapter
from collector.foreign.naming import node_name
from collector.foreign.topics import bad_topic, split
from collector.foreign.values import (
    HECTOPASCALS,
    PLAIN,
    Meaning,
    Moment,
    leaves,
    moment_of,
    moment_of_epoch,
    read_object,
    sample,
    says_something,
)
from domain.reading import Batch, Sample

_BASE = "zigbee2mqtt"
_NOT_DEVICES = frozenset({"set", "get", "availability"})
_UNITS = {
    "temperature": Meaning("Cel"),
    "device_temperature": Meaning("Cel"),
    "local_temperature": Meaning("Cel"),
    "humidity": Meaning("%RH"),
    "pressure": HECTOPASCALS,
    "battery": Meaning("%"),
    "power": Meaning("W"),
    "current": Meaning("A"),
    "energy": Meaning("kWh"),
    "ac_frequency": Meaning("Hz"),
}


def read(topic: str, payload: bytes, received_at_ms: int, *, zone: tzinfo | None) -> list[Batch]:
    """See ``adapter.Read``."""
    levels = split(topic)
    if len(levels) < 2:
        raise bad_topic(topic, f"{_BASE}/<device>")
    if "bridge" in levels[:2] or levels[-1] in _NOT_DEVICES:
        return []
    identity = "/".join(levels[1:]) if levels[0] == _BASE else f"/{topic}"
    found = read_object(payload)
    seen = found.get("last_seen")
    if isinstance(seen, str):
        moment = moment_of(seen, received_at_ms, zone)
    else:
        moment = moment_of_epoch(seen, received_at_ms, per_second=1000)
    return [Batch(node_name("zigbee", identity), None, None, tuple(_samples(found, moment)))]


def _samples(found: dict[str, Any], moment: Moment) -> Iterator[Sample]:
    # A cell's voltage is in millivolts, that of a plug in volts; only devices with a cell say how full it is.
    volts = Meaning("mV" if "battery" in found else "V")
    for path, value in leaves(found):
        if path == "last_seen" or not says_something(value):
            continue
        yield sample(path, moment, value, volts if path == "voltage" else _UNITS.get(path, PLAIN))
        if path == "contact" and isinstance(value, bool):
            yield sample("door", moment, not value)


ADAPTER = Adapter("zigbee2mqtt", ("zigbee2mqtt/+",), read)

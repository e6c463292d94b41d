"""Shelly, first generation (``shellies/<id>/...``, a plain value each) and later ones (JSON per component).

The node is ``shelly1-<id>`` in the first generation and ``shelly-<topic prefix>`` in later ones. Channels of the first
are the rest of the topic (``emeter/0/power``); of later ones ``<component>/<field>`` (``switch:0/apower``,
``temperature:0/tC``), the same from ``<prefix>/status/<component>`` and from ``<prefix>/events/rpc``. The chip's own
temperature is ``temperature`` in the first generation and ``<component>/temperature/tC`` in later ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo
from typing import Any

from collector.foreign.adapter import Adapter
from collector.foreign.naming import node_name
from collector.foreign.topics import bad_topic, split
from collector.foreign.values import (
    PLAIN,
    Meaning,
    Moment,
    field_of,
    leaves,
    moment_of_epoch,
    number,
    read_object,
    sample,
    says_something,
    without_value,
)
from domain.reading import Batch, Quality, Sample

_FIRST_UNITS = {
    "power": Meaning("W"),
    "voltage": Meaning("V"),
    "current": Meaning("A"),
    "total": Meaning("Wh"),
    "total_returned": Meaning("Wh"),
    "energy": Meaning("Wh", 1 / 60),  # counted in watt-minutes
    "temperature": Meaning("Cel"),
    "ext_temperature": Meaning("Cel"),
    "temperature_f": Meaning("degF"),
    "humidity": Meaning("%RH"),
    "ext_humidity": Meaning("%RH"),
    "battery": Meaning("%"),
}
_FIRST_NOT_READINGS = frozenset({"announce", "info", "command", "set"})
_MISSING_PROBE = 999.0
_UNITS = {
    "tC": Meaning("Cel"),
    "tF": Meaning("degF"),
    "rh": Meaning("%RH"),
    "apower": Meaning("W"),
    "act_power": Meaning("W"),
    "voltage": Meaning("V"),
    "current": Meaning("A"),
    "freq": Meaning("Hz"),
    "V": Meaning("V"),
}
_ENDINGS = (
    ("_act_power", Meaning("W")),
    ("_voltage", Meaning("V")),
    ("_current", Meaning("A")),
    ("_freq", _UNITS["freq"]),
)
_PATHS = {
    "battery/percent": Meaning("%"),
    "aenergy/total": Meaning("Wh"),
    "ret_aenergy/total": Meaning("Wh"),
}
_SKIPPED = frozenset({"id", "minute_ts", "ts", "by_minute", "errors"})


def read(topic: str, payload: bytes, received_at_ms: int, *, zone: tzinfo | None) -> list[Batch]:
    """See ``adapter.Read``."""
    levels = split(topic)
    if levels[0] == "shellies":
        return _first_generation(topic, levels, payload, Moment(received_at_ms))
    if levels[-2:] == ["events", "rpc"] and len(levels) > 2:
        return _notification("/".join(levels[:-2]), read_object(payload), received_at_ms)
    if len(levels) > 2 and levels[-2] == "status":
        samples = tuple(_component(levels[-1], read_object(payload), Moment(received_at_ms)))
        return [Batch(node_name("shelly", "/".join(levels[:-2])), None, None, samples)]
    raise bad_topic(topic, "shellies/<id>/..., <prefix>/status/<component>, <prefix>/events/rpc")


def _first_generation(topic: str, levels: list[str], payload: bytes, moment: Moment) -> list[Batch]:
    if len(levels) < 2:
        raise bad_topic(topic, "shellies/<id>/...")
    path = levels[2:]
    if not path or _FIRST_NOT_READINGS.intersection(path):
        return []
    text = payload.decode("utf-8", "replace")
    if not says_something(text):  # input_event and the like, which are JSON
        return []
    name = "/".join(path)
    meaning = _FIRST_UNITS.get(field_of(name), PLAIN)
    if meaning.unit == "Cel" and number(text) == _MISSING_PROBE:
        found = without_value(name, moment, Quality.SENSOR_GONE, meaning.unit)
    else:
        found = sample(name, moment, text, meaning)
    return [Batch(node_name("shelly1", levels[1]), None, None, (found,))]


def _notification(prefix: str, found: dict[str, Any], received_at_ms: int) -> list[Batch]:
    params = found.get("params")
    if found.get("method") not in ("NotifyStatus", "NotifyFullStatus") or not isinstance(params, dict):
        return []
    moment = moment_of_epoch(params.get("ts"), received_at_ms, per_second=1)
    samples = [
        each
        for component, status in params.items()
        if isinstance(status, dict)
        for each in _component(component, status, moment)
    ]
    return [Batch(node_name("shelly", prefix), None, None, tuple(samples))]


def _component(component: str, status: dict[str, Any], moment: Moment) -> Iterator[Sample]:
    for path, value in leaves(status):
        field = field_of(path)
        if field not in _SKIPPED and says_something(value):
            yield sample(f"{component}/{path}", moment, value, _PATHS.get(path) or _meaning(field))


def _meaning(field: str) -> Meaning:
    if field in _UNITS:
        return _UNITS[field]
    if field.endswith("act_energy"):
        return Meaning("Wh")
    return next((meaning for ending, meaning in _ENDINGS if field.endswith(ending)), PLAIN)


ADAPTER = Adapter("shelly", ("shellies/+/#", "+/status/+", "+/events/rpc"), read)

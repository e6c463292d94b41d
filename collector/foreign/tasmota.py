"""Tasmota: ``tele/<device>/SENSOR``, and the answers ``stat/<device>/STATUS8`` and ``STATUS10`` where subscribed to.

The node is named after the device's topic (``tasmota-<device>``). Where the site puts ``tele`` elsewhere
(``A38/plug/tele/SENSOR``) the whole path counts, with ``/`` at the place of the prefix: ``tasmota-A38.2fplug.2f``.
Channels are ``<sensor>/<field>`` as the device writes them: ``DS18B20/Temperature``, ``ENERGY/Voltage``; of several
phases ``ENERGY/Power/0`` and so on. The chip's own temperature is another channel (``ESP32/Temperature``). ``STATE`` is
ignored.
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
    field_of,
    leaves,
    moment_of,
    number,
    read_object,
    sample,
    says_something,
    without_value,
)
from domain.reading import Batch, Quality, Sample

_PREFIXES = ("tele", "stat")
_LAST = frozenset({"SENSOR", "STATUS8", "STATUS10"})
_UNITS = {
    "Humidity": Meaning("%RH"),
    "Voltage": Meaning("V"),
    "Current": Meaning("A"),
    "Power": Meaning("W"),
    "Frequency": Meaning("Hz"),
    "Total": Meaning("kWh"),
    "Today": Meaning("kWh"),
    "Yesterday": Meaning("kWh"),
}
_TEMPERATURES = frozenset({"Temperature", "DewPoint"})
_PRESSURES = frozenset({"Pressure", "SeaPressure"})
_PRESSURE_UNITS = {"hPa": HECTOPASCALS, "mmHg": Meaning("Pa", 133.322387415), "inHg": Meaning("Pa", 3386.389)}
_NOT_READINGS = frozenset({"Id", "Address", "TotalStartTime"})
_POWER_ON = {85.0, 185.0}
"""A DS18B20 that was not asked yet: 85 °C, which is 185 °F."""


def read(topic: str, payload: bytes, received_at_ms: int, *, zone: tzinfo | None) -> list[Batch]:
    """See ``adapter.Read``."""
    levels = split(topic)
    place = next((place for place, level in enumerate(levels[:-1]) if level in _PREFIXES), None)
    if place is None:
        raise bad_topic(topic, "tele/<device>/SENSOR")
    if levels[-1] not in _LAST:
        return []
    above = [*levels[:place], "", *levels[place + 1 : -1]]
    node = node_name("tasmota", "/".join(above).removeprefix("/") if place == 0 else "/".join(above))
    found = read_object(payload)
    status = found.get("StatusSNS", found)
    if not isinstance(status, dict):
        status = found
    moment = moment_of(status.get("Time"), received_at_ms, zone)
    return [Batch(node, None, None, tuple(_samples(status, moment)))]


def _samples(status: dict[str, Any], moment: Moment) -> Iterator[Sample]:
    temperature = Meaning("degF" if status.get("TempUnit") == "F" else "Cel")
    pressure = _PRESSURE_UNITS.get(str(status.get("PressureUnit")), HECTOPASCALS)
    for path, value in leaves(status):
        field, is_of_a_sensor = field_of(path), "/" in path
        if not is_of_a_sensor or field in _NOT_READINGS or not says_something(value):
            continue
        meaning = _UNITS.get(field, PLAIN)
        if field in _TEMPERATURES:
            meaning = temperature
        elif field in _PRESSURES:
            meaning = pressure
        if path.startswith("DS18") and field == "Temperature" and number(value) in _POWER_ON:
            yield without_value(path, moment, Quality.BAD_VALUE, meaning.unit)
        else:
            yield sample(path, moment, value, meaning)


ADAPTER = Adapter("tasmota", ("tele/+/SENSOR",), read)

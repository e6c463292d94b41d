"""ChirpStack v4: LoRaWAN uplinks in JSON, with what the device profile's codec decoded in ``object``.

The node is ``chirpstack-<devEUI>`` in small letters, taken from the topic. Channels are the fields of ``object`` as
the codec names them, nested ones with ``/``; units are not known, so codecs have to give canonical ones (or the
registry's). ``rssi`` (dBm) is that of the gateway that heard it best.
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
    leaves,
    moment_of,
    number,
    read_object,
    sample,
    says_something,
    without_value,
)
from domain.reading import Batch, Quality, Sample
from domain.rejection import PayloadError, Reason

_EXTERNAL_PROBES = frozenset({"TempC1", "TempC2", "TempC3", "TempC_DS", "Ext_sensor"})
"""Fields of makers whose firmware writes the text 0.00 for a DS18B20 that is not there."""


def read(topic: str, payload: bytes, received_at_ms: int, *, zone: tzinfo | None) -> list[Batch]:
    """See ``adapter.Read``."""
    levels = split(topic)
    if len(levels) < 5 or levels[-4] != "device" or levels[-2] != "event":
        raise bad_topic(topic, "application/<id>/device/<devEUI>/event/up")
    if levels[-1] != "up":
        return []
    dev_eui = levels[-3].lower()
    found = read_object(payload)
    info = found.get("deviceInfo")
    if not isinstance(info, dict):
        raise PayloadError(Reason.MALFORMED, "found no deviceInfo; allowed: the JSON of ChirpStack v4")
    if str(info.get("devEui", dev_eui)).lower() != dev_eui:
        raise PayloadError(Reason.WRONG_NODE, f"found another devEui than the topic's {dev_eui[:32]!r}")
    decoded = found.get("object")
    if not isinstance(decoded, dict):
        raise PayloadError(Reason.MALFORMED, "found no decoded object: give the device profile a codec")
    moment = moment_of(found.get("time"), received_at_ms, zone)
    samples = (*_decoded(decoded, moment), *_signal(found.get("rxInfo"), moment))
    return [Batch(node_name("chirpstack", dev_eui), None, None, samples)]


def _decoded(decoded: dict[str, Any], moment: Moment) -> Iterator[Sample]:
    for path, value in leaves(decoded):
        if not says_something(value):
            continue
        field = path.rpartition("/")[2]
        if _is_missing(field, value):
            yield without_value(path, moment, Quality.SENSOR_GONE)
        else:
            yield sample(path, moment, value, PLAIN)


def _is_missing(field: str, value: object) -> bool:
    if field in _EXTERNAL_PROBES and value == "0.00":
        return True
    return "temp" in field.lower() and number(value) in (-127.0, 43530.0)


def _signal(receptions: object, moment: Moment) -> Iterator[Sample]:
    heard = receptions if isinstance(receptions, list) else []
    levels = [number(each.get("rssi")) for each in heard if isinstance(each, dict)]
    strongest = max((level for level in levels if level is not None), default=None)
    if strongest is not None:
        yield sample("rssi", moment, strongest, Meaning("dBm"))


ADAPTER = Adapter("chirpstack", ("application/+/device/+/event/up",), read)

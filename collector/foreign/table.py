"""Every adapter there is."""

from __future__ import annotations

from collector.foreign import chirpstack, ems, shelly, sparkplug, tasmota, zigbee2mqtt
from collector.foreign.adapter import Adapter

ADAPTERS: dict[str, Adapter] = {
    adapter.name: adapter
    for adapter in (
        tasmota.ADAPTER,
        shelly.ADAPTER,
        zigbee2mqtt.ADAPTER,
        chirpstack.ADAPTER,
        sparkplug.ADAPTER,
        ems.ADAPTER,
    )
}

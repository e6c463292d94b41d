"""Devices that speak JSON over HTTP, as rows: where each of their values stands.

Sources: the makers' own API documents: Shelly "Gen1 Device API" and "Gen2+ Device API", Tasmota "Commands" (Status 8).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from edge.json_values import JsonValue


class Preset(NamedTuple):
    """One kind of device; ``{id}`` stands for the number of the input, switch or phase that is meant."""

    path: str
    """What to ask, where the settings do not say."""
    measures: Mapping[str, JsonValue]


def _value(
    path: str, quantity: str, unit: str | None = None, scale: float = 1.0, valid: str | None = None
) -> JsonValue:
    return JsonValue(path=path, quantity=quantity, unit=unit, scale=scale, valid_path=valid)


def _component(name: str) -> dict[str, JsonValue]:
    """Return what Shelly's switches and single meters have in common."""
    return {
        "voltage": _value(f"{name}:{{id}}.voltage", "voltage"),
        "current": _value(f"{name}:{{id}}.current", "current"),
        "power": _value(f"{name}:{{id}}.apower", "power"),
        "frequency": _value(f"{name}:{{id}}.freq", "frequency"),
        "energy": _value(f"{name}:{{id}}.aenergy.total", "energy", "Wh"),
        "output": _value(f"{name}:{{id}}.output", "supply"),
    }


def _phase(letter: str, suffix: str) -> dict[str, JsonValue]:
    return {
        f"voltage_{suffix}": _value(f"em:{{id}}.{letter}_voltage", "voltage"),
        f"current_{suffix}": _value(f"em:{{id}}.{letter}_current", "current"),
        f"power_{suffix}": _value(f"em:{{id}}.{letter}_act_power", "power"),
    }


def _tasmota_probe(name: str) -> dict[str, JsonValue]:
    unit = "StatusSNS.TempUnit"
    return {"temperature": JsonValue(path=f"StatusSNS.{name}.Temperature", quantity="temperature", unit_path=unit)}


_ENERGY = "StatusSNS.ENERGY"
_STATUS = "/rpc/Shelly.GetStatus"
_TASMOTA = "/cm?cmnd=Status%208"

PRESETS: Mapping[str, Preset] = {
    "shelly_plus_pm": Preset(_STATUS, _component("switch")),
    "shelly_pm_mini": Preset(_STATUS, _component("pm1")),
    "shelly_em": Preset(
        _STATUS,
        {
            "voltage": _value("em1:{id}.voltage", "voltage"),
            "current": _value("em1:{id}.current", "current"),
            "power": _value("em1:{id}.act_power", "power"),
            "frequency": _value("em1:{id}.freq", "frequency"),
            "energy": _value("em1data:{id}.total_act_energy", "energy", "Wh"),
        },
    ),
    "shelly_3em": Preset(
        _STATUS,
        _phase("a", "l1")
        | _phase("b", "l2")
        | _phase("c", "l3")
        | {
            "power": _value("em:{id}.total_act_power", "power"),
            "energy": _value("emdata:{id}.total_act", "energy", "Wh"),
        },
    ),
    "shelly_probe": Preset(
        _STATUS,
        {
            "temperature": _value("temperature:{id}.tC", "temperature"),
            "humidity": _value("humidity:{id}.rh", "humidity", "%"),
        },
    ),
    "shelly_gen1_em": Preset(
        "/status",
        {
            "voltage": _value("emeters.{id}.voltage", "voltage", valid="emeters.{id}.is_valid"),
            "power": _value("emeters.{id}.power", "power", valid="emeters.{id}.is_valid"),
            "energy": _value("emeters.{id}.total", "energy", "Wh", valid="emeters.{id}.is_valid"),
        },
    ),
    "shelly_gen1_plug": Preset(
        "/status",
        {
            "power": _value("meters.{id}.power", "power", valid="meters.{id}.is_valid"),
            # It counts watt-minutes.
            "energy": _value("meters.{id}.total", "energy", "Wh", 1 / 60, valid="meters.{id}.is_valid"),
            "output": _value("relays.{id}.ison", "supply"),
        },
    ),
    "tasmota_energy": Preset(
        _TASMOTA,
        {
            "voltage": _value(f"{_ENERGY}.Voltage", "voltage"),
            "current": _value(f"{_ENERGY}.Current", "current"),
            "power": _value(f"{_ENERGY}.Power", "power"),
            "frequency": _value(f"{_ENERGY}.Frequency", "frequency"),
            "energy": _value(f"{_ENERGY}.Total", "energy", "kWh"),
        },
    ),
    "tasmota_ds18b20": Preset(_TASMOTA, _tasmota_probe("DS18B20")),
    "tasmota_ds18b20_several": Preset(_TASMOTA, _tasmota_probe("DS18B20-{id}")),
    "tasmota_sht3x": Preset(
        _TASMOTA, _tasmota_probe("SHT3X") | {"humidity": _value("StatusSNS.SHT3X.Humidity", "humidity", "%")}
    ),
}


def of_component(value: JsonValue, number: int) -> JsonValue:
    """Return the value with the number of the input, switch or phase filled in."""
    paths = {field: getattr(value, field) for field in ("path", "unit_path", "valid_path")}
    filled = {field: path.replace("{id}", str(number)) for field, path in paths.items() if path is not None}
    return value.model_copy(update=filled)

"""What Prometheus is told of channels: as many as allowed, whole facilities, in base units."""

from __future__ import annotations

import shutil
import subprocess
from datetime import timedelta

import pytest
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from api.exposition import Exposition
from app.exposition.equipment import EquipmentText, MetricsSettings
from dashboards.sla.live_range import RangeWatch
from domain.directory import Directory
from domain.places import Channel, Equipment, EquipmentKind, Facility
from domain.quantities import QUANTITIES
from domain.reading import Quality, Reading

START_MS = 1_772_431_200_000
Found = dict[str, dict[str, float]]


class Given:
    """Facilities with a fridge that has every channel there is, and what is known of them."""

    def __init__(self, *facilities: str, most: int = 1000) -> None:
        self.directory = directory_of(facilities)
        self.latest: dict[str, Reading] = {}
        self.watch = RangeWatch(lambda: self.directory, 2, START_MS)
        self.text = EquipmentText(
            lambda: self.directory, self.latest.get, self.watch.of_channel, MetricsSettings(equipment_channels=most)
        )

    def take(self, channel: str, at_ms: int, value: float | None) -> None:
        """Let a reading come in."""
        quality = Quality.SENSOR_GONE if value is None else Quality.GOOD
        self.latest[channel] = Reading(channel, at_ms, value, quality, at_ms)
        self.watch.update([self.latest[channel]])

    def found(self) -> Found:
        """Return the samples: by name, by channel."""
        found: Found = {}
        for family in text_string_to_metric_families("".join(self.text.render(Exposition.TEXT))):
            for sample in family.samples:
                found.setdefault(sample.name, {})[sample.labels.get("channel", "")] = sample.value
        return found


def directory_of(facilities: tuple[str, ...]) -> Directory:
    """Return a registry, in another order than that of the ids."""
    return Directory(
        facilities=[Facility(each, each, "U", "W", "K") for each in reversed(facilities)],
        equipment=[Equipment(f"{each}/fridge", each, EquipmentKind.FRIDGE, "Fridge") for each in facilities],
        channels=[
            Channel(
                f"{each}/fridge/{quantity.name}", each, f"{each}/fridge", each, quantity.name, quantity,
                timedelta(minutes=1), {"high": 8.0},
            )
            for each in facilities
            for quantity in QUANTITIES.values()
        ],
    )  # fmt: skip


def test_a_channel_has_its_newest_usable_value_and_its_moment() -> None:
    """In base units; one that never said anything has a moment of 0, one without a usable value has no value."""
    given = Given("a")
    given.take("a/fridge/temperature", START_MS, 5.5)
    given.take("a/fridge/energy", START_MS, 2.0)
    given.take("a/fridge/free_chlorine", START_MS, 500.0)
    given.take("a/fridge/door", START_MS, 1.0)
    given.take("a/fridge/voltage", START_MS, None)
    found = given.found()
    assert found["vitals_equipment_temperature_celsius"] == {"a/fridge/temperature": 5.5}
    assert found["vitals_equipment_energy_joules"] == {"a/fridge/energy": 7200}
    assert found["vitals_equipment_free_chlorine_grams_per_litre"] == {"a/fridge/free_chlorine": 0.5}
    assert found["vitals_equipment_door"] == {"a/fridge/door": 1}
    assert "vitals_equipment_voltage_volts" not in found
    moments = found["vitals_equipment_last_reading_timestamp_seconds"]
    assert moments["a/fridge/temperature"] == moments["a/fridge/voltage"] == START_MS / 1000
    assert moments["a/fridge/humidity"] == 0
    assert moments.keys() == given.directory.channels.keys()


def test_only_probes_have_time_in_range() -> None:
    """From 0 on."""
    given = Given("a")
    name = "vitals_equipment_{}_seconds_total"
    assert given.found()[name.format("observed")] == {"a/fridge/temperature": 0}
    given.take("a/fridge/temperature", START_MS, 5.0)
    given.take("a/fridge/temperature", START_MS + 60_000, 9.0)
    given.take("a/fridge/temperature", START_MS + 120_000, 9.0)
    assert given.found()[name.format("observed")] == {"a/fridge/temperature": 120}
    assert given.found()[name.format("in_range")] == {"a/fridge/temperature": 60}


def test_of_too_many_channels_whole_facilities_are_told_in_the_order_of_their_ids() -> None:
    """Up to the first that does not fit; how many are left out is told."""
    each = len(QUANTITIES)
    for most, told in ((3 * each, "abc"), (2 * each, "ab"), (2 * each - 1, "a"), (0, "")):
        given = Given("a", "b", "c", most=most)
        found = given.found()
        moments = found.get("vitals_equipment_last_reading_timestamp_seconds", {})
        assert {channel[0] for channel in moments} == set(told)
        assert found["vitals_equipment_channels_omitted"][""] == (3 - len(told)) * each


def test_another_registry_is_followed() -> None:
    """The labels are remembered, but not beyond the registry they are from."""
    given = Given("a")
    given.found()
    given.directory = directory_of(("b",))
    moments = given.found()["vitals_equipment_last_reading_timestamp_seconds"]
    assert moments.keys() == given.directory.channels.keys()


def test_openmetrics_has_the_same_samples() -> None:
    """As a strict parser reads it, with the end mark."""
    given = Given("a")
    for channel in given.directory.channels:
        given.take(channel, START_MS, 1.0)
    text = "".join(given.text.render(Exposition.OPENMETRICS))
    families = list(openmetrics.text_string_to_metric_families(text))  # type: ignore[no-untyped-call]
    assert text.endswith("# EOF\n")
    assert {sample.name for family in families for sample in family.samples} == given.found().keys()
    assert {family.name: family.unit for family in families}["vitals_equipment_energy_joules"] == "joules"


def test_promtool_accepts_every_quantity() -> None:
    """Prometheus' own tool finds nothing to say about names, units and help texts."""
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed; the Debian package 'prometheus' has it")
    given = Given("a")
    for channel in given.directory.channels:
        given.take(channel, START_MS, 1.0)
    text = "".join(given.text.render(Exposition.TEXT))
    checked = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")

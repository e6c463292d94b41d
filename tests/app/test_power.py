"""Whether a facility has power: every supply counts, and what comes late says nothing about now."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from alerts.facts import Power
from app.power import PowerWatch
from domain.directory import Directory
from domain.instant import MINUTE_MS, to_datetime
from domain.places import Channel, Equipment, EquipmentKind, Facility
from domain.quantities import QUANTITIES
from domain.reading import Quality, Reading

START_MS = 1_772_431_200_000


def channel(id_: str, equipment: str, quantity: str) -> Channel:
    """Return a channel of the clinic."""
    return Channel(id_, "clinic", equipment, "pi-1", id_, QUANTITIES[quantity], timedelta(minutes=1))


DIRECTORY = Directory(
    facilities=[Facility("clinic", "Clinic", "Uganda", "Western", "Kasese")],
    equipment=[
        Equipment("mains", "clinic", EquipmentKind.MAINS, "Mains"),
        Equipment("generator", "clinic", EquipmentKind.GENERATOR, "Generator"),
        Equipment("pump", "clinic", EquipmentKind.PUMP, "Pump"),
    ],
    channels=[
        channel("mains", "mains", "supply"),
        channel("generator", "generator", "running"),
        channel("pump", "pump", "running"),
    ],
)


def at(minute: int, value: float | None, name: str = "mains") -> Reading:
    """Return a reading measured so many minutes after the start."""
    quality = Quality.GOOD if value is not None else Quality.SENSOR_GONE
    return Reading(name, START_MS + minute * MINUTE_MS, value, quality, START_MS + 1000 * MINUTE_MS)


def since(minute: int) -> datetime:
    """Return the moment so many minutes after the start."""
    return to_datetime(START_MS + minute * MINUTE_MS)


@pytest.fixture
def watch() -> PowerWatch:
    """Give a watch that has heard nothing."""
    return PowerWatch(lambda: DIRECTORY)


def test_nothing_tells(watch: PowerWatch) -> None:
    """Without a reading of a supply nobody knows; a running pump and an unknown channel are no supplies."""
    watch.update([at(0, 1, "pump"), at(0, 1, "elsewhere"), at(0, None)])
    assert watch.of("clinic") is None


def test_since_is_known_from_the_first_change_on(watch: PowerWatch) -> None:
    """The first reading tells whether, the first change tells since when."""
    watch.update([at(0, 1)])
    assert watch.of("clinic") == Power(True)
    watch.update([at(1, 0), at(2, 0)])
    assert watch.of("clinic") == Power(False, since(1))


def test_a_generator_is_power(watch: PowerWatch) -> None:
    """Without mains the generator gives power; without both there is none."""
    watch.update([at(0, 1), at(0, 0, "generator"), at(1, 0), at(2, 1, "generator")])
    assert watch.of("clinic") == Power(True, since(2))
    watch.update([at(9, 0, "generator")])
    assert watch.of("clinic") == Power(False, since(9))


def test_a_backlog_does_not_turn_the_power_off(watch: PowerWatch) -> None:
    """An outage that is over, told by late data, leaves the power on; since when, nobody knows any more."""
    watch.update([at(0, 0), at(1, 1), at(60, 1)])
    watch.update([at(30, 0), at(20, 1)])
    assert watch.of("clinic") == Power(True)
    watch.update([at(61, 0)])
    assert watch.of("clinic") == Power(False, since(61))


def test_a_backlog_from_before_changes_nothing(watch: PowerWatch) -> None:
    """Late readings that are older than the last change say what was known."""
    watch.update([at(0, 1), at(10, 0), at(20, 0)])
    watch.update([at(5, 1)])
    assert watch.of("clinic") == Power(False, since(10))


def test_a_restart_knows_whether_and_not_since_when(watch: PowerWatch) -> None:
    """The newest stored readings tell whether there is power."""
    watch.restore({"mains": at(5, 0), "generator": at(3, 1, "generator")})
    assert watch.of("clinic") == Power(True)


def test_a_supply_that_is_registered_later_counts_from_then_on() -> None:
    """What was found out of a channel holds for the registry it was found in."""
    registered = Directory()
    watch = PowerWatch(lambda: registered)
    watch.update([at(0, 1)])
    assert watch.of("clinic") is None
    registered = DIRECTORY
    watch.update([at(1, 1)])
    assert watch.of("clinic") == Power(on=True)


def test_there_is_power_now_while_any_supply_that_speaks_of_now_is_on(watch: PowerWatch) -> None:
    """It is gone where every supply that was ever heard says so; where one of them is silent nobody knows."""
    now_ms = START_MS + 60 * MINUTE_MS
    assert watch.on_now("clinic", now_ms) is None
    watch.update([at(58, 0), at(59, 1, "generator")])
    assert watch.on_now("clinic", now_ms) is True
    watch.update([at(60, 0, "generator")])
    assert watch.on_now("clinic", now_ms) is False
    watch.update([at(75, 0)])
    assert watch.on_now("clinic", now_ms + 15 * MINUTE_MS) is None
    watch.update([at(75, 1, "generator")])
    assert watch.on_now("clinic", now_ms + 15 * MINUTE_MS) is True
    assert watch.on_now("clinic", now_ms + 60 * MINUTE_MS) is None

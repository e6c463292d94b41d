"""The live account of outages: only grows, and says nothing of what nobody heard."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest

from dashboards.pages.status import FacilityStatus, ServiceStatus, Status
from dashboards.sla.live import MOST_APART_MS, SERVICES, Account, Condition, LiveWatch, conditions
from dashboards.sla.live_range import RangeWatch
from domain.directory import Directory
from domain.instant import HOUR_MS, MINUTE_MS, to_datetime
from domain.places import Channel, Equipment, EquipmentKind, Facility, Service
from domain.quantities import QUANTITIES
from domain.reading import Quality, Reading
from domain.upkeep import Upkeep, UpkeepState

CLINIC = Facility("clinic", "Clinic", "U", "W", "K")
POWER, COLD, WATER, MONITORING = SERVICES
OK = dict.fromkeys(Service, Status.OK)
SILENT = dict.fromkeys(Service, Status.SILENT)
DARK = OK | {POWER: Status.CRITICAL}


def said(services: dict[Service, Status], heard_ms: int | None = 1) -> FacilityStatus:
    """Return the status of the clinic."""
    listed = tuple(ServiceStatus(service, status) for service, status in services.items())
    return FacilityStatus(CLINIC, Status.OK, listed, heard_ms, 0, None)


class Watched:
    """A watch of one clinic, and how long it took note."""

    def __init__(self) -> None:
        self.watch, self.power, self.now_ms = LiveWatch(lambda _: self.power), None, 1_000_000

    power: bool | None

    def take(self, services: dict[Service, Status], minutes: float = 0) -> None:
        """Let the clinic be so for some minutes."""
        self.watch.take(self.now_ms, [said(services)])
        self.now_ms += round(minutes * MINUTE_MS)

    def of(self, service: Service) -> tuple[int, float, float]:
        """Return outages, minutes down and minutes observed of a service."""
        view = self.watch.view(self.now_ms)
        at = SERVICES.index(service)
        account: Account = view.accounts[0]
        down_ms, observed_ms = account.down_until(view.now_ms)[at], account.observed_until(view.now_ms)[at]
        return account.outages[at], down_ms / MINUTE_MS, observed_ms / MINUTE_MS


def test_an_outage_counts_once_with_its_time() -> None:
    """Also while it goes on: a scrape adds the time since."""
    watched = Watched()
    watched.take(OK, 10)
    assert watched.of(POWER) == (0, 0, 10)
    watched.take(DARK, 3)
    assert watched.of(POWER) == (1, 3, 13)
    watched.take(DARK | {WATER: Status.WARNING}, 4)
    watched.take(OK, 5)
    assert watched.of(POWER) == (1, 7, 22)
    assert watched.of(WATER) == (0, 0, 22)


def test_no_link_is_not_no_power() -> None:
    """While a facility is silent monitoring is down, and the clocks of all else stand still."""
    watched = Watched()
    watched.take(DARK, 1)
    watched.take(SILENT, 60)
    assert watched.of(POWER) == (0, 1, 1)
    assert watched.of(COLD) == (0, 0, 1)
    assert watched.of(MONITORING) == (1, 60, 61)


def test_an_outage_across_a_silence_is_one() -> None:
    """What was down when the link broke and is down still has not gone down again."""
    watched = Watched()
    for services in (OK, DARK, SILENT, DARK, OK, SILENT, DARK):
        watched.take(services, 1)
    assert watched.of(POWER) == (2, 3, 5)


def test_what_is_down_at_the_start_was_counted_before() -> None:
    """A restart does not make a new outage; its time goes on."""
    watched = Watched()
    watched.take(DARK, 2)
    assert watched.of(POWER) == (0, 2, 2)


def test_a_facility_without_power_is_down_whatever_the_rules_say() -> None:
    """A clinic may live with an outage that is only a warning."""
    watched = Watched()
    watched.power = False
    assert conditions(said(OK), power_on=False)[0] is Condition.DOWN
    watched.take(OK, 2)
    assert watched.of(POWER) == (0, 2, 2)
    assert watched.of(COLD) == (0, 0, 2)


def test_supplies_that_speak_of_now_decide_about_power() -> None:
    """Whatever else is silent or critical there: a voltmeter without a cable, a weak battery."""
    for status in (Status.SILENT, Status.CRITICAL, Status.OK):
        assert conditions(said(OK | {POWER: status}), power_on=True)[0] is Condition.UP
        assert conditions(said(OK | {POWER: status}), power_on=False)[0] is Condition.DOWN
    assert conditions(said(SILENT), power_on=True)[0] is Condition.UNKNOWN


def test_what_nobody_measures_has_no_time() -> None:
    """Neither up nor down, and a facility that was never heard is not up."""
    nothing = dict.fromkeys(Service, Status.NOT_MONITORED)
    assert set(conditions(said(nothing, None), power_on=None)) == {Condition.UNWATCHED}
    never = conditions(said(SILENT, None), power_on=None)
    assert never == (Condition.UNKNOWN, Condition.UNKNOWN, Condition.UNKNOWN, Condition.DOWN)
    watched = Watched()
    watched.take(nothing, 5)
    assert watched.of(MONITORING) == (0, 0, 0)


def test_a_clock_that_is_set_brings_no_years() -> None:
    """Forward counts an hour at most, backward nothing; no counter ever falls."""
    watched = Watched()
    watched.take(DARK, 1)
    watched.take(DARK)
    watched.now_ms += 1000 * HOUR_MS
    assert watched.of(POWER) == (0, 61, 61)
    watched.now_ms -= 2000 * HOUR_MS
    assert watched.of(POWER) == (0, 61, 61)
    watched.take(OK, 1)
    assert watched.of(POWER) == (0, 61, 62)
    assert MOST_APART_MS == HOUR_MS


def test_who_is_not_registered_any_more_has_no_account() -> None:
    """And starts from nothing when registered again."""
    watched = Watched()
    watched.take(DARK, 1)
    watched.watch.take(watched.now_ms, [])
    assert watched.watch.view(watched.now_ms).accounts == []


START_MS = 1_772_431_200_000
FRIDGE = Equipment("clinic/fridge", "clinic", EquipmentKind.FRIDGE, "Fridge")


def probe(name: str, equipment: str = FRIDGE.id, **limits: float) -> Channel:
    """Return a temperature channel that reports each minute."""
    quantity = QUANTITIES["temperature"]
    return Channel(f"{equipment}/{name}", "clinic", equipment, "n", name, quantity, timedelta(minutes=1), limits)


class Fridge:
    """A watch over what a registry holds, with a cover factor of 2."""

    def __init__(self, *channels: Channel, upkeep: tuple[Upkeep, ...] = ()) -> None:
        self.directory = Directory(facilities=[CLINIC], equipment=[FRIDGE], channels=channels, upkeep=upkeep)
        self.watch = RangeWatch(lambda: self.directory, 2, START_MS)

    def take(self, channel: str, *readings: tuple[float, float | None]) -> None:
        """Take readings: (minute, value); None for one that cannot be used."""
        for minute, value in readings:
            at_ms = START_MS + round(minute * MINUTE_MS)
            quality = Quality.SENSOR_GONE if value is None else Quality.GOOD
            self.watch.update([Reading(f"{FRIDGE.id}/{channel}", at_ms, value, quality, at_ms)])

    def minutes(self) -> tuple[float, float]:
        """Return the appliance-minutes observed and in range."""
        found = self.watch.of_facility("clinic")
        return found.observed_ms / MINUTE_MS, found.in_range_ms / MINUTE_MS


def test_a_reading_counts_until_the_next_and_no_longer_than_it_covers() -> None:
    """Within and outside of the limits; the limits themselves are within."""
    fridge = Fridge(probe("a", low=2, high=8))
    fridge.take("a", (1, 5.0))
    assert fridge.minutes() == (0, 0)
    fridge.take("a", (2, 8.0), (3, 8.1), (4, 1.9), (5, None), (6, 5.0), (16, 5.0), (17, 5.0))
    assert fridge.minutes() == (4 + 2 + 1, 2 + 2 + 1)
    assert fridge.watch.of_channel(f"{FRIDGE.id}/a") == fridge.watch.of_facility("clinic")


def test_what_comes_late_counts_nothing() -> None:
    """Older than the newest of its channel, older than the watch, or twice."""
    fridge = Fridge(probe("a", low=2, high=8))
    fridge.take("a", (-20, 5.0), (-19, 5.0), (1, 5.0), (2, 5.0), (2, 9.0), (1.5, 9.0), (3, 5.0))
    assert fridge.minutes() == (2, 2)


def test_the_probes_of_one_appliance_share_its_time() -> None:
    """One without limits says nothing, a sum of two probes is no second fridge."""
    fridge = Fridge(probe("a", low=2, high=8), probe("b", high=8), probe("c"))
    fridge.take("a", (1, 5.0), (2, 5.0))
    fridge.take("b", (1, 9.0), (2, 9.0))
    fridge.take("c", (1, 5.0), (2, 5.0))
    assert fridge.minutes() == (1, 0.5)
    assert fridge.watch.of_channel(f"{FRIDGE.id}/c").observed_ms == 0


def test_other_limits_hold_from_the_next_reading_on() -> None:
    """What was counted stays, and the reading before them is judged by those of its time."""
    fridge = Fridge(probe("a", low=2, high=8))
    fridge.take("a", (1, 5.0))
    changed = dataclasses.replace(probe("a", low=2, high=4))
    fridge.directory = Directory(facilities=[CLINIC], equipment=[FRIDGE], channels=[changed])
    fridge.take("a", (2, 5.0), (3, 5.0))
    assert fridge.minutes() == (2, 1)


def test_what_is_out_of_service_is_not_watched() -> None:
    """A broken fridge in the yard is not out of range."""
    out = Upkeep(FRIDGE.id, UpkeepState.OUT_OF_SERVICE, to_datetime(START_MS), to_datetime(START_MS))
    fridge = Fridge(probe("a", low=2, high=8), upkeep=(out,))
    fridge.take("a", (1, 25.0), (2, 25.0))
    assert fridge.minutes() == (0, 0)


@pytest.mark.parametrize("quality", [Quality.UNCERTAIN, Quality.GOOD])
def test_a_doubtful_value_is_a_value(quality: Quality) -> None:
    """As everywhere: what rules may judge counts."""
    fridge = Fridge(probe("a", low=2, high=8))
    for minute in (1, 2):
        at_ms = START_MS + minute * MINUTE_MS
        fridge.watch.update([Reading(f"{FRIDGE.id}/a", at_ms, 5.0, quality, at_ms)])
    assert fridge.minutes() == (1, 1)


def test_a_second_probe_takes_its_share_from_then_on() -> None:
    """And nothing of what was counted before: no sum falls."""
    fridge = Fridge(probe("a", low=2, high=8))
    fridge.take("a", (1, 5.0), (2, 5.0))
    both = [probe("a", low=2, high=8), probe("b", low=2, high=8)]
    fridge.directory = Directory(facilities=[CLINIC], equipment=[FRIDGE], channels=both)
    fridge.take("a", (3, 5.0), (4, 5.0))
    assert fridge.minutes() == (1.5, 1.5)
    assert fridge.watch.of_channel(f"{FRIDGE.id}/a").observed_ms == 2 * MINUTE_MS

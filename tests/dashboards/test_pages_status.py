"""How a facility is: one decision from readings, alerts and silence."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.pages.overview import Listing, headline, overview
from dashboards.pages.overview_query import OverviewQuery
from dashboards.pages.status import FacilityStatus, Status, facility_statuses
from dashboards.pages.words import ENGLISH
from domain.alert import AlertState
from domain.episode import Severity
from domain.places import EquipmentKind, Service
from domain.reading import Quality
from tests.api.world import World


def _statuses(world: World) -> dict[str, FacilityStatus]:
    found = facility_statuses(
        world.directory(),
        world.latest,
        [alert for alert in world.alert_by_id.values() if alert.state is not AlertState.NORMAL],
        world.clock.now_ms(),
    )
    return {status.facility.id: status for status in found}


def _service(status: FacilityStatus, service: Service) -> Status:
    return next(each.status for each in status.services if each.service is service)


def _clinic() -> tuple[World, str, str]:
    """Return a world with one facility, a fridge and a mains supply that report good values now."""
    world = World(days=0)
    world.alert_by_id.clear()
    world.add_facility("hc", "Health Centre")
    fridge = world.add_channel("hc", EquipmentKind.FRIDGE, "Fridge", "temperature", {"low": 2.0, "high": 8.0})
    mains = world.add_channel("hc", EquipmentKind.MAINS, "Grid", "supply")
    world.take(fridge, 5.0)
    world.take(mains, 1.0)
    return world, fridge, mains


def test_all_fresh_within_limits_is_ok() -> None:
    """Fresh, usable values within limits and no alert: ok; what nobody measures is not called ok."""
    world, _, _ = _clinic()
    status = _statuses(world)["hc"]
    assert status.overall is Status.OK
    assert _service(status, Service.COLD_CHAIN) is Status.OK
    assert _service(status, Service.WATER) is Status.NOT_MONITORED
    assert status.reasons == ()


def test_a_silent_facility_is_unknown_never_ok() -> None:
    """When nothing is heard any more every measured service is silent, and the reason is said once."""
    world, _, _ = _clinic()
    world.clock.advance(timedelta(hours=4))
    status = _statuses(world)["hc"]
    assert status.overall is Status.SILENT
    assert _service(status, Service.COLD_CHAIN) is Status.SILENT
    assert _service(status, Service.MONITORING) is Status.SILENT
    assert status.reasons == ("Silent for 4 h",)


def test_one_silent_sensor_makes_its_service_unknown_and_the_facility_worth_a_look() -> None:
    """A facility that is heard is not silent, but a service with a silent sensor is not ok either."""
    world, _, mains = _clinic()
    world.clock.advance(timedelta(hours=4))
    world.take(mains, 1.0)
    status = _statuses(world)["hc"]
    assert _service(status, Service.COLD_CHAIN) is Status.SILENT
    assert _service(status, Service.POWER) is Status.OK
    assert _service(status, Service.MONITORING) is Status.OK
    assert status.overall is Status.WARNING


@pytest.mark.parametrize("quality", [Quality.SENSOR_GONE, Quality.BAD_VALUE, Quality.BUS_ERROR])
def test_a_sensor_without_a_value_is_unknown(quality: Quality) -> None:
    """A fresh reading that carries no usable value says nothing about the fridge."""
    world, fridge, _ = _clinic()
    world.clock.advance(timedelta(minutes=1))
    world.take(fridge, None, quality)
    assert _service(_statuses(world)["hc"], Service.COLD_CHAIN) is Status.SILENT


@pytest.mark.parametrize(
    ("value", "expected"), [(8.0, Status.OK), (8.1, Status.WARNING), (2.0, Status.OK), (1.9, Status.WARNING)]
)
def test_limits_are_crossed_strictly(value: float, expected: Status) -> None:
    """A value on its limit is within it; beyond it somebody should look, before any alert."""
    world, fridge, _ = _clinic()
    world.clock.advance(timedelta(minutes=1))
    world.take(fridge, value)
    assert _service(_statuses(world)["hc"], Service.COLD_CHAIN) is expected


def test_mains_that_are_off_need_attention_before_any_alert() -> None:
    """The grid being off is said at once."""
    world, _, mains = _clinic()
    world.clock.advance(timedelta(minutes=1))
    world.take(mains, 0.0)
    status = _statuses(world)["hc"]
    assert _service(status, Service.POWER) is Status.WARNING
    assert status.reasons == ("Grid: off",)


@pytest.mark.parametrize(
    ("severity", "state", "past", "expected"),
    [
        (Severity.CRITICAL, AlertState.UNACKNOWLEDGED, False, Status.CRITICAL),
        (Severity.CRITICAL, AlertState.ACKNOWLEDGED, False, Status.CRITICAL),
        (Severity.CRITICAL, AlertState.RETURNED_UNACKNOWLEDGED, False, Status.WARNING),
        (Severity.CRITICAL, AlertState.SUPPRESSED, False, Status.OK),
        (Severity.CRITICAL, AlertState.UNACKNOWLEDGED, True, Status.OK),
        (Severity.WARNING, AlertState.UNACKNOWLEDGED, False, Status.WARNING),
        (Severity.INFO, AlertState.UNACKNOWLEDGED, False, Status.OK),
    ],
)
def test_an_alert_weighs_by_severity_state_and_age(
    severity: Severity, state: AlertState, past: bool, expected: Status
) -> None:
    """Only alerts about the present count; one that is answered goes on counting while it goes on."""
    world, fridge, _ = _clinic()
    world.raise_alert("heat", severity, "hc", fridge, timedelta(hours=1), state=state, past=past)
    assert _service(_statuses(world)["hc"], Service.COLD_CHAIN) is expected


def test_an_alert_about_a_node_is_about_monitoring() -> None:
    """A silent node says nothing of power or cold chain by itself."""
    world, _, _ = _clinic()
    world.raise_alert("silent", Severity.CRITICAL, "hc", "hc-gw", timedelta(hours=1))
    status = _statuses(world)["hc"]
    assert _service(status, Service.MONITORING) is Status.CRITICAL
    assert _service(status, Service.COLD_CHAIN) is Status.OK


def test_worst_comes_first() -> None:
    """Help needed, then silent, then attention, then ok; equals by how many alerts and how long they wait."""
    found = _statuses(World(copies=2))
    assert list(found) == ["kasese-hc3", "bwera-hospital", "hc-0", "hc-1", "kilembe-hc2"]
    assert [status.overall.rank for status in found.values()] == sorted(
        status.overall.rank for status in found.values()
    )


def test_the_overview_says_it_in_one_sentence() -> None:
    """The sentence counts facilities that need help; the rest follows in words."""
    world = World(copies=2)
    found = list(_statuses(world).values())
    view = overview(Listing({}, found, found, {}), OverviewQuery(), world.clock.now_ms(), words=ENGLISH)
    assert view.sentence == "1 of 5 facilities needs help"
    assert view.details == ("1 silent", "3 OK")
    assert view.rows[0].open_alerts == 2


@given(st.dictionaries(st.sampled_from(Status), st.integers(0, 50)))
def test_the_sentence_never_calls_a_troubled_country_well(counts: dict[Status, int]) -> None:
    """Only where every facility is ok does the sentence say so."""
    from collections import Counter

    totals = Counter(counts)
    facilities = totals.total()
    said = headline(totals, facilities, words=ENGLISH)
    assert ("well" in said) == (facilities > 0 and totals[Status.OK] == facilities)
    assert ("help" in said.partition("None")[0]) == (totals[Status.CRITICAL] > 0)


def test_equipment_that_is_unknown_does_not_break_the_page() -> None:
    """A channel of unregistered equipment counts as monitoring."""
    world, _, _ = _clinic()
    world.channels.append(dataclasses.replace(world.channels[-1], id="x", equipment="nowhere"))
    world.add_facility("other", "Other")
    world.take("x", 1.0)
    assert _statuses(world)["hc"].overall is Status.OK

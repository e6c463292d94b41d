"""The live view beside the contract: counters that grow, begin anew and are missed; and each reason by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from dashboards.sla.facility import Recorded
from dashboards.sla.reconcile import Difference, Live, difference, facts_of, live_of
from dashboards.sla.spans import Span
from domain.directory import Directory
from domain.instant import DAY_MS, HOUR_MS, MINUTE_MS
from domain.places import Channel, Equipment, EquipmentKind, Facility, Service
from domain.quantities import QUANTITIES
from domain.reading import Quality, Reading

PERIOD = Span(DAY_MS, 2 * DAY_MS)
BEGIN = PERIOD.from_ms / 1000
CLINIC = Facility("clinic", "Clinic", "Uganda", "Western", "Kasese")
MAINS = Channel("clinic/mains/supply", "clinic", "clinic/mains", "pi", "mains", QUANTITIES["supply"],
                timedelta(minutes=10))  # fmt: skip
DIRECTORY = Directory(
    facilities=[CLINIC], equipment=[Equipment("clinic/mains", "clinic", EquipmentKind.MAINS, "Mains")], channels=[MAINS]
)
CALM = Live(down=3600, observed=86400, step=30, gaps=0, missing=0, restarts=0)


def recorded(
    *, off: tuple[int, int] = (600, 660), late: tuple[int, int] = (0, 0), silent: tuple[int, int] = (0, 0)
) -> Recorded:
    """Return a day of mains by minutes: off, told six hours late, told never."""
    readings = [
        Reading(
            MAINS.id, at, float(not off[0] <= minute < off[1]), Quality.GOOD,
            at + (6 * HOUR_MS if late[0] <= minute < late[1] else 1000),
        )
        for minute in range(-20, 1440, 10)
        if not silent[0] <= minute < silent[1]
        for at in (PERIOD.from_ms + minute * MINUTE_MS,)
    ]  # fmt: skip
    return Recorded(period=PERIOD, readings={MAINS.id: readings}, cover_ms={MAINS.id: 20 * MINUTE_MS}, limits={})


def compared(found: Recorded, live: Live, service: Service = Service.POWER) -> Difference:
    """Return how far apart the two are."""
    return difference(service, facts_of(CLINIC, DIRECTORY, found)[service], live, PERIOD)


def counter(*values: tuple[float, float]) -> list[tuple[float, float]]:
    """Return samples at seconds of the period."""
    return [(BEGIN + at, value) for at, value in values]


def test_a_counter_is_added_up_over_restarts_and_to_the_edges() -> None:
    """Of a step over an edge the part inside counts; after a restart what the counter shows is new."""
    observed = counter((-30, 100), (30, 160), (60, 190), (90, 10), (120, 40), (150, 70))
    found = live_of(counter((-30, 0), (30, 60)), observed, PERIOD)
    assert found.down == 30
    assert found.observed == pytest.approx(30 + 30 + 10 + 30 + 30)
    assert found.restarts == 1
    assert found.step == 30


def test_samples_that_are_missing_are_counted() -> None:
    """In the middle, before the first and after the last; with none at all it is the whole period."""
    samples = counter(*((at, at) for at in range(0, 86401, 60) if not 3600 < at < 7200 and at < 80000))
    found = live_of((), samples, PERIOD)
    assert (found.gaps, found.missing) == (2, 3600 + 86400 - 79980)
    nothing = live_of((), (), PERIOD)
    assert (nothing.missing, nothing.step) == (86400, 0)


def test_where_both_say_the_same_there_is_nothing_to_explain() -> None:
    """Two scrapes apart is the same."""
    found = compared(recorded(), replace(CALM, down=3650, observed=86350))
    assert (found.agree, found.reasons) == (True, ())
    assert not compared(recorded(), replace(CALM, down=3661)).agree


def test_late_data_are_told_with_how_long_it_was_down() -> None:
    """Two hours came late, half an hour of them without power; what a reading before covers is known in time."""
    live = replace(CALM, down=3000, observed=86400 - 6600)
    found = compared(recorded(off=(600, 660), late=(610, 730)), live)
    (late, *_) = [each for each in found.reasons if each.startswith("Late data")]
    assert "1:50:00 became known only later, of which it was down for 0:40:00" in late
    silent = compared(recorded(late=(610, 730)), replace(CALM, down=6600), Service.MONITORING)
    assert [each for each in silent.reasons if "1:50:00 of silence were filled in later" in each]


def test_maintenance_is_told() -> None:
    """The contract leaves it out, with what happened in it."""
    hour = (Span(PERIOD.from_ms + 10 * HOUR_MS, PERIOD.from_ms + 12 * HOUR_MS),)
    found = compared(replace(recorded(), planned=hour), CALM)
    assert found.contract_down == 0
    assert found.reasons == (
        "Maintenance: the contract leaves out 2:00:00, in which it was down for 1:00:00; the live view counts it.",
    )


def test_silence_restarts_and_missing_scrapes_are_told() -> None:
    """Each with its number; what is left is told with the way of seeing that makes it."""
    live = Live(down=2000, observed=50000, step=30, gaps=2, missing=1800, restarts=3)
    text = "\n".join(compared(recorded(silent=(720, 840)), live).reasons)
    for said in (
        "nobody heard of 1:50:00", "Scrapes missing: 0:30:00 in 2 gaps", "began anew 3 times",
        "knew 13:53:20 of 24:00:00, timely readings tell of 22:10:00", "0:26:40 less down than timely readings",
    ):  # fmt: skip
        assert said in text, (said, text)
    nothing = compared(recorded(), live_of((), (), PERIOD))
    assert nothing.reasons == (
        "Prometheus has no samples of it in this time: nothing was scraped, or under another name.",
    )

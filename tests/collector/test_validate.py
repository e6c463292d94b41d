"""Validation: every sample becomes a reading in the canonical unit or a refusal with its reason."""

from __future__ import annotations

import gc
import math
import weakref

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.settings import ValidationSettings
from collector.validate import validate
from domain.instant import MINUTE_MS, to_ms
from domain.reading import Batch, Quality, Sample
from domain.rejection import Reason
from domain.units import UNITS_BY_SYMBOL
from tests.collector.intake import CHANNELS, NOW_MS, directory, fridge

SETTINGS = ValidationSettings()
REGISTRY = directory("n1", "n2")


def judge(*samples: Sample, node: str = "n1") -> tuple[list[tuple[str, float | None]], list[Reason]]:
    """Return (channel, value) of the readings, and the reasons of the refusals."""
    accepted = validate(Batch(node, "e1", 1, samples), REGISTRY, now_ms=NOW_MS, settings=SETTINGS)
    readings = [(reading.channel, reading.value) for reading in accepted.readings]
    return readings, [refusal.reason for refusal in accepted.rejected]


def test_a_sample_becomes_a_reading_of_its_channel() -> None:
    """A good sample keeps its time and quality, and gets the registry's channel id and the moment of arrival."""
    sample = Sample("fridge", NOW_MS - 5_000, 4.5, Quality.UNCERTAIN)
    accepted = validate(Batch("n2", "e1", 1, (sample,)), REGISTRY, now_ms=NOW_MS, settings=SETTINGS)
    assert accepted.readings == [("n2.fridge", NOW_MS - 5_000, 4.5, Quality.UNCERTAIN, NOW_MS)]
    assert not accepted.rejected


@pytest.mark.parametrize(
    ("sample", "expected"),
    [
        (Sample("fridge", NOW_MS, 277.65, unit="K"), 4.5),
        (Sample("fridge", NOW_MS, 40.1, unit="degF"), 4.5),
        (Sample("fridge", NOW_MS, 4.5, unit="Cel"), 4.5),
        (Sample("mains", NOW_MS, 230_000.0, unit="mV"), 230.0),
        (Sample("humidity", NOW_MS, 55.0, unit="%RH"), 0.55),
        (Sample("humidity", NOW_MS, 0.55), 0.55),
    ],
)
def test_convertible_units_become_the_canonical_one(sample: Sample, expected: float) -> None:
    """A unit of the same dimension is converted; no unit means the canonical one."""
    readings, reasons = judge(sample)
    assert readings[0][1] == pytest.approx(expected)
    assert not reasons


@pytest.mark.parametrize(
    ("sample", "reason"),
    [
        (Sample("nothing", NOW_MS, 4.5), Reason.UNKNOWN_CHANNEL),
        (Sample("fridge", NOW_MS, 4.5, unit="V"), Reason.UNIT_MISMATCH),
        (Sample("fridge", NOW_MS, 4.5, unit="furlong"), Reason.UNIT_MISMATCH),
        (Sample("fridge", 0, 4.5), Reason.TIME_TOO_OLD),
        (Sample("fridge", -(10**30), 4.5), Reason.TIME_TOO_OLD),
        (Sample("fridge", NOW_MS + 365 * 1440 * MINUTE_MS, 4.5), Reason.TIME_IN_FUTURE),
        (Sample("fridge", NOW_MS + 11 * MINUTE_MS, 4.5), Reason.TIME_IN_FUTURE),
        (Sample("fridge", 0, None, Quality.SENSOR_GONE), Reason.TIME_TOO_OLD),
        (Sample("fridge", NOW_MS, 150.1), Reason.OUT_OF_RANGE),
        (Sample("fridge", NOW_MS, 0.0, unit="K"), Reason.OUT_OF_RANGE),
        (Sample("door", NOW_MS, 2.0), Reason.OUT_OF_RANGE),
        (Sample("fridge", NOW_MS, math.nan), Reason.NOT_FINITE),
        (Sample("fridge", NOW_MS, math.inf), Reason.NOT_FINITE),
        (Sample("fridge", NOW_MS, -math.inf), Reason.NOT_FINITE),
    ],
)
def test_a_bad_sample_is_refused_with_its_reason_and_its_neighbours_are_kept(sample: Sample, reason: Reason) -> None:
    """One bad sample costs itself, and nothing beside it."""
    readings, reasons = judge(fridge(NOW_MS, 4.0), sample, fridge(NOW_MS - 1, 5.0))
    assert reasons == [reason]
    assert [value for _, value in readings] == [4.0, 5.0]


def test_the_borders_of_range_and_time_belong_to_what_is_accepted() -> None:
    """The plausible range and the two time limits are inclusive."""
    oldest_ms = to_ms(SETTINGS.oldest)
    readings, reasons = judge(
        fridge(NOW_MS, -200.0), fridge(NOW_MS, 150.0), fridge(oldest_ms), fridge(NOW_MS + 10 * MINUTE_MS)
    )
    assert len(readings) == 4
    assert not reasons


def test_a_sensor_that_gives_no_value_is_a_reading_without_value() -> None:
    """That a sensor is gone is kept; a value beside an unusable quality is not."""
    readings, reasons = judge(
        Sample("fridge", NOW_MS, None, Quality.SENSOR_GONE), Sample("fridge", NOW_MS, 85.0, Quality.BAD_VALUE)
    )
    assert readings == [("n1.fridge", None), ("n1.fridge", None)]
    assert not reasons


def test_no_value_never_stands_beside_a_usable_quality() -> None:
    """A sample that claims to be good and has no value is kept as a bad one."""
    accepted = validate(
        Batch("n1", "e1", 1, (Sample("fridge", NOW_MS, None),)), REGISTRY, now_ms=NOW_MS, settings=SETTINGS
    )
    assert [reading.quality for reading in accepted.readings] == [Quality.BAD_VALUE]


def test_an_unknown_node_is_refused_as_a_whole() -> None:
    """A batch of a node that nobody registered is one refusal, not one per sample."""
    readings, reasons = judge(fridge(NOW_MS), fridge(NOW_MS - 1), node="stranger")
    assert (readings, reasons) == ([], [Reason.UNKNOWN_NODE])


def test_a_new_directory_counts_at_once_and_the_old_one_is_forgotten() -> None:
    """What was looked up belongs to one directory object and goes with it."""
    old, batch = directory("n1"), Batch("n9", "e1", 1, (fridge(NOW_MS),))
    validate(Batch("n1", "e1", 1, (fridge(NOW_MS),)), old, now_ms=NOW_MS, settings=SETTINGS)
    assert validate(batch, old, now_ms=NOW_MS, settings=SETTINGS).rejected
    assert validate(batch, directory("n9"), now_ms=NOW_MS, settings=SETTINGS).readings
    gone = weakref.ref(old)
    del old
    gc.collect()
    assert gone() is None


_samples = st.builds(
    Sample,
    name=st.sampled_from([*CHANNELS, "nothing", "\ud800"]),
    measured_at_ms=st.integers(-(10**18), 10**18) | st.integers(NOW_MS - 10**10, NOW_MS + 10**6),
    value=st.none() | st.floats() | st.floats(-10, 300),
    quality=st.sampled_from(Quality),
    unit=st.none() | st.sampled_from(sorted(UNITS_BY_SYMBOL)) | st.text(max_size=5),
)


@settings(deadline=None)
@given(st.lists(_samples, max_size=20))
def test_every_sample_ends_in_exactly_one_list_and_readings_are_true_to_the_rules(samples: list[Sample]) -> None:
    """Nothing is lost or doubled; readings are finite, in range, in time, and have a value where it is usable."""
    accepted = validate(Batch("n1", "e1", 1, tuple(samples)), REGISTRY, now_ms=NOW_MS, settings=SETTINGS)
    assert len(accepted.readings) + len(accepted.rejected) == len(samples)
    for reading in accepted.readings:
        quantity = REGISTRY.channels[reading.channel].quantity
        assert to_ms(SETTINGS.oldest) <= reading.measured_at_ms <= NOW_MS + 10 * MINUTE_MS
        assert (reading.value is not None) == Quality(reading.quality).usable
        assert reading.value is None or quantity.lowest <= reading.value <= quantity.highest
    for refusal in accepted.rejected:
        refusal.detail.encode()

"""Thinning keeps what matters of many readings, and nothing that was not measured."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from domain.reading import Quality, Sample
from edge.thinning import INTERVALS_MS, MOST_PER_INTERVAL, thin

MINUTE_MS = 60_000

values = st.floats(-50, 50, allow_nan=False)
qualities = st.sampled_from([Quality.GOOD, Quality.GOOD, Quality.UNCERTAIN, Quality.BAD_VALUE, Quality.SENSOR_GONE])


@st.composite
def series(draw: st.DrawFn) -> list[Sample]:
    """Return readings of a few channels in the order of their times."""
    found = []
    for minute in sorted(draw(st.lists(st.integers(0, 3000), max_size=120, unique=True))):
        quality = draw(qualities)
        value = draw(values) if quality.usable else None
        found.append(Sample(draw(st.sampled_from("ab")), minute * MINUTE_MS, value, quality))
    return found


def extremes(samples: list[Sample]) -> dict[str, tuple[float, float]]:
    """Return the lowest and the highest value of each channel that has any."""
    found: dict[str, list[float]] = {}
    for sample in samples:
        if sample.value is not None:
            found.setdefault(sample.name, []).append(sample.value)
    return {name: (min(each), max(each)) for name, each in found.items()}


@given(samples=series(), interval_ms=st.sampled_from(INTERVALS_MS))
def test_extremes_and_ends_survive_at_their_own_times(samples: list[Sample], interval_ms: int) -> None:
    """What is left was measured, stands in its order, and has every channel's extremes, first and last reading."""
    left = thin(samples, interval_ms)
    assert left == [sample for sample in samples if sample in set(left)]
    assert extremes(left) == extremes(samples)
    for name in "ab":
        all_of, left_of = ([each for each in some if each.name == name] for some in (samples, left))
        assert all_of[:1] == left_of[:1]
        assert all_of[-1:] == left_of[-1:]


@given(samples=series(), interval_ms=st.sampled_from(INTERVALS_MS))
def test_no_interval_keeps_more_than_it_may(samples: list[Sample], interval_ms: int) -> None:
    """Four readings with a value at most, and two for each reason why there is none."""
    counts: dict[tuple[str, Quality | None, int], int] = {}
    for sample in thin(samples, interval_ms):
        reason = None if sample.quality.usable else sample.quality
        key = (sample.name, reason, sample.measured_at_ms // interval_ms)
        counts[key] = counts.get(key, 0) + 1
    assert all(count <= (MOST_PER_INTERVAL if key[1] is None else 2) for key, count in counts.items())


@given(samples=series(), interval_ms=st.sampled_from(INTERVALS_MS))
def test_thinning_twice_is_thinning_once(samples: list[Sample], interval_ms: int) -> None:
    """A block that is looked at again loses nothing more."""
    once = thin(samples, interval_ms)
    assert thin(once, interval_ms) == once


def test_every_minute_becomes_four_a_quarter() -> None:
    """A channel read every minute with a value of its own each time is thinned to about a quarter."""
    samples = [Sample("a", minute * MINUTE_MS, float(minute * 7 % 15)) for minute in range(15 * 96)]
    assert len(thin(samples, INTERVALS_MS[0])) <= 4 * 96

"""What the journal's tests share: readings, and a naive journal that says what is right."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import pairwise

from hypothesis import strategies as st

from collector.journal import Journal, Resolution, Rollup
from domain.instant import DAY_MS, HOUR_MS, MINUTE_MS
from domain.limits import ALWAYS_MS, LimitHistory, LimitsSince
from domain.reading import Quality, Reading

MIDNIGHT_MS = 1_760_054_400_000
CHANNELS = ("kasese/fridge-1/temperature", "kasese/mains/voltage", "ünïcode · 测试 \U0001f321 ' \" [,]")
INTERVAL_MS = 15 * MINUTE_MS
COVER_FACTOR = 2.0


def interval_of(channel: str) -> int:
    """Return the expected interval of every channel of these tests."""
    return INTERVAL_MS


def reading(minute: float, value: float | None, channel: str = CHANNELS[0], **other: int) -> Reading:
    """Return a reading so many minutes after midnight."""
    measured = MIDNIGHT_MS + round(minute * MINUTE_MS)
    quality = Quality(other.get("quality", Quality.GOOD if value is not None else Quality.SENSOR_GONE))
    return Reading(channel, measured, value, quality, other.get("received_ms", measured + 700))


def readings() -> st.SearchStrategy[Reading]:
    """Return readings of a few channels and moments, so that many of them meet."""
    usable = st.tuples(
        st.sampled_from([Quality.GOOD, Quality.UNCERTAIN]),
        st.floats(-1e6, 1e6) | st.sampled_from([8.0, 8.1, 0.1 + 0.2]),
    )
    unusable = st.tuples(st.sampled_from([Quality.BAD_VALUE, Quality.SENSOR_GONE]), st.none())
    return st.builds(
        lambda channel, step, judged, delay: Reading(
            channel, MIDNIGHT_MS + step * 7 * MINUTE_MS, judged[1], judged[0], MIDNIGHT_MS + DAY_MS + delay
        ),
        st.sampled_from(CHANNELS),
        st.integers(0, 60),
        usable | unusable,
        st.integers(0, 3),
    )


def histories() -> st.SearchStrategy[dict[str, LimitHistory]]:
    """Return limits of some channels that change at any millisecond, and now and then contradict themselves."""
    limit = st.none() | st.sampled_from([0.0, 8.0, 8.1]) | st.floats(-1e6, 1e6)
    moment = st.just(ALWAYS_MS) | st.integers(MIDNIGHT_MS, MIDNIGHT_MS + 9 * HOUR_MS)
    history = st.lists(st.builds(LimitsSince, moment, limit, limit), max_size=4, unique_by=lambda since: since[0])
    return st.dictionaries(st.sampled_from(CHANNELS), history.map(sorted_by_moment))


def sorted_by_moment(history: Iterable[LimitsSince]) -> LimitHistory:
    """Return the limits in order of time."""
    return tuple(sorted(history, key=lambda since: since.valid_from_ms))


class NaiveJournal:
    """A dictionary: of readings with one channel and moment it keeps the one that the documentation names."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, int], Reading] = {}
        self.limits: dict[str, LimitHistory] = {}

    def commit(self, arrived: Iterable[Reading]) -> None:
        """Take readings in order of arrival."""
        for new in arrived:
            key = (new.channel, new.measured_at_ms)
            old = self.kept.get(key)
            self.kept[key] = new if old is None else min(old, new, key=_precedence)

    def series(self, channel: str) -> list[Reading]:
        """Return the readings of a channel in order."""
        return sorted((r for r in self.kept.values() if r.channel == channel), key=lambda r: r.measured_at_ms)

    def latest(self) -> dict[str, Reading]:
        """Return the newest reading of every channel."""
        return {channel: self.series(channel)[-1] for channel in {r.channel for r in self.kept.values()}}

    def rollups(self, channel: str, from_ms: int, to_ms: int, bucket_ms: int) -> list[Rollup]:
        """Return the roll-ups of the buckets in [from, to), straight from the definition."""
        series, limits = self.series(channel), self.limits.get(channel, ())
        return naive_rollups(series, limits, range(from_ms, to_ms, bucket_ms), round(INTERVAL_MS * COVER_FACTOR))


def naive_rollups(series: list[Reading], limits: LimitHistory, starts: range, cover_ms: int) -> list[Rollup]:
    """Return the roll-ups of one channel's readings, straight from the definition."""
    found = (_rollup(series, limits, start, start + starts.step, cover_ms) for start in starts)
    return [rollup for rollup in found if rollup.readings or rollup.covered_seconds]


def close(ours: list[Rollup], naive: list[Rollup]) -> bool:
    """Tell whether roll-ups are equal, means up to the rounding of another order of summation."""
    return len(ours) == len(naive) and all(
        a._replace(mean=None) == b._replace(mean=None) and _close(a.mean, b.mean)
        for a, b in zip(ours, naive, strict=True)
    )


async def contents(journal: Journal) -> dict[str, object]:
    """Return everything that queries tell about these tests' channels, to be compared as a whole."""
    begin, end = MIDNIGHT_MS - DAY_MS, MIDNIGHT_MS + 2 * DAY_MS
    told: dict[str, object] = {"latest": await journal.latest(), "count": await journal.count()}
    for channel in CHANNELS:
        told[f"{channel} series"] = await journal.series(channel, begin, end)
        told[f"{channel} hours"] = await journal.rollups(channel, begin, end, Resolution.HOUR)
        told[f"{channel} days"] = await journal.rollups(channel, begin, end, Resolution.DAY)
    return told


async def agrees(journal: Journal, naive: NaiveJournal) -> None:
    """Assert that the journal tells what the naive one does."""
    begin, end = MIDNIGHT_MS - DAY_MS, MIDNIGHT_MS + 2 * DAY_MS
    assert await journal.count() == len(naive.kept)
    assert await journal.latest() == naive.latest()
    for channel in CHANNELS:
        expected = naive.series(channel)
        assert await journal.series(channel, begin, end) == expected
        assert await journal.series(channel, begin, end, limit=2) == expected[:2]
        for resolution, length in ((Resolution.HOUR, HOUR_MS), (Resolution.DAY, DAY_MS)):
            told = await journal.rollups(channel, begin, end, resolution)
            assert close(told, naive.rollups(channel, begin, end, length))
        for later, earlier in pairwise(reversed(expected)):
            assert await journal.before(channel, later.measured_at_ms) == earlier


def _precedence(candidate: Reading) -> tuple[float, ...]:
    value = candidate.value
    return (candidate.quality, value is None, 0.0 if value is None else -value, candidate.received_at_ms)


def _rollup(series: list[Reading], limits: LimitHistory, begin: int, end: int, cover_ms: int) -> Rollup:
    values = [r.value for r in series if begin <= r.measured_at_ms < end and r.value is not None]
    covered = below = above = judged = 0
    for number, r in enumerate(series):
        if r.value is not None:
            ends = [r.measured_at_ms + cover_ms]
            ends += [following.measured_at_ms for following in series[number + 1 : number + 2]]
            for start, stop in _pieces(max(r.measured_at_ms, begin), min(*ends, end), limits):
                covered += stop - start
                low, high = _in_force(limits, start)
                is_above = high is not None and r.value > high
                above += (stop - start) * is_above
                below += (stop - start) * (low is not None and r.value < low and not is_above)
                judged += (stop - start) * (low is not None or high is not None)
    mean = sum(values) / len(values) if values else None
    seconds = (milliseconds / 1000 for milliseconds in (covered, below, above, judged))
    return Rollup(begin, mean, min(values, default=None), max(values, default=None), len(values), *seconds)


def _pieces(begin: int, end: int, limits: LimitHistory) -> list[tuple[int, int]]:
    """Cut a stretch where the limits change."""
    cuts = [since.valid_from_ms for since in limits if begin < since.valid_from_ms < end]
    return list(pairwise([begin, *cuts, end])) if begin < end else []


def _in_force(limits: LimitHistory, moment_ms: int) -> tuple[float | None, float | None]:
    so_far = [since for since in limits if since.valid_from_ms <= moment_ms]
    return (so_far[-1].low, so_far[-1].high) if so_far else (None, None)


def _close(ours: float | None, naive: float | None) -> bool:
    return ours == naive if ours is None or naive is None else math.isclose(ours, naive, rel_tol=1e-9, abs_tol=1e-6)

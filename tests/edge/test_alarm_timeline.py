"""The line of time that local rules run on."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge.alarms.timeline import LONGEST_READ_MS, Timeline

NOW_MS = 1_772_431_200_000


@given(st.lists(st.tuples(st.integers(1, 10**7), st.integers(-(10**11), 10**11)), min_size=1, max_size=30))
def test_moments_only_go_on(boots: list[tuple[int, int]]) -> None:
    """Whatever the clock shows at every start of the machine, and whatever was saved."""
    timeline, last_ms = Timeline(), None
    for number, (lasts_ms, wrong_ms) in enumerate(boots):
        timeline = Timeline(timeline.stretches, timeline.last_ms)
        timeline.start(f"boot-{number}", 1_000, NOW_MS + wrong_ms)
        for elapsed_ms in (1_000, 1_000 + lasts_ms):
            moment_ms = timeline.now_ms(elapsed_ms)
            assert last_ms is None or moment_ms >= last_ms
            last_ms = moment_ms
        wall_ms = NOW_MS + wrong_ms + lasts_ms
        assert last_ms is not None
        assert timeline.wall_ms(last_ms) == wall_ms


def test_a_restart_within_one_boot_changes_nothing() -> None:
    """The machine's own count of time goes on."""
    timeline = Timeline()
    timeline.start("boot", 5_000, NOW_MS)
    before_ms = timeline.now_ms(60_000)
    again = Timeline(timeline.stretches, timeline.last_ms)
    again.start("boot", 61_000, NOW_MS + 10**9)
    assert again.now_ms(61_000) == before_ms + 1_000


def test_samples_keep_their_distance_from_now() -> None:
    """A sample of two seconds ago was made two seconds ago, whatever o'clock it is; an impossible one was made now."""
    timeline = Timeline()
    timeline.start("boot", 0, NOW_MS)
    assert timeline.moment_of(NOW_MS + 8_000, 10_000, NOW_MS + 10_000) == NOW_MS + 8_000
    wrong_ms = NOW_MS + 10**9
    assert timeline.moment_of(wrong_ms - 2_000, 20_000, wrong_ms) == NOW_MS + 18_000
    assert timeline.moment_of(wrong_ms - LONGEST_READ_MS - 1, 30_000, wrong_ms) == NOW_MS + 30_000
    assert timeline.moment_of(wrong_ms + 5_000, 40_000, wrong_ms) == NOW_MS + 40_000

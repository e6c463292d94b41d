"""The node's judge: the same episodes as at the service, over restarts and with any clock."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from domain.episode import Episode
from domain.instant import MINUTE_MS, to_datetime
from domain.reading import Reading, Sample
from edge.alarms.judge import LocalJudge
from rules.engine import Engine
from tests.edge.local_alarms import (
    DIRECTORY,
    FRIDGE,
    RULES,
    START_MS,
    Saved,
    fridge,
    measure,
    new_judge,
    series,
)

values = st.lists(st.sampled_from([5.0, 9.0, 9.5, -1.0, 1.0, None]), min_size=1, max_size=40)


def at_the_service(samples: list[Sample]) -> dict[str, Episode]:
    """Return what the service finds in the same samples."""
    engine = Engine([rule for rule in RULES if rule.id != "probe-silent"], DIRECTORY)
    found: dict[str, Episode] = {}
    for each in samples:
        reading = Reading(FRIDGE, each.measured_at_ms, each.value, each.quality, each.measured_at_ms)
        for change in engine.step(reading):
            found[change.episode.id] = change.episode
    return found


def found_by(judge: LocalJudge) -> dict[str, Episode]:
    """Return what the node found, as it would tell it."""
    told = [judge.in_time_of_day(key) for key in judge.records]
    return {each.id: each for each in told if each.rule != "probe-silent"}


@given(values, st.sets(st.integers(0, 39), max_size=4))
def test_node_and_service_find_the_same(found: list[float | None], restarts: set[int]) -> None:
    """Ids, times and extremes are equal, wherever the agent was restarted in between."""
    samples, judge, saved = series(*found), new_judge(), Saved()
    for index, sample in enumerate(samples):
        if index in restarts:
            judge = saved.restored()
        measure(judge, [sample])
        if judge.is_busy:
            saved.save(judge)
    assert found_by(judge) == at_the_service(samples)


@given(values, st.integers(0, 39), st.integers(-700, 700))
def test_a_clock_put_right_moves_what_is_told_and_ends_no_timer(
    found: list[float | None], at: int, leap_days: int
) -> None:
    """The node's clock is wrong by years and put right in the middle; the episodes are those of the right time."""
    judge = new_judge()
    wrong_ms = leap_days * 24 * 60 * MINUTE_MS
    judge.timeline.put_right(MINUTE_MS, START_MS + wrong_ms)
    samples = series(*found)
    for index, sample in enumerate(samples):
        shift_ms = wrong_ms if index < at else 0
        wall_ms, elapsed_ms = sample.measured_at_ms + shift_ms, sample.measured_at_ms - START_MS + MINUTE_MS
        judge.timeline.put_right(elapsed_ms, wall_ms)
        judge.take([sample._replace(measured_at_ms=wall_ms)], elapsed_ms, wall_ms)
    judge.timeline.put_right(50 * MINUTE_MS, START_MS + 49 * MINUTE_MS)
    assert found_by(judge) == at_the_service(samples)


def test_after_a_power_cut_with_a_clock_that_went_back_time_goes_on() -> None:
    """A machine that starts in the past is judged all the same."""
    judge, saved = new_judge(), Saved()
    measure(judge, series(5, 9, 9, 9, 9))
    assert [alarm.episode.rule for alarm in judge.alarms()] == ["warm"]
    saved.save(judge)
    again = saved.restored(boot="boot-2")
    past_ms = START_MS - 30 * MINUTE_MS
    again.timeline.put_right(MINUTE_MS, past_ms)
    again.take([fridge(-30, 5)], MINUTE_MS, past_ms)
    assert again.alarms() == []


def test_a_sample_older_than_the_last_one_is_left_to_the_service() -> None:
    """Nothing is kept here to judge the past again, and a rule must not get stuck on it."""
    judge = new_judge()
    measure(judge, series(5, 5, 5))
    judge.take([fridge(0.5, 9.0)], 4 * MINUTE_MS, START_MS + 3 * MINUTE_MS)
    measure(judge, series(9, 9, 9, 9, first=4))
    assert [alarm.episode.rule for alarm in judge.alarms()] == ["warm"]


def test_units_are_converted_and_foreign_ones_count_as_no_value() -> None:
    """48.2 °F is 9 °C; volts are no temperature."""
    judge = new_judge()
    measure(judge, [fridge(minute, 48.2, unit="degF") for minute in range(5)])
    assert [round(alarm.episode.extreme or 0, 6) for alarm in judge.alarms()] == [9.0]
    judge = new_judge()
    measure(judge, [fridge(minute, 230.0, unit="V") for minute in range(5)])
    assert judge.alarms() == []


def test_a_silent_probe_is_an_alarm_here_and_no_news_for_the_service() -> None:
    """The service judges silence by itself, where it listens."""
    judge = new_judge()
    measure(judge, [fridge(0, 5.0)])
    for minute in range(1, 30):
        judge.take([fridge(minute, None)], (minute + 1) * MINUTE_MS, START_MS + minute * MINUTE_MS)
        judge.tick((minute + 1) * MINUTE_MS)
    assert [alarm.episode.rule for alarm in judge.alarms()] == ["probe-silent"]
    assert judge.to_tell(set()) == []


def test_every_episode_is_told_when_it_begins_and_when_it_ends() -> None:
    """In between only what waits is renewed, every few minutes."""
    judge = new_judge()
    words = []
    for index, sample in enumerate(series(5, 9, 9, 9, 9, *[9] * 10, 5, 5)):
        measure(judge, [sample])
        for telling in judge.to_tell({next(iter(judge.records), "")} if index < 12 else set()):
            judge.note_told(telling)
            seen = (telling.seen_at - to_datetime(START_MS)).total_seconds() / 60
            words.append((index, seen, telling.episode.ended_at is not None))
        judge.forget_over(set())
    assert words == [(4, 4, False), (9, 9, False), (15, 15, True)]
    assert judge.records == {}


def test_what_goes_on_after_a_pause_is_told_again() -> None:
    """The service took the last word for old by then."""
    judge, saved = new_judge(), Saved()
    measure(judge, series(9, 9, 9, 9))
    for telling in judge.to_tell(set()):
        judge.note_told(telling)
    saved.save(judge)
    again = saved.restored()
    assert again.to_tell(set()) == []
    measure(again, series(9, first=100))
    (telling,) = again.to_tell(set())
    assert telling.seen_at == to_datetime(START_MS + 100 * MINUTE_MS)


def test_a_told_id_stays_when_the_clock_is_put_right() -> None:
    """The service knows the episode by it."""
    judge = new_judge()
    measure(judge, series(9, 9, 9, 9))
    (telling,) = judge.to_tell(set())
    judge.note_told(telling)
    judge.timeline.put_right(5 * MINUTE_MS, START_MS + 64 * MINUTE_MS)
    moved = judge.in_time_of_day(telling.key)
    assert moved.id == telling.episode.id
    assert moved.started_at > telling.episode.started_at


def test_a_round_is_worth_a_write_only_while_some_rule_is_not_at_rest() -> None:
    """An ordinary minute costs the flash nothing."""
    judge = new_judge()
    busy = []
    for sample in series(5, 9, 5, -1, 1, 5):
        measure(judge, [sample])
        busy.append(judge.is_busy)
    assert busy == [False, True, True, True, True, True]
    measure(judge, series(5, first=6))
    assert not judge.is_busy

"""A judge that is killed at any instant: no episode changes, nothing is told twice, nothing is forgotten."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerts.notification import NotificationKind
from app import judge as judge_module
from app.judge import JudgeSettings
from domain.reading import Reading
from tests.app.judging import CHANNELS, RULES, Bench, Fuse, bench, minute, play, reading

LAST_MINUTE = 40
OWED = [NotificationKind.ALARM, NotificationKind.ALL_CLEAR]


@st.composite
def streams(draw: st.DrawFn) -> list[Reading]:
    """Return readings of two channels in order of arrival: some late, some twice, some never, all well at the end."""
    stream = []
    for channel in CHANNELS:
        values = draw(st.lists(st.sampled_from([5, 5, 9, 9, 9.5, 12, -1, -1]), min_size=4, max_size=LAST_MINUTE))
        for at, value in enumerate(values):
            delay = draw(st.sampled_from([0] * 8 + [2, 17, 17, 30, None]))
            if delay is not None:
                stream += [reading(at, value, channel=channel, delay_min=delay)] * draw(st.sampled_from([1] * 9 + [2]))
    # An hour of silence, so that the node is told as silent, and the end of everything.
    stream += [reading(LAST_MINUTE + at, 5, channel=channel) for at in (70, 71) for channel in CHANNELS]
    return sorted(stream, key=lambda each: each.received_at_ms)


async def outcome(stream: Sequence[Reading], fuse: Fuse, judge_settings: JudgeSettings) -> Bench:
    """Return what came of a stream."""
    with tempfile.TemporaryDirectory() as folder:
        async with bench(Path(folder), fuse=fuse, settings=judge_settings) as made:
            await play(made, stream)
            made.results = await made.figures()
            return made


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(
    stream=streams(),
    kills=st.lists(st.integers(1, 60), min_size=1, max_size=30),
    per_turn=st.integers(1, 20),
    snapshot_readings=st.integers(1, 50),
)
def test_a_kill_changes_no_episode_and_tells_nothing_twice(
    stream: list[Reading], kills: list[int], per_turn: int, snapshot_readings: int
) -> None:
    """Killed before or after any read, save or commit, again and again, the judge ends where it would have ended."""
    chosen = JudgeSettings(
        readings_per_turn=per_turn, snapshot_readings=snapshot_readings, snapshot_seconds=60, amendments_per_turn=1
    )
    undisturbed = asyncio.run(outcome(stream, Fuse(), JudgeSettings()))
    killed = asyncio.run(outcome(stream, Fuse(kills), chosen))
    assert killed.lives > 1
    assert killed.results == undisturbed.results
    keys = [message.key for message in killed.recorder.sent]
    assert len(keys) == len(set(keys))
    for kinds in killed.told().values():
        # Alarm and all-clear by turns, so nobody hears the same twice, and the last word is that all is well.
        assert kinds == OWED * (len(kinds) // 2)


@pytest.mark.parametrize("steps", range(1, 30))
async def test_a_kill_at_each_step_around_an_alarm(tmp_path: Path, steps: int) -> None:
    """One excursion, one alarm, one all-clear, whichever step is the last of the first life."""
    stream = [reading(at, value) for at, value in enumerate([5, 9, 9, 9, 9, 9, 5])]
    async with bench(tmp_path, fuse=Fuse([steps + 10])) as made:
        await play(made, stream)
        assert await made.figures() == [("warm", CHANNELS[0], 1, 4, 6, 9.0)]
        assert made.told() == {1: OWED}


async def test_a_timer_survives_where_nothing_else_is_saved(tmp_path: Path) -> None:
    """What was judged since the last save is judged again from the log."""
    rare = JudgeSettings(snapshot_seconds=86_400, snapshot_readings=1_000_000)
    async with bench(tmp_path, settings=rare) as made:
        for at, value in enumerate([5, 9, 9, 9]):
            await play(made, [reading(at, value)])
            await made.live()
        assert made.judge.position == 0
        await play(made, [reading(4, 9)])
        assert [figures[:4] for figures in await made.figures()] == [("warm", CHANNELS[0], 1, 4)]


async def test_a_database_that_is_away_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A save that fails is reported, and begun again from what is saved; the outcome is the same."""
    monkeypatch.setattr(judge_module, "RETRY_SECONDS", 0.0)
    async with bench(tmp_path) as made:
        fails = iter([True, True, True])
        seen: list[str] = []
        over = asyncio.Event()
        made.alerts.on_change(lambda change: over.set() if change.alert.ended_at else None)

        class Away:
            async def record(self, *args: object, **kwargs: object) -> object:
                if next(fails, False):
                    seen.append(made.judge.stats.failing)
                    raise OSError("no route to host")
                return await made.alerts.record(*args, **kwargs)  # type: ignore[arg-type]  # passed on as they came

            def __getattr__(self, name: str) -> object:
                return getattr(made.alerts, name)

        made.judge.alerts = Away()  # type: ignore[assignment]  # a store whose database comes and goes
        await made.journal.commit([reading(at, value) for at, value in enumerate([5, 9, 9, 9, 9, 9, 5])])
        running = asyncio.create_task(made.judge.run())
        async with asyncio.timeout(20):
            await over.wait()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert [figures[:5] for figures in await made.figures()] == [("warm", CHANNELS[0], 1, 4, 6)]
        assert seen == ["", "OSError: no route to host", "OSError: no route to host"]


async def test_new_rules_wait_for_the_turn_to_end(tmp_path: Path) -> None:
    """Rules that change while a turn is saved lose nothing of it; episodes of a rule that is gone end after it."""
    async with bench(tmp_path) as made:
        await play(made, [reading(at, value) for at, value in enumerate([5, 9, 9, 9])])
        record = made.alerts.record
        fewer = [rule for rule in RULES if rule.id != "warm"]

        class Meddling:
            async def record(self, *args: object, **kwargs: object) -> object:
                made.judge.replace_rules(fewer)
                await asyncio.sleep(0)
                return await record(*args, **kwargs)  # type: ignore[arg-type]  # passed on as they came

            def __getattr__(self, name: str) -> object:
                return getattr(made.alerts, name)

        made.judge.alerts = Meddling()  # type: ignore[assignment]  # a registry that changes in the wrong moment
        made.clock.move(timedelta(minutes=1))
        await made.journal.commit([reading(4, 9)])
        assert await made.judge.turn()
        (episode,) = await made.alerts.episodes()
        assert (minute(episode.confirmed_at), episode.ended_at) == (4, None)
        await made.judge_all()
        (episode,) = await made.alerts.episodes()
        assert episode.ended_at is not None
        assert made.told() == {1: OWED}


@pytest.mark.parametrize("seed", range(6))
async def test_a_stop_in_the_middle_leaves_nothing_locked(tmp_path: Path, seed: int) -> None:
    """Stopped at any instant, the judge lets its transaction end, so that others can write at once."""
    random = Random(seed)
    every = JudgeSettings(readings_per_turn=3, snapshot_readings=1)
    async with bench(tmp_path, settings=every) as made:
        values = [5, *[9] * 6, 5, *[12] * 5, *[5] * 3, *[-1] * 8, 5]
        await made.journal.commit([reading(at, value) for at, value in enumerate(values)])
        async with asyncio.timeout(20):  # less than SQLite waits for a lock
            while made.judge.position < made.journal.position:
                running = asyncio.create_task(made.judge.run())
                for _ in range(random.randint(0, 40)):
                    await asyncio.sleep(0)
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)
                await made.live()
            await made.judge_all()
        assert [figures[0] for figures in await made.figures()] == ["cold", "warm", "warm"]
        assert made.told() == {1: OWED, 2: OWED, 3: OWED}

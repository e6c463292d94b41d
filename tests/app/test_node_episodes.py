"""Episodes that a node told, joined with those found in its readings: whatever comes first, one alert and one alarm."""

from __future__ import annotations

import asyncio
import itertools
import random
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from alerts.notification import NotificationKind
from app.node_events import NodeEvents
from collector.lanes import Message
from collector.node_events import NodeEvent
from domain.episode import Episode
from domain.episode_event import EpisodeEvent
from domain.instant import MINUTE_MS, to_datetime
from domain.reading import Reading
from domain.rejection import PayloadError, Reason
from rules.conditions.base import ValueCondition
from rules.engine import Engine
from tests.app.judging import CHANNELS, DIRECTORY, RULES, START_MS, Bench, Fuse, bench, minute, reading

FRIDGE = CHANNELS[0]
ALARM, CLEAR = NotificationKind.ALARM, NotificationKind.ALL_CLEAR
LEVELS = [rule for rule in RULES if isinstance(rule.condition, ValueCondition)]


def told_by_node(readings: Sequence[Reading]) -> list[EpisodeEvent]:
    """Return the events of a node that judges its own readings, each at once, by the same rules."""
    engine = Engine(LEVELS, DIRECTORY)
    events: list[EpisodeEvent] = []
    for each in sorted(readings, key=lambda one: one.measured_at_ms):
        at_once = each._replace(received_at_ms=each.measured_at_ms)
        for change in engine.step(at_once):
            episode = replace(change.episode, facility="")
            events.append(EpisodeEvent("node", len(events), episode, to_datetime(each.measured_at_ms)))
    return events


@asynccontextmanager
async def listening(folder: Path, fuse: Fuse | None = None) -> AsyncIterator[Bench]:
    """Open a judge that listens to nodes."""
    async with bench(folder, fuse=fuse) as made:
        made.node_events = NodeEvents(
            made.database, lambda: {rule.id: rule for rule in made.rules}, lambda: made.directory
        )
        await made.node_events.create_tables()
        made.rules = LEVELS
        await made.live()
        yield made


async def hear(made: Bench, event: EpisodeEvent, node: str = "pi-1") -> None:
    """Let an event arrive now, and judge."""
    assert made.node_events is not None
    payload = event.encode()
    message = Message(f"vitals/v1/{node}/up/event", payload, len(payload), made.clock.now_ms(), False)
    await made.node_events.take(NodeEvent(node, event, message))
    await made.judge_all()


async def arrive(made: Bench, readings: Sequence[Reading]) -> None:
    """Let readings arrive now, and judge."""
    now_ms = made.clock.now_ms()
    await made.journal.commit([each._replace(received_at_ms=now_ms) for each in readings])
    await made.judge_all()


def series(*values: float, first: float = 0) -> list[Reading]:
    """Return a reading a minute."""
    return [reading(first + index, value) for index, value in enumerate(values)]


def found(readings: Sequence[Reading]) -> list[tuple[object, ...]]:
    """Return what any judge that has all readings knows in the end."""
    episodes: dict[str, Episode] = {}
    for event in told_by_node(readings):
        episodes[event.episode.id] = event.episode
    return sorted(
        (
            (each.rule, each.subject, *map(minute, (each.started_at, each.confirmed_at, each.ended_at)), each.extreme)
            for each in episodes.values()
        ),
        key=repr,
    )


GOES_ON = series(*[5] * 10, *[9] * 60)
"""An hour above the limit, without a link from the beginning."""
OVER = series(*[5] * 10, *[9, 9.5] * 15, *[5] * 30)
ORDERS = ["event first", "readings first", "newest first", "in the middle", "event only"]


async def reconnect(made: Bench, order: str, readings: Sequence[Reading], events: Sequence[EpisodeEvent]) -> None:
    """Let everything that an outage held back arrive in this order, as an outbox sends it."""
    made.clock.move_to(START_MS + 70 * MINUTE_MS)
    live, backlog = readings[-20:], readings[:-20]
    parts = [live, *(backlog[first : first + 7] for first in range(0, len(backlog), 7))]
    if order in ("event first", "event only"):
        for event in events:
            await hear(made, event)
    if order == "newest first":
        await arrive(made, parts.pop(0))
    for index, part in enumerate(parts if order != "event only" else []):
        if order == "in the middle" and index == len(parts) // 2:
            for event in events:
                await hear(made, event)
        await arrive(made, part)
    if order in ("readings first", "newest first"):
        for event in events:
            await hear(made, event)


@pytest.mark.parametrize("order", ORDERS)
async def test_an_episode_that_goes_on_is_told_once(order: str, tmp_path: Path) -> None:
    """One alert and one alarm, with the node's id where the node was first."""
    event = told_by_node(GOES_ON)[-1]._replace(seen_at=to_datetime(START_MS + 69 * MINUTE_MS))
    async with listening(tmp_path) as made:
        await reconnect(made, order, GOES_ON, [event])
        assert await made.figures() == found(GOES_ON)
        (alert,) = await made.alerts.alerts()
        assert made.told() == {alert.id: [ALARM]}
        if order.startswith("event"):
            assert alert.episode == event.episode.id


@pytest.mark.parametrize("order", ORDERS)
async def test_an_episode_that_is_over_wakes_nobody(order: str, tmp_path: Path) -> None:
    """The outbox holds one event, the last; what it tells is history."""
    async with listening(tmp_path) as made:
        await reconnect(made, order, OVER, told_by_node(OVER)[-1:])
        assert await made.figures() == found(OVER)
        (alert,) = await made.alerts.alerts(open_only=False)
        assert (alert.past, made.told()) == (True, {})


async def test_the_nodes_end_ends_what_only_it_told(tmp_path: Path) -> None:
    """Readings that are lost keep no alert open."""
    opened, *_, ended = told_by_node(OVER)
    async with listening(tmp_path) as made:
        made.clock.move_to(START_MS + 14 * MINUTE_MS)
        await hear(made, opened)
        made.clock.move_to(START_MS + 41 * MINUTE_MS)
        await hear(made, ended)
        assert made.told() == {1: [ALARM, CLEAR]}
        assert await made.figures() == found(OVER)


async def test_a_reading_ends_what_only_the_node_told(tmp_path: Path) -> None:
    """A node that comes back without its memory says no more; the fridge is cold all the same."""
    opened = told_by_node(OVER)[0]
    async with listening(tmp_path) as made:
        made.clock.move_to(START_MS + 14 * MINUTE_MS)
        await hear(made, opened)
        made.clock.move_to(START_MS + 50 * MINUTE_MS)
        await arrive(made, [reading(48, 9.0), reading(49, 7.9)])
        assert made.told() == {1: [ALARM, CLEAR]}
        assert [row[4] for row in await made.figures()] == [49.0]


async def test_an_old_word_wakes_nobody_until_it_is_renewed(tmp_path: Path) -> None:
    """A node that was without power for a day knows only that it was warm then."""
    event = told_by_node(GOES_ON)[0]
    async with listening(tmp_path) as made:
        made.clock.move_to(START_MS + 1440 * MINUTE_MS)
        await hear(made, event)
        assert made.told() == {}
        await hear(made, event._replace(seq=9, seen_at=to_datetime(START_MS + 1439 * MINUTE_MS)))
        assert made.told() == {1: [ALARM]}


async def test_what_is_known_to_be_over_is_not_told_as_going_on(tmp_path: Path) -> None:
    """The newest readings came before the event and show that it is over."""
    event = told_by_node(OVER)[-2]
    async with listening(tmp_path) as made:
        made.clock.move_to(START_MS + 45 * MINUTE_MS)
        await arrive(made, OVER[40:45])
        await hear(made, event)
        assert made.told() == {}
        assert [row[4] for row in await made.figures()] == [40.0]


async def test_where_the_readings_are_here_the_judgement_here_counts(tmp_path: Path) -> None:
    """A node that ends its episodes by another limit does not silence an alert that these rules keep open."""
    readings = series(5, -1, -1, -1, -1, -1, -1, 1, 1)
    opened = next(event for event in told_by_node(readings) if event.episode.rule == "cold")
    ended = opened._replace(
        seq=5,
        episode=replace(opened.episode, ended_at=to_datetime(readings[7].measured_at_ms)),
        seen_at=to_datetime(readings[7].measured_at_ms),
    )
    async with listening(tmp_path) as made:
        made.clock.move_to(readings[-1].measured_at_ms)
        await arrive(made, readings)
        for event in (opened, ended):
            await hear(made, event)
        assert made.told() == {1: [ALARM]}
        assert [row[4] for row in await made.figures() if row[0] == "cold"] == [None]


async def test_what_no_rule_here_judges_is_refused(tmp_path: Path) -> None:
    """The reason says what to do about it."""
    event = told_by_node(GOES_ON)[0]
    async with listening(tmp_path) as made:
        made.rules = RULES
        for rule in ("unheard-of", "silent"):
            episode = replace(event.episode, rule=rule, id=event.episode.id.replace("warm/", f"{rule}/"))
            with pytest.raises(PayloadError) as refused:
                await hear(made, event._replace(episode=episode))
            assert refused.value.reason is Reason.UNKNOWN_RULE


class Step(NamedTuple):
    """Something that happens at the centre: a stretch of readings, an event, or a restart."""

    readings: Sequence[Reading] = ()
    event: EpisodeEvent | None = None
    killed: bool = False


@st.composite
def outages(draw: st.DrawFn) -> tuple[list[Reading], list[Step]]:
    """Return a node's readings, and how they and its events reach the centre after an outage."""
    values = draw(
        st.lists(st.tuples(st.sampled_from([5.0, 9.0, 9.5, -1.0]), st.integers(1, 12)), min_size=1, max_size=6)
    )
    readings = series(*[value for value, times in values for _ in range(times)])
    events = told_by_node(readings)
    cuts = sorted(draw(st.sets(st.integers(1, max(1, len(readings) - 1)), max_size=4)))
    bounds = [0, *cuts, len(readings)]
    steps = [Step(readings=readings[first:last]) for first, last in itertools.pairwise(bounds)]
    steps += [Step(event=event) for event in events for _ in range(draw(st.integers(1, 2)))]
    steps += [Step(killed=True)] * draw(st.integers(0, 2))
    return readings, draw(st.permutations(steps))


@settings(
    max_examples=80,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],  # an example takes a tenth of a second: shrinking would take minutes
    suppress_health_check=[HealthCheck.too_slow],
)
@given(outages())
def test_any_order_leads_to_the_same_episodes_and_one_alarm_each(case: tuple[list[Reading], list[Step]]) -> None:
    """Stretches of readings, events once or twice, and restarts, in any order."""
    asyncio.run(run_outage(*case))


async def run_outage(readings: list[Reading], steps: Sequence[Step]) -> None:
    """Let everything arrive at the end of the outage and look at what came of it."""
    with tempfile.TemporaryDirectory() as folder:
        async with listening(Path(folder)) as made:
            made.clock.move_to(readings[-1].measured_at_ms)
            for step in steps:
                if step.killed:
                    await made.live()
                elif step.event is not None:
                    await hear(made, step.event)
                else:
                    await arrive(made, step.readings)
            assert await made.figures() == found(readings)
            shown = {alert.id for alert in await made.alerts.alerts(open_only=False)}
            assert len(shown) == len(found(readings))
            for reference, kinds in made.told().items():
                # An alert that readings which came later took back was told to be over.
                assert kinds == [ALARM, CLEAR] or (kinds == [ALARM] and reference in shown)
            for alert in await made.alerts.alerts():
                if alert.ended_at is None:
                    assert made.told()[alert.id] == [ALARM]


@pytest.mark.parametrize("seed", range(6))
async def test_killed_at_any_step_nothing_is_lost_and_nothing_told_twice(seed: int, tmp_path: Path) -> None:
    """A judge that dies between any two of its reads and writes takes up where it was."""
    chance = random.Random(seed)
    fuse = Fuse([chance.randint(3, 40) for _ in range(12)])
    event = told_by_node(GOES_ON)[-1]._replace(seen_at=to_datetime(START_MS + 69 * MINUTE_MS))
    async with listening(tmp_path, fuse) as made:
        await reconnect(made, chance.choice(ORDERS), GOES_ON, [event])
        assert await made.figures() == found(GOES_ON)
        assert made.told() == {1: [ALARM]}


def test_the_node_of_these_tests_tells_beginnings_and_ends() -> None:
    """The series do what their names say."""
    assert [event.episode.ended_at for event in told_by_node(GOES_ON)][-1] is None
    assert told_by_node(OVER)[-1].episode.ended_at == to_datetime(START_MS) + timedelta(minutes=40)

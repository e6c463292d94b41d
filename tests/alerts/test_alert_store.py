"""The store on a real SQLite file, and laws that hold for any order of changes."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.lifecycle import ONGOING
from alerts.notification import Notification, NotificationKind
from domain.alert import AlertState
from domain.episode import EpisodeChange
from tests.alerts.given import (
    MINUTE,
    Judge,
    a_judge,
    amended,
    an_episode,
    ended,
    opened,
    retracted,
    sqlite_database,
    worsened,
)
from tests.alerts.store_contract import StoreContract


class TestOnSqlite(StoreContract):
    """The contract on a SQLite file."""


def changes_of(number: int) -> list[EpisodeChange]:
    """Return everything that can be said of an episode."""
    episode = an_episode(number)
    said = []
    for live in (True, False):
        said += [
            opened(episode, live=live),
            worsened(episode, 10.0, live=live),
            worsened(episode, 13.0, live=live),
            ended(replace(episode, extreme=13.0), live=live),
            amended(replace(episode, extreme=12.0), live=live),
            amended(replace(ended(episode).episode, extreme=20.0), live=live),
            retracted(episode, live=live),
        ]
    return said


ACKNOWLEDGE = "acknowledge"
STEPS = st.lists(
    st.one_of(st.lists(st.sampled_from(changes_of(0) + changes_of(1)), min_size=1, max_size=3), st.just(ACKNOWLEDGE)),
    max_size=12,
)


async def live_through(judge: Judge, steps: list[list[EpisodeChange] | str]) -> None:
    """Apply the steps; after each of them what people know fits what is stored."""
    for step in steps:
        judge.now += MINUTE
        if isinstance(step, list):
            await judge.record(*step)
        else:
            for alert in await judge.store.alerts():
                await judge.store.acknowledge(alert.id, by="amina", now=judge.now, origin="page")
        await check(judge)


async def check(judge: Judge) -> None:
    """Assert the laws of the store."""
    alerts = await judge.store.alerts(open_only=False)
    assert max(Counter(alert.episode for alert in alerts).values(), default=1) == 1
    episodes = {episode.id: episode for episode in await judge.store.episodes()}
    assert {alert.episode for alert in alerts} == episodes.keys()
    for alert in alerts:
        assert (alert.state in ONGOING) == (episodes[alert.episode].ended_at is None)
        assert bool(alert.acknowledged_by) or alert.state is not AlertState.ACKNOWLEDGED
    for alert_id in range(1, 3):
        alert_or_none = await judge.store.alert(alert_id)
        if alert_or_none is not None:
            check_words(await judge.store.notifications(alert_id), ongoing=alert_or_none.state in ONGOING)


def check_words(notifications: list[Notification], *, ongoing: bool) -> None:
    """Assert that each all-clear follows an alarm, and that nobody waits for one when all is over."""
    assert len({item.key for item in notifications}) == len(notifications)
    waiting: dict[tuple[str, str], bool] = {}
    for item in notifications:
        recipient = (item.contact, item.channel)
        if item.kind is NotificationKind.ALL_CLEAR:
            assert waiting.get(recipient)
            waiting[recipient] = False
        else:
            waiting[recipient] = True
    assert ongoing or not any(waiting.values())


@settings(max_examples=40, deadline=None)
@given(STEPS)
async def test_any_interleaving_keeps_the_laws(steps: list[list[EpisodeChange] | str]) -> None:
    """One alert per episode, states that fit the episodes, and the all-clear to exactly those who were alarmed."""
    with tempfile.TemporaryDirectory() as folder:
        async with sqlite_database(f"{folder}/vitals.db") as database:
            await live_through(await a_judge(database), steps)

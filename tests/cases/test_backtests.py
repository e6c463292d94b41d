"""Yesterday judged again: a backtest of what a story stored finds what the service found while it happened."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.backtest import Period, backtest
from app.stories.outcome import expected_episode
from app.stories.play import play
from domain.episode import Episode
from domain.instant import to_datetime
from tests.cases.folders import CASES

STORIES = (
    "a-backlog-does-not-turn-the-power-off",
    "a-gap-is-not-time-above",
    "duplicates-and-reordered-arrivals",
    "late-data-take-an-alarm-back",
    "mains-lost-and-back",
    "silent-node-comes-back-with-its-backlog",
    "tank-low-then-nearly-empty",
    "the-newest-comes-before-the-backlog",
    "two-fridges-two-facilities",
    "who-freeze-includes-minus-0.5",
)


@pytest.mark.parametrize("name", STORIES)
async def test_a_backtest_finds_what_the_service_found(name: str, tmp_path: Path) -> None:
    """The same episodes, and the same alarms to the same people."""
    played = await play(CASES / name, tmp_path)
    period = Period(to_datetime(played.start_ms), to_datetime(played.end_ms))
    _, (found,) = await backtest(
        played.config,
        [played.rules],
        period,
        wanted=lambda _: True,
        now=period.end,
        progress=lambda *_: None,
    )
    assert {_key(each, played.start_ms) for each in found.episodes} == {str(each) for each in played.came.episodes}
    alarms = [message.to for message in played.came.messages if message.says == "ALARM"]
    assert {contact: count for (contact, kind), count in found.messages.items() if kind == "alarm"} == {
        contact: alarms.count(contact) for contact in alarms
    }


def _key(episode: Episode, start_ms: int) -> str:
    return str(expected_episode(episode, start_ms))

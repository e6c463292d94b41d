"""Which changes are judged and written together."""

from __future__ import annotations

from dataclasses import replace

from alerts.reconcile import apart
from domain.episode import EpisodeChange
from tests.alerts.given import an_episode, ended, opened


def at(facility: str, number: int = 0) -> EpisodeChange:
    """Return an opening at a facility."""
    episode = an_episode(number)
    return opened(replace(episode, id=f"{facility}/{number}", facility=facility))


def test_changes_at_different_facilities_go_together() -> None:
    """A second one at a facility waits until the first is written, and nothing overtakes it."""
    first, second, again, last = at("a"), at("b"), at("a", 1), at("b", 1)
    assert list(apart([first, second, again, last])) == [[first, second], [again, last]]


def test_two_changes_of_one_episode_are_apart() -> None:
    """Also where the second names another facility: what opened is written before it ends."""
    begun = at("a")
    over = ended(replace(begun.episode, facility="b"))
    assert list(apart([begun, over])) == [[begun], [over]]


def test_nothing_gives_nothing() -> None:
    """A batch without changes has no portions."""
    assert list(apart([])) == []

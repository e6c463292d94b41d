"""Restart and hot reload: what is remembered survives an edit, and what is gone is closed."""

from __future__ import annotations

import pytest

from domain.directory import Directory
from domain.episode import ChangeKind
from rules.engine import Engine
from rules.memory import SnapshotError
from tests.rules.judging import World, directory_of, figures, one_rule, readings

LASTING = one_rule('{above: {limit: 8 °C, comparison: ">", for: 10min}}')


def test_an_edited_rule_keeps_its_running_timer() -> None:
    """A longer duration or another limit does not forget what has already lasted."""
    world = World(LASTING)
    world.arrive(*readings([9.0] * 9))
    assert (
        world.engine.replace_rules(one_rule('{above: {limit: 8.5 °C, comparison: ">", for: 12min}}'), world.directory)
        == []
    )
    world.arrive(*readings([9.0] * 5, first=9))
    assert world.outcome() == [("warm", "probe", 0, 12, None, 9.0, 0)]


def test_an_open_episode_ends_by_the_edited_rule() -> None:
    """A raised limit ends it with the next reading that is fine by it."""
    world = World(LASTING)
    world.arrive(*readings([9.0] * 12))
    world.engine.replace_rules(one_rule('{above: {limit: 10 °C, comparison: ">", for: 10min}}'), world.directory)
    (ended,) = world.arrive(*readings([9.0], first=12))
    assert figures(ended.episode)[2:5] == (0, 10, 12)


@pytest.mark.parametrize(
    "edited",
    [
        one_rule('{above: {limit: 8 °C, comparison: ">", for: 10min}}', rule="other"),
        one_rule('{outside: {low: {limit: 2, comparison: "<"}, high: {limit: 8, comparison: ">"}, for: 10min}}'),
    ],
)
def test_the_episode_of_a_rule_that_is_gone_is_closed(edited: list) -> None:  # type: ignore[type-arg]  # of rules
    """Removed, renamed or of another kind: the open episode ends at the last reading, at reload and at restart."""
    for reload in (False, True):
        world = World(LASTING)
        world.arrive(*readings([9.0] * 12))
        changes = world.engine.replace_rules(edited, world.directory) if reload else world.restart(edited)
        assert [(change.kind, *figures(change.episode)[:5]) for change in changes] == [
            (ChangeKind.ENDED, "warm", "probe", 0, 10, 11)
        ]
        world.save()
        assert world.restart(edited) == []


def test_the_episode_of_a_channel_that_is_gone_is_closed_and_forgotten() -> None:
    """What the registry no longer knows leaves no entry behind."""
    world = World(LASTING)
    world.arrive(*readings([9.0] * 12))
    world.directory = Directory()
    (ended,) = world.restart()
    assert figures(ended.episode)[4] == 11
    world.save()
    assert [key for key in world.snapshot if key != "engine"] == []


def test_a_reload_keeps_what_is_stale() -> None:
    """Late readings that came before the reload are judged after it."""
    world = World(LASTING)
    world.arrive(*readings([5.0], first=100))
    late = readings([9.0] * 12)
    for each in late:
        world.store(each)
        world.engine.step(each)
    world.engine.replace_rules(LASTING, world.directory)
    assert [change.kind for change in world.arrive()] == [ChangeKind.OPENED, ChangeKind.ENDED]


def test_a_restart_tells_nothing_twice() -> None:
    """What was told as live, or as worse, before the restart is not told again after it."""
    world = World(LASTING)
    world.arrive(*readings([9.0] * 11), *readings([9.7], first=11))
    world.restart()
    assert world.arrive(*readings([9.7, 9.6], first=12)) == []


def test_only_what_changed_is_handed_out() -> None:
    """A second call hands out nothing, and a reading of one channel one entry for it."""
    world = World(LASTING)
    world.engine.step(readings([5.0])[0])
    assert sorted(key for key, _ in world.engine.changed_state()) == ["channel:probe", "engine", "node:pi-1"]
    assert world.engine.changed_state() == []


@pytest.mark.parametrize("blob", [b"", b"\xff", b"null", b"[2, 3]", b"{}"])
def test_a_foreign_snapshot_is_refused(blob: bytes) -> None:
    """Another version or another program's bytes never become timers."""
    with pytest.raises(SnapshotError, match="channel:probe"):
        Engine(LASTING, directory_of()).restore([("channel:probe", blob)])

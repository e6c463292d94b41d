"""Silence: who should have been heard by now, on the service's clock."""

from __future__ import annotations

from domain.episode import ChangeKind, SubjectKind
from domain.instant import MINUTE_MS
from domain.reading import Quality
from rules.engine import Tick
from tests.rules.judging import START_MS, World, channel, directory_of, figures, reading, rules_of

NODE = rules_of(
    """
    rules:
      - id: node-silent
        title: Silent
        severity: warning
        applies_to: {node: any}
        when: {silent_for: 30min}
    """
)
SENSOR = rules_of(
    """
    rules:
      - id: sensor-silent
        title: Silent
        severity: warning
        applies_to: {quantity: any}
        when: {silent_for: 30min}
    """
)
TWO_CHANNELS = directory_of(channel("probe"), channel("other"))


def tick(minute: float) -> Tick:
    """Return a tick so many minutes after the start."""
    return Tick(START_MS + round(minute * MINUTE_MS))


def test_a_node_is_silent_after_exactly_as_long_as_the_rule_says() -> None:
    """The episode starts with the last contact and ends with the next one."""
    world = World(NODE)
    world.arrive(tick(0), reading(1, 5.0))
    assert world.arrive(tick(30.99)) == []
    (opened,) = world.arrive(tick(31))
    assert (opened.kind, opened.live) == (ChangeKind.OPENED, True)
    assert opened.episode.subject_kind is SubjectKind.NODE
    assert figures(opened.episode)[1:5] == ("pi-1", 1, 31, None)
    assert world.arrive(tick(500)) == []
    (ended,) = world.arrive(reading(501, 5.0))
    assert figures(ended.episode)[1:5] == ("pi-1", 1, 31, 501)
    assert [change.kind for change in world.arrive(tick(531))] == [ChangeKind.OPENED]


def test_a_node_that_never_reported_counts_from_the_first_tick() -> None:
    """The registry says that it should have."""
    world = World(NODE, directory_of(nodes=("pi-1", "pi-2")))
    assert world.arrive(tick(0), tick(29)) == []
    assert [change.episode.subject for change in world.arrive(tick(30))] == ["pi-1", "pi-2"]


def test_bad_and_late_readings_are_contact_for_the_node() -> None:
    """A node that sends errors or its backlog is alive."""
    world = World(NODE)
    world.arrive(tick(0), reading(20, None, quality=Quality.SENSOR_GONE), reading(0, 5.0, delay_min=45))
    assert world.arrive(tick(74)) == []
    assert len(world.arrive(tick(75))) == 1


def test_a_channel_is_heard_by_usable_readings_only() -> None:
    """A sensor that answers with errors guards nothing."""
    world = World(SENSOR, TWO_CHANNELS)
    opened = []
    world.arrive(tick(0), reading(0, 5.0), reading(0, 5.0, name="other"))
    for at in range(1, 61):
        bad = reading(at, None, quality=Quality.SENSOR_GONE)
        opened += world.arrive(bad, reading(at, 5.0, name="other"), tick(at))
    assert [figures(change.episode)[1:4] for change in opened] == [("probe", 0, 30)]


def test_the_silence_of_a_node_is_not_that_of_its_channels() -> None:
    """One outage is one episode, and the return of the node gives every channel its time again."""
    world = World([*NODE, *SENSOR], TWO_CHANNELS)
    world.arrive(tick(0), reading(0, 5.0), reading(0, 5.0, name="other"))
    opened = [change for at in range(1, 200) for change in world.arrive(tick(at))]
    assert [change.episode.rule for change in opened] == ["node-silent"]
    back = [world.arrive(reading(at, 5.0), tick(at)) for at in range(200, 232)]
    assert [change.episode.rule for change in back[0]] == ["node-silent"]
    assert [(change.episode.subject, at) for at, changes in enumerate(back[1:], 1) for change in changes] == [
        ("other", 30)
    ]


def test_after_the_service_was_away_silence_counts_from_its_return() -> None:
    """Nobody was listening: a night without the service is not a night of silence of every node."""
    world = World(NODE)
    world.arrive(tick(0), reading(1, 5.0))
    world.restart()
    assert world.arrive(tick(600), tick(629)) == []
    (opened,) = world.arrive(tick(630))
    assert figures(opened.episode)[2:4] == (1, 630)


def test_a_short_restart_forgets_no_timer() -> None:
    """Two minutes of absence neither delay nor repeat an episode of silence."""
    world = World(NODE)
    world.arrive(tick(0), reading(1, 5.0), tick(28))
    world.restart()
    assert [figures(change.episode)[2:4] for change in world.arrive(tick(30), tick(31))] == [(1, 31)]
    world.restart()
    assert world.arrive(tick(32)) == []
    assert [change.kind for change in world.arrive(reading(33, 5.0))] == [ChangeKind.ENDED]

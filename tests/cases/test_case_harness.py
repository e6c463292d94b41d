"""The machinery of the cases: its notation, what arrives when, and how a difference reads."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from app.documents import read_document
from app.stories.outcome import difference, written
from app.stories.schedule import Arrival, Stop, schedule
from app.stories.story import EXPECTED, STORY, Expected, read_expected, read_story
from domain.errors import DocumentError
from domain.instant import MINUTE_MS, parse_rfc3339, to_ms
from domain.reading import Quality
from domain.senml import decode
from domain.topics import UpLane
from registry.checks import directory_of
from rules.notation import Point, parse_series
from tests.cases.folders import CASES

START_MS = to_ms(parse_rfc3339("2026-03-02T06:00:00Z"))
CLINIC = directory_of(read_document(CASES / "clinic.yaml"))
FRIDGE = "clinic/fridge-1/temperature"


def good(*values: float) -> list[Point | None]:
    """Return good values."""
    return [Point(value, Quality.GOOD) for value in values]


@pytest.mark.parametrize(
    ("text", "points"),
    [
        ("5x3", good(5, 5, 5)),
        ("-0.5", good(-0.5)),
        ("5+0.1x3", good(5, 5.1, 5.2)),
        ("1-0.5x4", good(1, 0.5, 0, -0.5)),
        ("_x2 1", [None, None, *good(1)]),
        ("7.2?", [Point(7.2, Quality.UNCERTAIN)]),
        ("sensor_gonex2", [Point(None, Quality.SENSOR_GONE)] * 2),
    ],
)
def test_a_series_is_written_short(text: str, points: list[Point | None]) -> None:
    """Each word stands for one or more intervals."""
    assert parse_series(text) == points


@pytest.mark.parametrize("text", ["5x", "x5", "good", "cold", "5+0.5", "5..6", "_?"])
def test_a_wrong_word_is_named(text: str) -> None:
    """The message shows the word and what is allowed."""
    with pytest.raises(ValueError, match=r"allowed: VALUE"):
        parse_series(f"5 {text} 5")


def arrivals(tmp_path: Path, *steps: str) -> list[tuple[float, UpLane, list[tuple[float, float | None]]]]:
    """Return what arrives: minute, lane, and the samples with the minute they are stamped with."""
    story = f"sentence: s\nstart: 2026-03-02T06:00:00Z\nsteps: [{', '.join(steps)}]\n"
    (tmp_path / STORY).write_text(story, "utf-8")
    _, read = read_story(tmp_path)
    found = []
    for event in schedule(START_MS, read, CLINIC).events:
        if isinstance(event, Arrival):
            batch = decode(event.payload, node=event.node, now_ms=event.at_ms).batch
            samples = [(_minute(each.measured_at_ms), each.value) for each in batch.samples]
            found.append((_minute(event.at_ms), event.lane, samples))
    return found


def _minute(moment_ms: int) -> float:
    return (moment_ms - START_MS) / MINUTE_MS


def test_steps_follow_each_other(tmp_path: Path) -> None:
    """A step without a time begins where the one before it ended; a wrong clock stamps other times."""
    first, second = f"{{of: {FRIDGE}, readings: 5 _}}", f"{{of: {FRIDGE}, readings: 6, clock: -3min, delay: 1min}}"
    assert arrivals(tmp_path, first, second) == [(0, UpLane.LIVE, [(0, 5)]), (21, UpLane.LIVE, [(17, 6)])]


def test_a_backlog_comes_together(tmp_path: Path) -> None:
    """Batched, in the wanted order, as often as wanted."""
    step = f"{{of: {FRIDGE}, readings: 1 2 3, arrives: 1h, batch: 2, order: reversed, times: 2}}"
    early, late = (60, UpLane.BACKFILL, [(0, 1), (10, 2)]), (60, UpLane.BACKFILL, [(20, 3)])
    assert arrivals(tmp_path, step) == [late, late, early, early]


def test_a_silent_node_sends_the_newest_first(tmp_path: Path) -> None:
    """What was measured without a network arrives behind what is new."""
    silent = f"{{of: {FRIDGE}, at: 0s, readings: 1 2 3}}", "{silent: clinic-1, at: 0s, lasts: 20min}"
    assert [(at, lane, samples[0][1]) for at, lane, samples in arrivals(tmp_path, *silent)] == [
        (20, UpLane.LIVE, 3),
        (20, UpLane.BACKFILL, 1),
        (20, UpLane.BACKFILL, 2),
    ]


def test_messages_wait_for_a_restart(tmp_path: Path) -> None:
    """Nothing arrives while the service is away."""
    steps = f"{{of: {FRIDGE}, at: 0s, readings: 1 2}}", "{restart: 15min, at: 5min}"
    assert [at for at, _, _ in arrivals(tmp_path, *steps)] == [0, 20]
    _, read = read_story(tmp_path)
    assert [type(event) for event in schedule(START_MS, read, CLINIC).events] == [Arrival, Stop, Arrival]


def test_a_mistake_in_a_story_has_its_place(tmp_path: Path) -> None:
    """An unknown key is refused with line and column."""
    text = "sentence: s\nstart: 2026-03-02T06:00:00Z\nsteps:\n  - {wait: 1h}\n  - {wait: 1h, untill: 2h}\n"
    (tmp_path / STORY).write_text(text, "utf-8")
    with pytest.raises(DocumentError, match=rf"{STORY}:5:\d+: steps.1.untill"):
        read_story(tmp_path)


EXPECTED_TEXT = """\
episodes:
  - {rule: who-heat, of: a/b/c, start: 1h, confirmed: 11h, extreme: 8.1}
alerts:
  - {number: 1, rule: who-heat, of: a/b/c, state: unacknowledged, past: true}
messages:
  - {at: 11h, to: amina, says: ALARM, alert: 1, text: "8.1C, above"}
rejected: {not_senml: 2}
stored: 5"""


def test_an_outcome_reads_back(tmp_path: Path) -> None:
    """What a failure prints can be put into the file as it is."""
    (tmp_path / EXPECTED).write_text(EXPECTED_TEXT, "utf-8")
    said = read_expected(tmp_path)
    assert said is not None
    assert written(said) == EXPECTED_TEXT
    assert difference(said, said) == ""


def test_a_difference_shows_the_line(tmp_path: Path) -> None:
    """A message a minute late is one line out and one line in; what the case does not look at is not shown."""
    (tmp_path / EXPECTED).write_text(EXPECTED_TEXT.removesuffix("\nstored: 5"), "utf-8")
    said = read_expected(tmp_path)
    assert said is not None
    (message,) = said.messages
    came = message.model_copy(update={"at": message.at + timedelta(minutes=1), "text": "Fridge: 8.1C, above 8C"})
    found = difference(said, said.model_copy(update={"messages": (came,), "stored": 7}))
    assert [line for line in found.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")] == [
        '-  - {at: 11h, to: amina, says: ALARM, alert: 1, text: "8.1C, above"}',
        '+  - {at: 11h 1min, to: amina, says: ALARM, alert: 1, text: "Fridge: 8.1C, above 8C"}',
    ]


def test_a_part_of_the_wording_is_enough() -> None:
    """A case names the words that matter; another text is a difference."""
    base = {"at": "11h", "to": "amina", "says": "ALARM", "alert": 1}
    said = Expected.model_validate({"messages": [base | {"text": "8.1C"}]})
    assert difference(said, Expected.model_validate({"messages": [base | {"text": "Fridge: 8.1C, above 8C"}]})) == ""
    assert "9.1C" in difference(said, Expected.model_validate({"messages": [base | {"text": "Fridge: 9.1C"}]}))

"""What local alarms may not forget."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from domain.episode import Episode, Severity, SubjectKind, episode_id
from domain.episode_event import EpisodeEvent
from domain.errors import OperatorError
from domain.instant import to_datetime
from edge.alarms.records import Record, Telling
from edge.alarms.sms import Message, MessageKind
from edge.alarms.store import AlarmStore, Round
from edge.alarms.timeline import Stretch
from tests.edge.local_alarms import FRIDGE, START_MS

START = to_datetime(START_MS)
EPISODE = Episode(
    episode_id("warm", FRIDGE, START_MS),
    "warm",
    Severity.WARNING,
    SubjectKind.CHANNEL,
    FRIDGE,
    "pi-1",
    START,
    START + timedelta(minutes=3),
    extreme=9.0,
    extreme_at=START,
)
TELLING = Telling("key", EPISODE, START + timedelta(minutes=4))
MESSAGE = Message("key", "+256700000001", MessageKind.ALARM, "text", 5, 6)


def test_everything_is_there_again(tmp_path: Path) -> None:
    """After a restart nothing is missing, and the epoch is the same."""
    path = tmp_path / "alarms"
    store = AlarmStore.open(path)
    record = Record(EPISODE, "told", 7)
    stretches = (Stretch(1, "boot", 2, 3),)
    store.save(Round([("a", b"1"), ("b", b"2")], [("key", record)], [TELLING], stretches, 99))
    store.save(Round([("a", None)], [], [], stretches, 100))
    store.save_messages([MESSAGE])
    epoch = store.epoch
    store.close()
    again = AlarmStore.open(path)
    memory = again.load()
    assert (memory.engine, memory.records, memory.messages) == ([("b", b"2")], [record], [MESSAGE])
    assert (memory.stretches, memory.last_ms, again.epoch) == (stretches, 100, epoch)
    assert [EpisodeEvent.decode(event.payload).episode.id for event in again.events()] == [EPISODE.id]
    again.save_messages([], [MESSAGE])
    assert again.load().messages == []


def test_the_last_word_replaces_the_one_before_under_a_new_number(tmp_path: Path) -> None:
    """A receipt of the earlier word deletes nothing of the later."""
    store = AlarmStore.open(tmp_path / "alarms")
    store.save(Round(tellings=[TELLING]))
    (first,) = store.events()
    store.save(Round(tellings=[TELLING._replace(seen_at=START + timedelta(minutes=9))]))
    (second,) = store.events()
    assert second.seq > first.seq
    assert store.receipt(store.epoch, [(first.seq, first.seq)]) == 0
    assert store.receipt("another", [(0, 10**9)]) == 0
    assert store.receipt(store.epoch, [(second.seq, second.seq)]) == 1
    assert store.events() == []


def test_numbers_are_never_given_out_twice(tmp_path: Path) -> None:
    """Not even when the disk forgot what was written last."""
    numbers = []
    for _ in range(3):
        store = AlarmStore.open(tmp_path / "alarms")
        store.save(Round(tellings=[TELLING]))
        numbers += [event.seq for event in store.events()]
        store.close()
    assert len(set(numbers)) == 3
    assert numbers == sorted(numbers)


def test_a_damaged_file_is_set_aside(tmp_path: Path) -> None:
    """The alarms begin anew, and whoever looks into it later has the old file."""
    path = tmp_path / "alarms"
    path.write_bytes(b"this is no database" * 500)
    store = AlarmStore.open(path)
    assert store.load().records == []
    assert len(list(tmp_path.glob("alarms.damaged-*"))) == 1


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """The message names the file."""
    (tmp_path / "file").write_text("")
    with pytest.raises(OperatorError, match="file/alarms"):
        AlarmStore.open(tmp_path / "file" / "alarms")

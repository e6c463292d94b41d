"""Configurations from afar: on trial until the node is well, rolled back when it is not, never more than allowed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.edge import assembler
from domain.command import ConfigChange, Outcome, Refusal, Reply
from domain.document import Document
from domain.errors import DocumentError
from edge.commands.config_keeper import Assemble, ConfigKeeper
from edge.commands.memory import CommandMemory
from edge.commands.remote_config import MOST_STARTS, ConfigState, ProtectedError, laid_over
from tests.edge.clocks import START_MS, JumpingClock

OWN = """\
node: n1
broker: {url: "mqtt://127.0.0.1:1", username: n1, password: {env: PASSWORD}}
outbox: outbox.db
interval: 1min
drivers:
  - {driver: health}
"""
changes = st.builds(
    ConfigChange,
    st.sampled_from("abcdef"),
    st.integers(START_MS, START_MS + 5),
    st.sampled_from(["interval: 2min", "interval: 3min"]),
)


@pytest.fixture
def assemble(tmp_path: Path) -> Assemble:
    """Return what makes settings of ``OWN`` and a configuration from afar."""
    (tmp_path / "edge.yaml").write_text(OWN)
    return assembler(tmp_path / "edge.yaml", {"PASSWORD": "secret", "OTHER": "other"})


class Keeping:
    """A keeper that can be restarted, and the replies that it made."""

    def __init__(self, folder: Path, assemble: Assemble) -> None:
        self.assemble = assemble
        self.memory = CommandMemory(folder / "commands.json")
        self.keeper = ConfigKeeper(folder / "config.json", self.memory, JumpingClock())

    def take(self, name: str, document: str, *, after: int = 0) -> bool:
        """Give it a configuration issued so many milliseconds after the start."""
        return self.keeper.take(ConfigChange(name, START_MS + after, document), self.assemble)

    def interval_minutes(self) -> float:
        """Start an agent, and return what interval it would have."""
        return self.keeper.settings(self.assemble).interval.total_seconds() / 60

    def replies(self) -> list[tuple[str | None, Outcome, Refusal | None]]:
        """Take the replies that wait."""
        return [(reply.id, reply.outcome, reply.reason) for reply in self.full_replies()]

    def full_replies(self) -> list[Reply]:
        """Take the replies that wait, with their details."""
        taken = []
        while (text := self.memory.waiting()) is not None:
            taken.append(Reply.decode(text.encode()))
            self.memory.sent(text)
        return taken


def test_a_configuration_is_tried_and_kept(tmp_path: Path, assemble: Assemble) -> None:
    """It takes the place of the same keys in the node's own file, over restarts too, and is no longer on trial."""
    keeping = Keeping(tmp_path, assemble)
    assert keeping.take("a", "interval: 5min")
    assert keeping.interval_minutes() == 5
    keeping.keeper.keep()
    assert keeping.replies() == [("a", Outcome.TRYING, None), ("a", Outcome.KEPT, None)]
    for _ in range(2 * MOST_STARTS):
        again = Keeping(tmp_path, assemble)
        assert again.interval_minutes() == 5
    assert again.replies() == []


def test_one_that_fails_its_trial_gives_way_to_the_one_before(tmp_path: Path, assemble: Assemble) -> None:
    """Also where several came while none was kept: the last good one is meant, or the node's own file."""
    keeping = Keeping(tmp_path, assemble)
    keeping.take("good", "interval: 5min")
    keeping.keeper.keep()
    keeping.take("bad", "interval: 7min", after=1)
    keeping.take("worse", "interval: 9min", after=2)
    assert keeping.interval_minutes() == 9
    keeping.keeper.roll_back("nothing was measured")
    assert keeping.interval_minutes() == 5
    last = keeping.full_replies()[-1]
    assert (last.id, last.outcome) == ("worse", Outcome.ROLLED_BACK)
    assert last.detail == "nothing was measured; in use: configuration good"


def test_one_that_brings_the_agent_down_is_given_up(tmp_path: Path, assemble: Assemble) -> None:
    """A process that dies again and again with it comes back without it."""
    Keeping(tmp_path, assemble).take("a", "interval: 5min")
    intervals = [Keeping(tmp_path, assemble).interval_minutes() for _ in range(MOST_STARTS + 2)]
    assert intervals == [5.0] * MOST_STARTS + [1.0, 1.0]
    assert Keeping(tmp_path, assemble).replies()[-1] == ("a", Outcome.ROLLED_BACK, None)


def test_the_broker_shows_the_same_one_again(tmp_path: Path, assemble: Assemble) -> None:
    """A retained message comes with every connection; it is dealt with, and replied to, once."""
    keeping = Keeping(tmp_path, assemble)
    assert [keeping.take("a", "interval: 5min") for _ in range(3)] == [True, False, False]
    assert [keeping.take("b", "interval: never", after=1) for _ in range(3)] == [False] * 3
    assert keeping.replies() == [("a", Outcome.TRYING, None), ("b", Outcome.REFUSED, Refusal.INVALID)]


def test_an_older_one_is_refused(tmp_path: Path, assemble: Assemble) -> None:
    """Whoever recorded an old message cannot bring the old configuration back."""
    keeping = Keeping(tmp_path, assemble)
    keeping.take("a", "interval: 5min", after=9)
    assert not keeping.take("b", "interval: 6min", after=8)
    assert keeping.replies()[-1] == ("b", Outcome.REFUSED, Refusal.OUTDATED)


@pytest.mark.parametrize(
    ("document", "reason", "place"),
    [
        ("interval: 5min\ncolour: red\n", Refusal.INVALID, "configuration:2:1: colour: "),
        ("drivers:\n  - driver: abacus\n", Refusal.INVALID, "configuration:2:5: drivers.0"),
        ("interval: [", Refusal.INVALID, "configuration:2:1: document: "),
        ("node: n2", Refusal.PROTECTED, "configuration:1:1: node: "),
        ("interval: 5min\noutbox: /tmp/x", Refusal.PROTECTED, "configuration:2:1: outbox: "),
        ("broker: mqtt://elsewhere", Refusal.PROTECTED, "configuration:1:1: broker: "),
        ("command_key: 0123456789abcdef0123456789abcdef", Refusal.PROTECTED, "configuration:1:1: command_key: "),
        ("commands: {trial: 7d}", Refusal.PROTECTED, "configuration:1:1: commands: "),
        ("drivers: [{driver: {file: /etc/shadow}}]", Refusal.PROTECTED, "the secret file: /etc/shadow"),
        ("drivers: [{driver: {env: OTHER}}]", Refusal.PROTECTED, "the secret env: OTHER"),
        ("- a list", Refusal.INVALID, "configuration:1:1: "),
    ],
)
def test_a_bad_one_is_refused_with_its_place(
    document: str, reason: Refusal, place: str, tmp_path: Path, assemble: Assemble
) -> None:
    """Nothing changes; the reply names line and field, and repeats no secret."""
    keeping = Keeping(tmp_path, assemble)
    assert not keeping.take("a", document)
    (reply,) = keeping.full_replies()
    assert (reply.outcome, reply.reason) == (Outcome.REFUSED, reason)
    assert place in reply.detail
    assert keeping.interval_minutes() == 1


def test_the_whole_file_may_be_sent_back(tmp_path: Path, assemble: Assemble) -> None:
    """What is protected may stand there, as long as it says the same; the secret is looked up on the node."""
    keeping = Keeping(tmp_path, assemble)
    assert keeping.take("a", OWN.replace("1min", "5min"))
    assert keeping.interval_minutes() == 5
    assert keeping.keeper.settings(assemble).broker.address().password == "secret"
    assert "secret" not in (tmp_path / "config.json").read_text()


def test_one_that_was_kept_and_cannot_be_used_any_more(tmp_path: Path, assemble: Assemble) -> None:
    """After an upgrade that no longer knows a field the node runs with its own file, and says so."""
    keeping = Keeping(tmp_path, assemble)
    keeping.take("a", "interval: 5min")
    keeping.keeper.keep()

    def stricter(remote: str | None) -> Any:
        if remote is not None:
            raise DocumentError([Document("configuration", {}).problem(("interval",), "a field", "nothing")])
        return assemble(None)

    assert keeping.keeper.settings(stricter).interval.total_seconds() == 60
    assert keeping.replies()[-1] == ("a", Outcome.ROLLED_BACK, None)


def test_a_damaged_memory_is_set_aside(tmp_path: Path, assemble: Assemble) -> None:
    """A torn file costs the configuration from afar, not the node; the broker shows it again."""
    Keeping(tmp_path, assemble).take("a", "interval: 5min")
    path = tmp_path / "config.json"
    path.write_bytes(path.read_bytes()[:-5])
    keeping = Keeping(tmp_path, assemble)
    assert keeping.interval_minutes() == 1
    assert keeping.take("a", "interval: 5min")


@given(st.lists(st.tuples(st.sampled_from(["take", "keep", "fail", "start"]), changes), max_size=12))
def test_there_is_always_a_way_back(steps: list[tuple[str, ConfigChange]]) -> None:
    """Whatever happens, failing a trial leads to a configuration that was kept, or to the node's own file."""
    state, good = ConfigState(), ConfigState().current
    for step, change in steps:
        if step == "take" and not state.is_known(change) and not state.is_outdated(change):
            state = state.trying(change)
        elif step == "keep":
            state = state.kept()
            good = state.current
        elif step == "fail" and state.on_trial:
            state = state.rolled_back()
        elif step == "start":
            state = state.started()
        assert (state.current if not state.on_trial else state.previous) == good
        assert state.last_issued_at_ms >= (state.current.issued_at_ms if state.current else 0)


def test_a_document_over_another() -> None:
    """Keys of the remote one win as a whole; everything else stays."""
    own = Document("edge.yaml", {"node": "n1", "publish": {"window": 3}, "drivers": [1]})
    remote = Document("configuration", {"publish": {"deflate": True}})
    assert laid_over(own, remote).data == {"node": "n1", "publish": {"deflate": True}, "drivers": [1]}
    with pytest.raises(ProtectedError):
        laid_over(own, Document("configuration", {"node": "n2"}))

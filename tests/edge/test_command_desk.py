"""The desk: every message is replied to, and only the service's own, in time, is obeyed, once."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import Any

import pytest

from domain.command import LONGEST_LIFE_MS, Command, CommandName, Outcome, Refusal, Reply
from domain.errors import OperatorError
from domain.topics import DownLane, down
from edge.commands import memory as memory_module
from edge.commands.actions import Deeds, NotDoneError, actions_of
from edge.commands.config_keeper import ConfigKeeper
from edge.commands.desk import STRANGERS_BURST, CommandDesk
from edge.commands.memory import CommandMemory
from edge.settings import EdgeSettings
from tests.edge.clocks import START_MS, JumpingClock

KEY = "0123456789abcdef0123456789abcdef"
TOPIC = down("n1", DownLane.COMMAND)
LATER_MS = START_MS + 60_000


class Desk:
    """A desk in a folder, what it did, and what it replied."""

    def __init__(self, folder: Path, *, key: str | None = KEY, trusted: bool = True) -> None:
        self.done: list[tuple[Any, ...]] = []
        self.fails: BaseException | None = None
        clock = JumpingClock()
        self.memory = CommandMemory(folder / "commands.json")

        async def note(*deed: Any) -> str:
            self.done.append(deed)
            if self.fails:
                raise self.fails
            return f"did {deed[0]}"

        def assemble(remote: str | None) -> EdgeSettings:
            raise AssertionError("no configuration is taken here")

        self.desk = CommandDesk(
            "n1",
            key,
            memory=self.memory,
            configurations=ConfigKeeper(folder / "config.json", self.memory, clock),
            assemble=assemble,
            actions=actions_of(
                Deeds(
                    lambda: note("sample"),
                    lambda seconds: note("identify", seconds),
                    lambda: note("restart"),
                    lambda first, last: note("resend", first, last),
                )
            ),
            start_again=lambda: None,
            clock=clock,
            clock_trusted=lambda: trusted,
        )

    async def replies(self, *payloads: bytes, expected: int, lane: DownLane = DownLane.COMMAND) -> list[Reply]:
        """Give it messages and return so many replies, as they go out over one connection."""
        published: list[Reply] = []
        enough = asyncio.Event()

        async def publish(payload: bytes) -> None:
            published.append(Reply.decode(payload))
            if len(published) >= expected:
                enough.set()

        tasks = [asyncio.create_task(work) for work in (self.desk.run(), self.desk.reply(publish))]
        for payload in payloads:
            self.desk.take(lane, payload)
            await asyncio.sleep(0)
        async with asyncio.timeout(10):
            await enough.wait()
        for task in tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        return published

    async def reply(self, payload: bytes, *, lane: DownLane = DownLane.COMMAND) -> Reply:
        """Return the one reply to one message."""
        (reply,) = await self.replies(payload, expected=1, lane=lane)
        return reply


def command(
    name: str = CommandName.SAMPLE_NOW, *, message_id: str = "c1", expires_at_ms: int = LATER_MS, **arguments: Any
) -> bytes:
    """Return a command that the service has signed; ``from_`` stands for the argument ``from``."""
    arguments = {argument.rstrip("_"): value for argument, value in arguments.items()}
    return Command(message_id, name, arguments, expires_at_ms).encode(topic=TOPIC, key=KEY)


@pytest.mark.parametrize(
    ("payload", "deed"),
    [
        (command(), ("sample",)),
        (command("identify"), ("identify", 30)),
        (command("identify", seconds=5), ("identify", 5)),
        (command("restart"), ("restart",)),
        (command("resend", from_="2026-11-20T00:00:00Z", to="2026-11-20T06:00:00+06:00"), None),
        (
            command("resend", from_="2026-11-20T00:00:00Z", to="2026-11-20T06:00:00Z"),
            ("resend", 1_795_132_800_000, 1_795_154_400_000),
        ),
    ],
)
async def test_a_command_is_obeyed(tmp_path: Path, payload: bytes, deed: tuple[Any, ...] | None) -> None:
    """Its name and arguments become the deed; a range that is none is refused."""
    desk = Desk(tmp_path)
    reply = await desk.reply(payload)
    if deed is None:
        assert (reply.reason, desk.done) == (Refusal.BAD_ARGUMENTS, [])
    else:
        assert (reply.outcome, reply.detail, desk.done) == (Outcome.DONE, f"did {deed[0]}", [deed])


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (command()[:-3], Refusal.MALFORMED),
        (command().replace(b"c1", b"c2"), Refusal.BAD_SIGNATURE),
        (Command("c1", "restart", {}, LATER_MS).encode(topic=TOPIC, key=KEY[::-1]), Refusal.BAD_SIGNATURE),
        (
            Command("c1", "restart", {}, LATER_MS).encode(topic=TOPIC.replace("n1", "n2"), key=KEY),
            Refusal.BAD_SIGNATURE,
        ),
        (command(expires_at_ms=START_MS), Refusal.EXPIRED),
        (command(expires_at_ms=START_MS + LONGEST_LIFE_MS + 1), Refusal.EXPIRES_TOO_LATE),
        (command("dance"), Refusal.UNKNOWN_COMMAND),
        (command(colour="red"), Refusal.BAD_ARGUMENTS),
        (command("identify", seconds=0), Refusal.BAD_ARGUMENTS),
        (command("resend"), Refusal.BAD_ARGUMENTS),
    ],
)
async def test_what_is_not_the_services_or_not_possible_is_refused(
    tmp_path: Path, payload: bytes, reason: Refusal
) -> None:
    """Nothing is done, and the reply says why."""
    desk = Desk(tmp_path)
    reply = await desk.reply(payload)
    assert (reply.outcome, reply.reason, desk.done) == (Outcome.REFUSED, reason, [])


async def test_without_a_key_nobody_is_obeyed(tmp_path: Path) -> None:
    """A node whose file names no key refuses everything, and says that this is why."""
    desk = Desk(tmp_path, key=None)
    assert [(await desk.reply(command(), lane=lane)).reason for lane in desk.desk.lanes] == [Refusal.NO_KEY] * 2


async def test_without_the_time_no_command_is_obeyed(tmp_path: Path) -> None:
    """A node that does not know the time cannot tell a command of today from one of last year."""
    assert (await Desk(tmp_path, trusted=False).reply(command())).reason is Refusal.CLOCK_NOT_TRUSTED


async def test_the_same_command_is_done_once(tmp_path: Path) -> None:
    """Delivered again, also to the next process, it gets the same reply and does nothing."""
    first = Desk(tmp_path)
    replies = await first.replies(command(), command(), expected=2)
    second = Desk(tmp_path)
    replies.append(await second.reply(command()))
    assert len(first.done) == 1
    assert second.done == []
    assert [reply == replies[0] for reply in replies] == [True] * 3


async def test_what_was_begun_is_not_begun_again(tmp_path: Path) -> None:
    """A power cut in the middle of the deed: the next process says so, and does not repeat it."""
    first = Desk(tmp_path)
    first.fails = KeyboardInterrupt()  # ends everything at once
    with contextlib.suppress(KeyboardInterrupt):
        await first.desk._deal(DownLane.COMMAND, command())
    second = Desk(tmp_path)
    reply = await second.reply(command())
    assert (reply.outcome, first.done, second.done) == (Outcome.FAILED, [("sample",)], [])


async def test_a_reply_that_was_not_sent_is_sent_by_the_next_process(tmp_path: Path) -> None:
    """The restart that a command asks for does not swallow its own reply."""
    await Desk(tmp_path).desk._deal(DownLane.COMMAND, command("restart"))
    (reply,) = await Desk(tmp_path).replies(expected=1)
    assert (reply.id, reply.outcome) == ("c1", Outcome.DONE)
    assert CommandMemory(tmp_path / "commands.json").waiting() is None


@pytest.mark.parametrize(
    ("failure", "outcome", "reason"),
    [
        (NotDoneError(Refusal.GONE, "not here"), Outcome.REFUSED, Refusal.GONE),
        (OperatorError("the disk is full"), Outcome.FAILED, None),
        (OSError("no such device"), Outcome.FAILED, None),
    ],
)
async def test_a_deed_that_fails_is_told(
    tmp_path: Path, failure: Exception, outcome: Outcome, reason: Refusal | None
) -> None:
    """What could not be done is no silence."""
    desk = Desk(tmp_path)
    desk.fails = failure
    reply = await desk.reply(command())
    assert (reply.outcome, reply.reason) == (outcome, reason)


async def test_what_cannot_be_remembered_is_not_done(tmp_path: Path) -> None:
    """On a full disk a command could be repeated after a restart: it is refused instead."""
    desk = Desk(tmp_path)
    (tmp_path / "commands.json.new").mkdir()
    reply = await desk.reply(command())
    assert (reply.outcome, desk.done) == (Outcome.FAILED, [])
    assert "cannot write down" in reply.detail


async def test_strangers_get_few_replies(tmp_path: Path) -> None:
    """Whoever floods a node with messages of his own does not make it use up its link."""
    desk = Desk(tmp_path)
    strange = [command().replace(b"c1", f"x{number}".encode()) for number in range(50)]
    for payload in strange:
        await desk.desk._deal(DownLane.COMMAND, payload)
    good = await desk.replies(command(), expected=int(STRANGERS_BURST) + 1)
    assert len(good) == STRANGERS_BURST + 1
    assert not (tmp_path / "commands.json").read_text().count("x1")
    assert desk.done == [("sample",)]


async def test_the_memory_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Full of commands that have not expired the node refuses new ones, rather than forget that it did them."""
    monkeypatch.setattr(memory_module, "MOST_REMEMBERED", 3)
    desk = Desk(tmp_path)
    replies = [await desk.reply(command(message_id=f"c{number}")) for number in range(4)]
    assert [reply.reason for reply in replies] == [None] * 3 + [Refusal.TOO_MANY]


async def test_a_retained_message_that_was_taken_back_is_nothing(tmp_path: Path) -> None:
    """An empty payload is neither obeyed nor replied to."""
    desk = Desk(tmp_path)
    replies = await desk.replies(b"", command(), expected=1)
    assert [reply.id for reply in replies] == ["c1"]

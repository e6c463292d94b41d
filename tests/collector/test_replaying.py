"""Dead letters sent through once more, and nodes that were registered meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.journal import Journal, JournalSettings, LetterFilter
from collector.pipeline import Pipeline
from collector.replaying import Replay
from collector.waiting import Waiting
from domain.directory import Directory
from domain.instant import HOUR_MS, MINUTE_MS
from domain.reading import Batch, Quality, Reading, Sample
from domain.rejection import Reason, Rejected
from domain.senml import WireFormat, encode
from domain.topics import UpLane, up
from tests.collector.intake import NOW_MS, Recorder, StoppedClock, directory, fridge, payload, running, send

LATER_MS = NOW_MS + 5 * HOUR_MS


class Collector:
    """A pipeline over a real journal whose registry and clock a test changes."""

    def __init__(self, journal: Journal, recorder: Recorder, pipeline: Pipeline, registry: list[Directory]) -> None:
        self.journal, self.recorder, self.pipeline, self._registry = journal, recorder, pipeline, registry
        self.clock = StoppedClock(LATER_MS)
        self.replay = Replay(journal, pipeline.accept, self.clock)
        self.waiting = Waiting(journal, self.replay, lambda: registry[0])

    def register(self, *nodes: str) -> None:
        """Have these nodes in the registry from now on."""
        self._registry[0] = directory(*nodes)

    async def reasons(self) -> list[Reason]:
        """Return the reasons of the letters that are kept, oldest first."""
        return [letter.rejected.reason for letter in await self.journal.letters(limit=10_000)]


@asynccontextmanager
async def collector(folder: Path, *nodes: str) -> AsyncIterator[Collector]:
    """Run a pipeline with these nodes registered."""
    recorder, registry = Recorder(), [directory(*nodes)]

    async def commit(readings: Sequence[Reading], rejected: Sequence[Rejected]) -> int:
        position = await journal.commit(readings, rejected)
        await recorder.commit(readings, rejected)
        return position

    async with Journal.open(folder) as journal, running(recorder, lambda: registry[0], commit=commit) as pipeline:
        yield Collector(journal, recorder, pipeline, registry)


async def test_a_node_that_is_registered_later_loses_nothing(tmp_path: Path) -> None:
    """Everything it sent while it waited is stored as late, once, and its batches are receipted."""
    async with collector(tmp_path, "n1") as here:
        for seq in range(3):
            await send(here.pipeline, "n2", payload("n2", seq, fridge(NOW_MS - seq * MINUTE_MS)))
        await here.recorder.until(lambda: len(here.recorder.rejected) == 3)
        (waits,) = await here.waiting.nodes()
        assert (waits.node, waits.messages, waits.last_ms) == ("n2", 3, NOW_MS)
        assert waits.samples == (Sample("fridge", NOW_MS, 4.5),)
        assert (await here.waiting.take_up()).letters == 0
        assert here.waiting.count == 1
        here.register("n1", "n2")
        taken = await here.waiting.take_up()
        assert (taken.letters, taken.readings, taken.refused, taken.left) == (3, 3, {}, 0)
        stored = await here.journal.series("n2.fridge", 0, LATER_MS)
        assert [(each.value, each.received_at_ms) for each in stored] == [(4.5, LATER_MS)] * 3
        assert all(here.recorder.receipted("n2", seq) for seq in range(3))
        assert (await here.waiting.nodes(), await here.reasons()) == ([], [])
        assert here.waiting.count == 0


async def test_relative_times_count_from_the_first_arrival(tmp_path: Path) -> None:
    """A node without a clock said "a minute ago" five hours ago."""
    async with collector(tmp_path) as here:
        content = encode(Batch("n1", None, None, (fridge(-MINUTE_MS),)), format=WireFormat.JSON)
        await send(here.pipeline, "n1", content)
        await here.recorder.until(lambda: bool(here.recorder.rejected))
        here.register("n1")
        await here.waiting.take_up()
        (stored,) = await here.journal.series("n1.fridge", 0, LATER_MS)
        assert (stored.measured_at_ms, stored.received_at_ms) == (NOW_MS - MINUTE_MS, LATER_MS)


async def test_a_channel_that_is_registered_later_gets_its_records(tmp_path: Path) -> None:
    """Single records are kept as they can be sent again: unit, quality and missing values included."""
    probe = [
        Sample("door", NOW_MS, 1.0),
        Sample("mains", NOW_MS - 1, 231.5, Quality.UNCERTAIN, "V"),
        Sample("mains", NOW_MS - 2, None, Quality.SENSOR_GONE),
        Sample("unheard", NOW_MS, 1.0),
    ]
    async with collector(tmp_path, "n1") as here:
        registry = directory("n1")
        less = [each for each in registry.channels.values() if each.name not in ("mains", "door")]
        here._registry[0] = Directory(nodes=registry.nodes.values(), channels=less)
        await send(here.pipeline, "n1", payload("n1", 1, *probe))
        await here.recorder.until(lambda: len(here.recorder.rejected) == 4)
        assert (await here.waiting.take_up()).letters == 0
        here.register("n1")
        assert (await here.waiting.take_up()).readings == 3
        found = await here.journal.series("n1.mains", 0, LATER_MS)
        assert [(each.value, each.quality) for each in found] == [
            (None, Quality.SENSOR_GONE),
            (231.5, Quality.UNCERTAIN),
        ]
        assert await here.reasons() == [Reason.UNKNOWN_CHANNEL]


async def test_what_is_refused_again_is_one_letter(tmp_path: Path) -> None:
    """Nothing is lost by a replay that came too early, and nothing piles up."""
    async with collector(tmp_path, "n1") as here:
        await send(here.pipeline, "n1", payload("n1", 1, Sample("fridge", NOW_MS, 4_000.0)))
        await here.recorder.until(lambda: bool(here.recorder.rejected))
        for _ in range(3):
            done = await here.replay.run(LetterFilter())
            assert (done.letters, done.readings, done.refused) == (1, 0, {Reason.OUT_OF_RANGE: 1})
        assert await here.reasons() == [Reason.OUT_OF_RANGE]


async def test_what_cannot_be_accepted_is_left_alone(tmp_path: Path) -> None:
    """A payload that was too large, and an event, which its node has been told of."""
    async with collector(tmp_path, "n1") as here:
        await here.journal.commit(
            [],
            [
                Rejected(Reason.TOO_LARGE, "", up("n1", UpLane.LIVE), "n1", b"[", NOW_MS),
                Rejected(Reason.UNKNOWN_RULE, "", up("n1", UpLane.EVENT), "n1", b"{}", NOW_MS),
            ],
        )
        done = await here.replay.run(LetterFilter())
        assert (done.letters, done.left) == (0, 2)
        assert len(await here.reasons()) == 2


async def test_letters_that_cannot_be_stored_stay(tmp_path: Path) -> None:
    """A journal that refuses a batch for good leaves its letter where it was."""
    async with collector(tmp_path) as here:
        await send(here.pipeline, "n1", payload("n1", 1, fridge(NOW_MS)))
        await here.recorder.until(lambda: bool(here.recorder.rejected))
        here.register("n1")

        async def refuse(_readings: Sequence[Reading], _rejected: Sequence[Rejected]) -> int:
            raise RuntimeError("cannot hold this")

        here.pipeline._commit_group = refuse
        done = await here.replay.run(LetterFilter())
        assert (done.letters, done.left) == (0, 1)
        assert await here.reasons() == [Reason.UNKNOWN_NODE]


async def test_one_senders_flood_pushes_out_only_its_own(tmp_path: Path) -> None:
    """Each node has its share of each reason; all together take so many bytes at most."""
    small = JournalSettings(rejected_per_sender=5, rejected_bytes=4_000)

    def refused(node: str, number: int, size: int = 10) -> Rejected:
        return Rejected(Reason.UNKNOWN_NODE, "", up(node, UpLane.LIVE), node, b"x" * size, number)

    async with Journal.open(tmp_path, settings=small) as journal:
        await journal.commit([], [refused("quiet", 1)])
        for number in range(100):
            await journal.commit([], [refused("loud", number)])
        groups = {group.node: group.letters for group in await journal.letter_groups()}
        assert groups == {"quiet": 1, "loud": 5}
        for number in range(40):
            await journal.commit([], [refused(f"n{number}", number, 500)])
        assert sum(group.payload_bytes for group in await journal.letter_groups()) <= 4_000
        assert (await journal.letters(limit=1, newest_first=True))[0].rejected.node == "n39"


registrations = st.lists(
    st.one_of(
        st.tuples(st.just("send"), st.sampled_from(["n1", "n2", "n3"]), st.integers(0, 5)),
        st.tuples(st.just("register"), st.sampled_from(["n1", "n2", "n3"]), st.just(0)),
        st.tuples(st.just("look"), st.just(""), st.just(0)),
        st.tuples(st.just("replay"), st.just(""), st.just(0)),
    ),
    max_size=20,
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=registrations)
def test_in_whatever_order_nodes_send_and_are_registered(
    tmp_path_factory: object, steps: list[tuple[str, str, int]]
) -> None:
    """In the end every reading of a registered node is stored once, and every other one waits."""

    async def play(folder: Path) -> None:
        sent: set[tuple[str, int]] = set()
        known: list[str] = []
        async with collector(folder) as here:
            for step, node, number in steps:
                if step == "send":
                    outcome: asyncio.Future[object] = asyncio.get_running_loop().create_future()
                    content = payload(node, None, fridge(NOW_MS - number * MINUTE_MS))
                    await here.pipeline.accept(up(node, UpLane.LIVE), content, NOW_MS, done=outcome.set_result)
                    await outcome
                    sent.add((node, NOW_MS - number * MINUTE_MS))
                elif step == "register":
                    known = sorted({*known, node})
                    here.register(*known)
                elif step == "look":
                    await here.waiting.take_up()
                else:
                    await here.replay.run(LetterFilter())
            await here.waiting.take_up()
            stored = {
                (node, each.measured_at_ms)
                for node in known
                for each in await here.journal.series(f"{node}.fridge", 0, LATER_MS)
            }
            assert stored == {each for each in sent if each[0] in known}
            assert {each.node for each in await here.waiting.nodes()} == {node for node, _ in sent} - set(known)

    asyncio.run(play(tmp_path_factory.mktemp("collector")))  # type: ignore[attr-defined]  # pytest's

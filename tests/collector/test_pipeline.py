"""The pipeline: order of commit and receipt, groups, lanes, retries, and what is counted."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from hypothesis import given, settings
from hypothesis import strategies as st

from collector.lanes import NOT_STORED, Lane, Outcome
from collector.pipeline import Pipeline
from domain.errors import OperatorError, VitalsError
from domain.reading import Reading, Sample
from domain.receipt import Receipt
from domain.rejection import Reason, Rejected
from domain.topics import UpLane, up
from tests.collector.intake import NOW_MS, Recorder, directory, fridge, payload, running, send

LONG_AGO_MS = 300_000_000_000
"""In 1979: the earliest year that SenML can write as an absolute time."""


class DiskFullError(OperatorError):
    """Somebody has to make room."""

    retry = True


async def test_a_reading_goes_from_payload_to_store_to_receipt_to_follower() -> None:
    """The receipt comes after the commit, and the follower after the receipt."""
    recorder = Recorder()
    async with running(recorder, directory("n1")) as pipeline:
        await send(pipeline, "n1", payload("n1", 7, fridge(NOW_MS - 1000)))
        await recorder.until(lambda: bool(recorder.told))
    assert recorder.readings == [("n1.fridge", NOW_MS - 1000, 4.5, 0, NOW_MS)]
    assert recorder.receipted("n1", 7)
    assert recorder.events == [("commit", 1), ("receipt", "n1"), ("told", 1)]


async def test_no_receipt_before_the_commit_returned() -> None:
    """While the journal works on a group, nobody may delete anything."""
    recorder, release = Recorder(), asyncio.Event()
    committing = asyncio.Event()

    async def hold(_readings: Sequence[Reading], _rejected: Sequence[Rejected]) -> None:
        committing.set()
        await release.wait()

    recorder.before_commit = hold
    async with running(recorder, directory("n1")) as pipeline:
        await send(pipeline, "n1", payload("n1", 7, fridge(NOW_MS)))
        await committing.wait()
        assert not recorder.receipts
        release.set()
        await recorder.until(lambda: recorder.receipted("n1", 7))


async def test_who_gets_no_receipt_learns_what_became_of_a_message_after_the_commit() -> None:
    """Not before: what is told is durable; refused records and whole payloads are told with it."""
    recorder, outcomes = Recorder(), list[Outcome]()

    async def nothing_is_told_yet(_readings: Sequence[Reading], _rejected: Sequence[Rejected]) -> None:
        assert not outcomes

    recorder.before_commit = nothing_is_told_yet
    async with running(recorder, directory("n1")) as pipeline:
        good_and_bad = payload("n1", None, fridge(NOW_MS), fridge(NOW_MS, 9999.0))
        for content in (good_and_bad, b"[broken"):
            await pipeline.accept(up("n1", UpLane.LIVE), content, NOW_MS, done=outcomes.append)
        await recorder.until(lambda: bool(recorder.told))
    (first, second) = outcomes
    assert (first.stored, first.readings, [r.reason for r in first.rejected]) == (True, 1, [Reason.OUT_OF_RANGE])
    assert (second.stored, second.readings, [r.reason for r in second.rejected]) == (True, 0, [Reason.MALFORMED])
    assert not recorder.receipts


async def test_who_gets_no_receipt_learns_that_a_message_could_not_be_stored() -> None:
    """What the journal refuses for good is not called stored; its neighbours are."""
    recorder, outcomes = Recorder(), dict[str, Outcome]()

    async def refuse_negative(readings: Sequence[Reading], _rejected: Sequence[Rejected]) -> None:
        if any(reading.value == -5.0 for reading in readings):
            raise RuntimeError("cannot hold this")

    recorder.before_commit = refuse_negative
    async with running(recorder, directory("n1")) as pipeline:
        for name, value in (("good", 4.5), ("cursed", -5.0), ("also good", 4.5)):
            told = partial(outcomes.__setitem__, name)
            content = payload("n1", None, fridge(NOW_MS, value))
            await pipeline.accept(up("n1", UpLane.LIVE), content, NOW_MS, done=told)
        await recorder.until(lambda: len(recorder.told) == 2)
    assert outcomes == {"good": Outcome(True, 1, []), "cursed": NOT_STORED, "also good": Outcome(True, 1, [])}


async def test_refused_payloads_fill_a_group_by_their_size() -> None:
    """They are kept whole, and a group of many large ones would be more than memory."""
    recorder = Recorder()
    async with running(recorder, directory("n1"), group_readings=100, group_age=timedelta(seconds=1)) as pipeline:
        for _ in range(6):
            await pipeline.accept(up("unknown", UpLane.LIVE), b"x" * 60_000, NOW_MS)
        await recorder.until(lambda: len(recorder.rejected) == 6)
    assert len(recorder.groups) >= 3


async def test_batches_of_one_node_share_one_receipt() -> None:
    """What a node sent into one group is receipted in one message, with what was refused of it."""
    recorder = Recorder()
    async with running(recorder, directory("n1"), group_age=timedelta(milliseconds=50)) as pipeline:
        for seq in (3, 1, 2, 9):
            await send(pipeline, "n1", payload("n1", seq, fridge(NOW_MS - seq), Sample("nothing", NOW_MS, 1.0)))
        await recorder.until(lambda: recorder.receipted("n1", 9))
    assert [receipt for _, receipt in recorder.receipts] == [("e1", ((1, 3), (9, 9)), 4)]


async def test_a_batch_of_refused_records_is_kept_and_receipted() -> None:
    """Sending the same again could not help, and the refused ones are in the dead letters."""
    recorder = Recorder()
    async with running(recorder, directory("n1")) as pipeline:
        await send(pipeline, "n1", payload("n1", 1, Sample("nothing", NOW_MS, 1.0)))
        await recorder.until(lambda: recorder.receipted("n1", 1))
    assert [refused.reason for refused in recorder.rejected] == [Reason.UNKNOWN_CHANNEL]
    assert json.loads(recorder.rejected[0].payload)[0]["n"] == "nothing"
    assert not recorder.told


async def test_a_repeated_batch_is_receipted_again() -> None:
    """The first receipt may have been lost; the store knows how to take a reading twice."""
    recorder = Recorder()
    async with running(recorder, directory("n1")) as pipeline:
        await send(pipeline, "n1", payload("n1", 1, fridge(NOW_MS)))
        await recorder.until(lambda: len(recorder.receipts) == 1)
        await send(pipeline, "n1", payload("n1", 1, fridge(NOW_MS)))
        await recorder.until(lambda: len(recorder.receipts) == 2)
    assert len(recorder.groups) == 2


async def test_an_unregistered_node_keeps_its_data_until_it_is_registered() -> None:
    """Its batches are refused and counted, and not receipted: registering the node brings them in."""
    recorder = Recorder()
    async with running(recorder, directory("n1")) as pipeline:
        await send(pipeline, "n2", payload("n2", 1, fridge(NOW_MS)))
        await recorder.until(lambda: bool(recorder.rejected))
        await send(pipeline, "n1", payload("n1", 1, fridge(NOW_MS)))
        await recorder.until(lambda: recorder.receipted("n1", 1))
    assert recorder.rejected[0].reason is Reason.UNKNOWN_NODE
    assert {node for node, _ in recorder.receipts} == {"n1"}


async def test_a_group_is_committed_when_it_is_full() -> None:
    """The count ends a group long before its age does."""
    recorder = Recorder()
    async with running(recorder, directory("n1"), group_readings=3, group_age=timedelta(hours=1)) as pipeline:
        for seq in range(7):
            await send(pipeline, "n1", payload("n1", seq, fridge(NOW_MS - seq)))
        await recorder.until(lambda: len(recorder.groups) == 2)
    assert [len(group) for group in recorder.groups] == [3, 3]


async def test_a_flood_of_batches_without_records_is_bounded_too() -> None:
    """A batch of nothing counts as one record, so that a group of them ends."""
    recorder = Recorder()
    empty = json.dumps([{"bn": "n1/", "epoch": "e1", "seq": 1}]).encode()
    async with running(recorder, directory("n1"), group_readings=5, group_age=timedelta(hours=1)) as pipeline:
        for _ in range(10):
            await send(pipeline, "n1", empty)
        await recorder.until(lambda: len(recorder.receipts) == 2)


async def test_a_full_disk_holds_everything_back_and_is_forgotten_once_there_is_room() -> None:
    """The group stays, no receipt goes out, the lane fills and holds its source; then it all goes on by itself."""
    recorder, room = Recorder(), asyncio.Event()
    attempts = 0

    async def full(_readings: Sequence[Reading], _rejected: Sequence[Rejected]) -> None:
        nonlocal attempts
        attempts += 1
        recorder.changed.set()
        if not room.is_set():
            raise DiskFullError("no room")

    recorder.before_commit = full
    tiny = timedelta(milliseconds=1)
    async with running(
        recorder, directory("n1"), group_readings=2, lane_messages=4, retry_first=tiny, retry_longest=tiny
    ) as pipeline:
        sending = asyncio.create_task(_send_many(pipeline, 50))
        await recorder.until(lambda: attempts > 3)
        assert not sending.done()
        assert not recorder.receipts
        stats = pipeline.stats()
        assert stats.waiting[Lane.LIVE] == 4
        assert stats.counters.failed_commits > 2
        assert stats.failing_since_ms == NOW_MS
        room.set()
        await sending
        await recorder.until(lambda: len(recorder.readings) == 50)
        await recorder.until(lambda: all(recorder.receipted("n1", seq) for seq in range(50)))
        assert pipeline.stats().failing_since_ms is None
    assert len(set(recorder.readings)) == 50


async def _send_many(pipeline: Pipeline, count: int, node: str = "n1", lane: UpLane = UpLane.LIVE) -> None:
    for seq in range(count):
        await send(pipeline, node, payload(node, seq, fridge(NOW_MS - seq)), lane)


async def test_a_batch_that_the_journal_refuses_for_good_stops_nobody_else() -> None:
    """Its group is halved until it stands alone; all others are stored and receipted."""
    recorder = Recorder()

    async def allergic(readings: Sequence[Reading], _rejected: Sequence[Rejected]) -> None:
        if any(reading.value == 6.66 for reading in readings):
            raise VitalsError("cannot store this")

    recorder.before_commit = allergic
    async with running(recorder, directory("n1", "n2"), group_age=timedelta(milliseconds=50)) as pipeline:
        for seq in range(10):
            await send(pipeline, "n1", payload("n1", seq, fridge(NOW_MS - seq)))
        await send(pipeline, "n2", payload("n2", 1, fridge(NOW_MS, 6.66)))
        for seq in range(10, 20):
            await send(pipeline, "n1", payload("n1", seq, fridge(NOW_MS - seq)))
        await recorder.until(lambda: all(recorder.receipted("n1", seq) for seq in range(20)))
        assert pipeline.stats().counters.batches_not_stored == 1
    assert len(recorder.readings) == 20
    assert not recorder.receipted("n2", 1)


async def test_live_readings_pass_a_flood_of_backfill() -> None:
    """A live batch is in the very next group that is collected, however much backfill waits."""
    recorder, release = Recorder(), asyncio.Event()

    async def hold(_readings: Sequence[Reading], _rejected: Sequence[Rejected]) -> None:
        await release.wait()

    recorder.before_commit = hold
    async with running(recorder, directory("late", "now"), group_readings=10, lane_messages=100) as pipeline:
        flood = asyncio.create_task(_send_many(pipeline, 1_000, "late", UpLane.BACKFILL))
        while pipeline.stats().waiting[Lane.BACKFILL] < 100:  # noqa: ASYNC110 - the lane has no event to wait for
            await asyncio.sleep(0)
        await asyncio.wait_for(send(pipeline, "now", payload("now", 1, fridge(NOW_MS))), timeout=5)
        assert not flood.done()
        release.set()
        await recorder.until(lambda: recorder.receipted("now", 1))
        groups_before = next(n for n, group in enumerate(recorder.groups) if group[0].channel.startswith("now"))
        await flood
        await recorder.until(lambda: len(recorder.readings) == 1_001)
    # One group was being committed and one had been collected when the live batch came.
    assert groups_before <= 2


async def test_a_follower_that_fails_does_not_stop_the_intake() -> None:
    """Followers keep their own place in the journal; their faults are theirs."""
    recorder = Recorder()

    def fail(_readings: Sequence[Reading], _position: int) -> None:
        raise ZeroDivisionError

    recorder.on_committed = fail  # type: ignore[assignment, method-assign]  # the fault under test
    async with running(recorder, directory("n1")) as pipeline:
        await send(pipeline, "n1", payload("n1", 1, fridge(NOW_MS)))
        await recorder.until(lambda: recorder.receipted("n1", 1))
        await send(pipeline, "n1", payload("n1", 2, fridge(NOW_MS - 1)))
        await recorder.until(lambda: recorder.receipted("n1", 2))


async def test_birth_and_last_will_are_remembered_and_only_birth_is_a_sign_of_life() -> None:
    """A last will is sent by the broker and a retained message is old: neither proves that the node lives."""
    recorder = Recorder()
    async with running(recorder, directory("n1", "n2", "n3")) as pipeline:
        await send(pipeline, "n1", b'{"online": true, "version": "1.0"}', UpLane.STATE)
        await send(pipeline, "n2", b'{"online": false}', UpLane.STATE)
        await pipeline.accept(up("n3", UpLane.STATE), b'{"online": true}', NOW_MS, retained=True)
        await send(pipeline, "n1", b'{"online": "perhaps"}', UpLane.STATE)
        await recorder.until(lambda: bool(recorder.rejected))
        nodes = pipeline.nodes
    assert nodes.states["n1"].fields["version"] == "1.0"
    assert not nodes.states["n2"].online
    assert nodes.states["n3"].online
    assert dict(nodes.last_heard_ms) == {"n1": NOW_MS}
    assert [refused.reason for refused in recorder.rejected] == [Reason.MALFORMED]


async def test_how_late_live_messages_and_receipts_are_is_counted() -> None:
    """Of a live message the newest reading; late lanes and replays say nothing of how far nodes are behind."""
    recorder, live, long_ago = Recorder(), up("n1", UpLane.LIVE), NOW_MS - 5_000
    async with running(recorder, directory("n1")) as pipeline:
        content = payload("n1", 1, fridge(long_ago - 60_000), fridge(long_ago - 3_000))
        await pipeline.accept(live, content, long_ago)
        await send(pipeline, "n1", payload("n1", 2, fridge(NOW_MS - 900_000)), UpLane.BACKFILL)
        replayed = payload("n1", 3, fridge(NOW_MS - 900_001))
        await pipeline.accept(live, replayed, NOW_MS, first_came_at_ms=long_ago)
        await recorder.until(lambda: all(recorder.receipted("n1", seq) for seq in (1, 2, 3)))
        await recorder.until(lambda: len(recorder.told) == 4)
        counters = pipeline.stats().counters
    assert (counters.ingest_lag.spread().up_to[-1], counters.ingest_lag.spread().total) == (1, 3)
    assert (counters.receipt_lag.spread().up_to[-1], counters.receipt_lag.spread().total) == (3, 5)


async def test_a_receipt_that_could_not_be_handed_over_has_no_lag() -> None:
    """The node sends again, and that batch counts."""
    recorder = Recorder()

    async def away(_node: str, _receipt: Receipt) -> None:
        raise OperatorError("no connection")

    recorder.send_receipt = away  # type: ignore[assignment, method-assign]  # the broker under test
    async with running(recorder, directory("n1")) as pipeline:
        await send(pipeline, "n1", payload("n1", 1, fridge(NOW_MS)))
        await recorder.until(lambda: bool(recorder.told))
        assert pipeline.stats().counters.receipt_lag.spread().up_to[-1] == 0


async def test_messages_are_counted_by_lane_and_refusals_by_reason() -> None:
    """The owner of the counts gives a snapshot that later work does not change."""
    recorder = Recorder()
    async with running(recorder, directory("n1")) as pipeline:
        await send(pipeline, "n1", payload("n1", 1, fridge(NOW_MS), fridge(LONG_AGO_MS)))
        await send(pipeline, "n1", payload("n1", 2, fridge(NOW_MS - 1)), UpLane.BACKFILL)
        await send(pipeline, "n1", b"{}", UpLane.EVENT)
        await recorder.until(lambda: recorder.receipted("n1", 2))
        before = pipeline.stats()
        await send(pipeline, "n1", payload("n1", 3, fridge(NOW_MS - 2)))
        await recorder.until(lambda: recorder.receipted("n1", 3))
    counters = before.counters
    assert counters.messages == {UpLane.LIVE: 1, UpLane.BACKFILL: 1, UpLane.EVENT: 1}
    assert counters.readings == 2
    assert counters.rejected == {Reason.TIME_TOO_OLD: 1, Reason.MALFORMED: 1}
    assert counters.batches_receipted == 2
    assert before.last_commit_at_ms == NOW_MS


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 9), st.sampled_from([UpLane.LIVE, UpLane.BACKFILL])), max_size=40),
    st.integers(1, 7),
)
async def test_whatever_order_and_repetition_everything_sent_is_committed_and_receipted(
    sent: list[tuple[int, UpLane]], group_readings: int
) -> None:
    """Groups and lanes change neither what is stored nor what is receipted."""
    recorder = Recorder()
    async with running(recorder, directory("n1"), group_readings=group_readings) as pipeline:
        for seq, lane in sent:
            await send(pipeline, "n1", payload("n1", seq, fridge(NOW_MS - seq)), lane)
        await recorder.until(lambda: len(recorder.told) == len(sent))
    assert {NOW_MS - reading.measured_at_ms for reading in recorder.readings} == {seq for seq, _ in sent}
    assert all(recorder.receipted("n1", seq) for seq, _ in sent)

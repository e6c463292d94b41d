"""One sender that floods is limited alone."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.lanes import NOT_STORED, Lane, Outcome
from collector.pipeline import Pipeline
from collector.quarantine import Quarantine, QuarantineSettings, Why
from collector.settings import PipelineSettings
from domain.instant import MINUTE_MS, SECOND_MS
from domain.topics import UpLane, up
from tests.collector.intake import NOW_MS, Recorder, StoppedClock, directory, fridge, payload

HERE = directory("n1", "n2")
"""Four channels a minute each: 4/60 readings a second are promised, a hundred times that are less than the least."""
SETTINGS = QuarantineSettings(least_rate=10, refused_rate=1, burst=timedelta(seconds=10), backfill_rate=100)


def quarantine() -> Quarantine:
    """Return one in which a live bucket holds 100 readings and one of refusals 10."""
    return Quarantine(lambda: HERE, SETTINGS)


def test_who_sends_too_much_waits_until_the_bucket_is_half_full() -> None:
    """In, out, and in again by itself; the other sender notices nothing."""
    guard = quarantine()
    assert guard.admits("n1", Lane.LIVE, NOW_MS)
    guard.spend("n1", Lane.LIVE, readings=100, refused=0)
    assert not guard.admits("n1", Lane.LIVE, NOW_MS)
    assert not guard.admits("n1", Lane.LIVE, NOW_MS + 4_990)
    assert guard.admits("n2", Lane.LIVE, NOW_MS)
    assert guard.admits("n1", Lane.LIVE, NOW_MS + 5_010)
    assert guard.kept_out == {Why.TOO_MUCH: 2}


def test_what_was_promised_counts() -> None:
    """A node with many fast channels may send a hundred times what they promise."""
    settings = SETTINGS.model_copy(update={"least_rate": 0.01})
    guard = Quarantine(lambda: HERE, settings)
    guard.admits("n1", Lane.LIVE, NOW_MS)
    guard.spend("n1", Lane.LIVE, readings=66, refused=0)
    assert guard.admits("n1", Lane.LIVE, NOW_MS)
    guard.spend("n1", Lane.LIVE, readings=1, refused=0)
    assert not guard.admits("n1", Lane.LIVE, NOW_MS)


def test_backfill_has_a_rate_of_its_own() -> None:
    """A week's backlog does not shut out what is live, nor the other way round."""
    guard = quarantine()
    guard.admits("n1", Lane.LIVE, NOW_MS)
    guard.spend("n1", Lane.LIVE, readings=100, refused=0)
    assert guard.admits("n1", Lane.BACKFILL, NOW_MS)
    guard.spend("n1", Lane.BACKFILL, readings=999, refused=0)
    assert guard.admits("n1", Lane.BACKFILL, NOW_MS)


def test_garbage_shuts_every_lane() -> None:
    """Whoever cannot be read has to be looked at."""
    guard = quarantine()
    for _ in range(10):
        assert guard.admits("n1", Lane.LIVE, NOW_MS)
        guard.spend("n1", Lane.LIVE, readings=0, refused=1)
    assert not guard.admits("n1", Lane.BACKFILL, NOW_MS)
    (out,) = guard.quarantined(NOW_MS).values()
    assert (out.why, out.kept_out, out.since_ms) == (Why.GARBAGE, 1, NOW_MS)


def test_a_quarantine_is_over_when_nothing_had_to_be_kept_out_for_a_while() -> None:
    """It does not flap with the bucket: one flood is one quarantine."""
    guard, now_ms = quarantine(), NOW_MS
    for _ in range(300):
        now_ms += SECOND_MS
        if guard.admits("n1", Lane.LIVE, now_ms):
            guard.spend("n1", Lane.LIVE, readings=50, refused=0)
    assert guard.quarantined(now_ms)["n1"].since_ms <= NOW_MS + 5 * SECOND_MS
    assert guard.quarantined(now_ms + 9 * MINUTE_MS)
    assert not guard.quarantined(now_ms + 11 * MINUTE_MS)


@given(st.lists(st.tuples(st.integers(0, 2_000), st.integers(1, 40)), max_size=200))
def test_nobody_gets_more_than_bucket_and_rate(sent: list[tuple[int, int]]) -> None:
    """Whatever the pattern: at most a bucket, the rate, and the last message."""
    guard, now_ms, taken = quarantine(), NOW_MS, 0
    for pause_ms, readings in sent:
        now_ms += pause_ms
        if guard.admits("n1", Lane.LIVE, now_ms):
            guard.spend("n1", Lane.LIVE, readings=readings, refused=0)
            taken += readings
    assert taken <= 100 + (now_ms - NOW_MS) / 1000 * 10 + 40


@given(st.lists(st.integers(MINUTE_MS, 10 * MINUTE_MS), max_size=100))
def test_a_sender_as_registered_is_never_kept_out(pauses: list[int]) -> None:
    """Four readings a minute, with whatever was refused of a few."""
    guard, now_ms = quarantine(), NOW_MS
    for pause_ms in pauses:
        now_ms += pause_ms
        assert guard.admits("n1", Lane.LIVE, now_ms)
        guard.spend("n1", Lane.LIVE, readings=4, refused=4)


async def test_a_flood_costs_its_sender_alone() -> None:
    """It gets no receipts for what is not let in; the other node's batches are stored and receipted as always."""
    recorder, clock = Recorder(), StoppedClock()
    pipeline = Pipeline(
        directory=lambda: HERE,
        commit=recorder.commit,
        send_receipt=recorder.send_receipt,
        on_committed=recorder.on_committed,
        quarantine=quarantine(),
        clock=clock,
        settings=PipelineSettings(group_age=timedelta(milliseconds=5)),
    )
    outcomes: list[Outcome] = []
    task = asyncio.create_task(pipeline.run())
    try:
        for seq in range(200):
            flood = payload("n1", seq, *(fridge(NOW_MS - seq * 10 - n) for n in range(10)))
            await pipeline.accept(up("n1", UpLane.LIVE), flood, NOW_MS)
            if seq % 20 == 0:
                await pipeline.accept(up("n2", UpLane.LIVE), payload("n2", seq, fridge(NOW_MS - seq)), NOW_MS)
        await pipeline.accept(up("n1", UpLane.LIVE), flood, NOW_MS, done=outcomes.append)
        await recorder.until(lambda: recorder.receipted("n2", 180))
        assert all(recorder.receipted("n2", seq) for seq in range(0, 200, 20))
        assert [seq for seq in range(200) if recorder.receipted("n1", seq)] == list(range(10))
        assert outcomes == [NOT_STORED]
        later_ms = NOW_MS + MINUTE_MS
        await pipeline.accept(up("n1", UpLane.LIVE), payload("n1", 10, fridge(NOW_MS - 100)), later_ms)
        await recorder.until(lambda: recorder.receipted("n1", 10))
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

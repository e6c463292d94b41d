"""Events of nodes: handed on beside the readings, receipted once they are kept, refused with a reason."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from collector.node_events import NodeEvent
from domain.episode import Episode, Severity, SubjectKind, episode_id
from domain.episode_event import EpisodeEvent
from domain.errors import PeerError
from domain.instant import to_datetime
from domain.rejection import PayloadError, Reason
from domain.topics import UpLane
from tests.collector.intake import NOW_MS, Recorder, directory, fridge, payload, running, send

NOW = to_datetime(NOW_MS)


def event(seq: int, channel: str = "n1.fridge", *, started: datetime = NOW - timedelta(hours=2)) -> EpisodeEvent:
    """Return an episode that still goes on."""
    episode = Episode(
        id=episode_id("warm", channel, int(started.timestamp() * 1000)),
        rule="warm",
        severity=Severity.WARNING,
        subject_kind=SubjectKind.CHANNEL,
        subject=channel,
        facility="",
        started_at=started,
        confirmed_at=started + timedelta(minutes=30),
        extreme=9.0,
        extreme_at=started,
    )
    return EpisodeEvent("ev", seq, episode, started + timedelta(hours=1))


async def test_an_event_is_receipted_after_it_was_kept() -> None:
    """The node may forget it only when somebody here has it for good."""
    recorder, kept, release = Recorder(), [], asyncio.Event()

    async def keep(found: NodeEvent) -> None:
        await release.wait()
        kept.append(found)

    async with running(recorder, directory("n1"), on_event=keep) as pipeline:
        await send(pipeline, "n1", event(5).encode(), UpLane.EVENT)
        await send(pipeline, "n1", payload("n1", 1, fridge(NOW_MS)))
        await recorder.until(lambda: recorder.receipted("n1", 1))
        assert not recorder.receipted("n1", 5, "ev")
        release.set()
        await recorder.until(lambda: recorder.receipted("n1", 5, "ev"))
        assert pipeline.stats().counters.events == 1
    assert [(found.node, found.event) for found in kept] == [("n1", event(5))]


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (event(5, "n2.fridge"), Reason.WRONG_NODE),
        (event(5, "nobody"), Reason.UNKNOWN_CHANNEL),
        (event(5, started=NOW + timedelta(days=1)), Reason.TIME_IN_FUTURE),
        (event(5, started=to_datetime(0)), Reason.TIME_TOO_OLD),
    ],
)
async def test_a_node_speaks_of_its_own_channels_and_of_possible_times(told: EpisodeEvent, reason: Reason) -> None:
    """What is refused goes to the dead letters and is receipted: sending it again cannot help."""
    recorder, kept = Recorder(), []

    async def keep(found: NodeEvent) -> None:
        kept.append(found)

    async with running(recorder, directory("n1", "n2"), on_event=keep) as pipeline:
        await send(pipeline, "n1", told.encode(), UpLane.EVENT)
        await recorder.until(lambda: recorder.receipted("n1", 5, "ev"))
    assert [refused.reason for refused in recorder.rejected] == [reason]
    assert not kept


async def test_what_the_taker_refuses_is_kept_and_receipted() -> None:
    """An unknown rule is as final as an unknown channel."""
    recorder = Recorder()

    async def refuse(found: NodeEvent) -> None:
        raise PayloadError(Reason.UNKNOWN_RULE, found.event.episode.rule)

    async with running(recorder, directory("n1"), on_event=refuse) as pipeline:
        await send(pipeline, "n1", event(5).encode(), UpLane.EVENT)
        await recorder.until(lambda: recorder.receipted("n1", 5, "ev"))
        assert pipeline.stats().counters.rejected == {Reason.UNKNOWN_RULE: 1}
    assert [refused.reason for refused in recorder.rejected] == [Reason.UNKNOWN_RULE]
    assert recorder.receipts[0][1].rejected == 1


@pytest.mark.parametrize("failure", [PeerError("the database is away"), RuntimeError("a defect")])
async def test_a_taker_that_fails_costs_one_receipt(failure: Exception) -> None:
    """The failed event stays with its node; the next one is taken."""
    recorder, failures = Recorder(), [failure]

    async def fail_once(found: NodeEvent) -> None:
        if failures:
            raise failures.pop()

    async with running(recorder, directory("n1"), on_event=fail_once) as pipeline:
        for seq in (5, 6):
            await send(pipeline, "n1", event(seq).encode(), UpLane.EVENT)
        await recorder.until(lambda: recorder.receipted("n1", 6, "ev"))
        assert pipeline.stats().counters.failed_events == 1
    assert not recorder.receipted("n1", 5, "ev")

"""The journal against its laws: order and repetition of arrivals change nothing, and every moment is right."""

from __future__ import annotations

import asyncio
import random
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from collector.journal import Journal, JournalSettings
from domain.limits import LimitHistory
from domain.reading import Reading
from tests.collector.journal_world import NaiveJournal, agrees, contents, histories, interval_of, readings

SMALL = JournalSettings(slice_rows=3, cover_factor=2.0, recent_readings=10, readers=1)


def _journal(folder: str) -> Journal:
    return Journal.open(Path(folder), settings=SMALL, interval_of=interval_of)


async def _stored(arrivals: list[Reading], limits: dict[str, LimitHistory], rng: random.Random) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        async with _journal(folder) as journal:
            limited_after = rng.randint(0, len(arrivals))
            while arrivals:
                if len(arrivals) <= limited_after:
                    journal.judge_by(limits)
                count = rng.randint(1, len(arrivals))
                await journal.commit(arrivals[:count])
                arrivals = arrivals[count:]
                if rng.random() < 0.5:
                    await journal.settle()
            journal.judge_by(limits)
            await journal.settle()
            return await contents(journal)


@settings(max_examples=30, deadline=None)
@given(st.lists(readings(), min_size=1, max_size=40), histories(), st.randoms(use_true_random=False))
def test_permuted_and_repeated_arrivals_store_the_same(
    arrived: list[Reading], limits: dict[str, LimitHistory], rng: random.Random
) -> None:
    """Series, latest and roll-ups are identical for every order of arrival, any repetition, early or late limits."""
    again = arrived + rng.choices(arrived, k=rng.randint(0, 20))
    rng.shuffle(again)
    assert asyncio.run(_stored(arrived, limits, rng)) == asyncio.run(_stored(again, limits, rng))


async def _settle_partly(journal: Journal, slices: int) -> None:
    """Do a pass up to some slice and abandon it, as a crash would."""
    assert journal._upkeep is not None
    work = journal._upkeep._settler.settle(journal.position)
    for _ in range(slices):
        next(work, None)


async def _adopt(journal: Journal, limits: dict[str, LimitHistory]) -> None:
    """Take over limits without judging anything anew, as far as the background comes in its first moment."""
    assert journal._upkeep is not None
    journal.judge_by(limits)
    await journal._upkeep._adopt_limits()


async def _mark_one(journal: Journal) -> None:
    """Move one hour from those judged by other limits to the dirty ones, and die."""
    assert journal._upkeep is not None
    await journal._thread.run(lambda: journal._upkeep._judging.mark(1))  # type: ignore[union-attr]


async def _follow(journal: Journal, log: list[Reading], first_said: list[Reading]) -> None:
    """Read what the log grew by, and tell apart what was said for the first time."""
    last, fresh = await journal.read_after(len(log), 1000)
    repeated = {n for stretch in await journal.marked(len(log), last) for n in range(stretch.first, stretch.last + 1)}
    first_said += [each for position, each in enumerate(fresh, start=len(log) + 1) if position not in repeated]
    log += fresh


Step = list[Reading] | dict[str, LimitHistory] | str
_STEPS = st.lists(
    st.one_of(
        st.lists(readings(), max_size=12),
        histories(),
        st.sampled_from(["settle", "reopen", "partly 1", "partly 2", "mark one", "move cursor"]),
    ),
    max_size=12,
)


async def _play(steps: list[Step]) -> None:
    naive, cursor = NaiveJournal(), 0
    arrived, log, first_said = list[Reading](), list[Reading](), list[Reading]()
    with tempfile.TemporaryDirectory() as folder:
        journal = await _journal(folder).__aenter__()
        await journal.move_cursor("follower", 0)
        for step in [*steps, "settle"]:
            if isinstance(step, list):
                assert await journal.commit(step) == len(log) + len(step)
                naive.commit(step)
                arrived += step
            elif isinstance(step, dict):
                await _adopt(journal, step)
                naive.limits = step
            elif step == "mark one":
                await _mark_one(journal)
            elif step == "settle":
                await journal.settle()
            elif step == "reopen":
                await journal.__aexit__(None, None, None)
                journal = await _journal(folder).__aenter__()
            elif step == "move cursor":
                cursor = max(cursor, len(log) // 2)
                await journal.move_cursor("follower", cursor)
            else:
                await _settle_partly(journal, int(step.split()[1]))
            await _follow(journal, log, first_said)
            assert (journal.position, first_said) == (len(log), arrived)
            assert await journal.read_after(cursor, 1000) == (len(log), log[cursor:])
            assert await journal.read_after(cursor, 2) == (min(cursor + 2, len(log)), log[cursor : cursor + 2])
            await agrees(journal, naive)
        await journal.__aexit__(None, None, None)


@settings(max_examples=60, deadline=None)
@given(_STEPS)
def test_any_interleaving_tells_what_a_dictionary_tells(steps: list[Step]) -> None:
    """After every commit, change of limits, settling, half of it, trim and reopening all queries agree with a model."""
    asyncio.run(_play(steps))

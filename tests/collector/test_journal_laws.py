"""The journal against its laws: order and repetition of arrivals change nothing, and every moment is right."""

from __future__ import annotations

import asyncio
import random
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from collector.journal import Journal, JournalSettings
from domain.reading import Reading
from tests.collector.journal_world import NaiveJournal, agrees, contents, interval_of, readings

SMALL = JournalSettings(slice_rows=3, cover_factor=2.0, recent_readings=10, readers=1)


def _journal(folder: str) -> Journal:
    return Journal.open(Path(folder), settings=SMALL, interval_of=interval_of)


async def _stored(arrivals: list[Reading], rng: random.Random) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        async with _journal(folder) as journal:
            while arrivals:
                count = rng.randint(1, len(arrivals))
                await journal.commit(arrivals[:count])
                arrivals = arrivals[count:]
                if rng.random() < 0.5:
                    await journal.settle()
            return await contents(journal)


@settings(max_examples=30, deadline=None)
@given(st.lists(readings(), min_size=1, max_size=40), st.randoms(use_true_random=False))
def test_permuted_and_repeated_arrivals_store_the_same(arrived: list[Reading], rng: random.Random) -> None:
    """Series, latest and roll-ups are identical for every order of arrival and for any repetition."""
    again = arrived + rng.choices(arrived, k=rng.randint(0, 20))
    rng.shuffle(again)
    assert asyncio.run(_stored(arrived, rng)) == asyncio.run(_stored(again, rng))


async def _settle_partly(journal: Journal, slices: int) -> None:
    """Do a pass up to some slice and abandon it, as a crash would."""
    assert journal._upkeep is not None
    work = journal._upkeep._settler.settle(journal.position)
    for _ in range(slices):
        next(work, None)


_STEPS = st.lists(
    st.one_of(
        st.lists(readings(), max_size=12),
        st.sampled_from(["settle", "reopen", "partly 1", "partly 2", "move cursor"]),
    ),
    max_size=12,
)


async def _play(steps: list[list[Reading] | str]) -> None:
    naive, arrived, cursor = NaiveJournal(), list[Reading](), 0
    with tempfile.TemporaryDirectory() as folder:
        journal = await _journal(folder).__aenter__()
        await journal.move_cursor("follower", 0)
        for step in [*steps, "settle"]:
            if isinstance(step, list):
                assert await journal.commit(step) == len(arrived) + len(step)
                naive.commit(step)
                arrived += step
            elif step == "settle":
                await journal.settle()
            elif step == "reopen":
                await journal.__aexit__(None, None, None)
                journal = await _journal(folder).__aenter__()
            elif step == "move cursor":
                cursor = max(cursor, len(arrived) // 2)
                await journal.move_cursor("follower", cursor)
            else:
                await _settle_partly(journal, int(step.split()[1]))
            assert journal.position == len(arrived)
            assert await journal.read_after(cursor, 1000) == (len(arrived), arrived[cursor:])
            assert await journal.read_after(cursor, 2) == (min(cursor + 2, len(arrived)), arrived[cursor : cursor + 2])
            await agrees(journal, naive)
        await journal.__aexit__(None, None, None)


@settings(max_examples=40, deadline=None)
@given(_STEPS)
def test_any_interleaving_tells_what_a_dictionary_tells(steps: list[list[Reading] | str]) -> None:
    """After every commit, settling, half a settling, trim and reopening all queries agree with a naive model."""
    asyncio.run(_play(steps))

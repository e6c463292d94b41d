"""Bad input of every kind, through the real pipeline into the real journal: counted, kept, and the stream goes on."""

from __future__ import annotations

import json
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import cbor2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.journal import Journal
from collector.pipeline import Pipeline
from domain.instant import DAY_MS
from domain.reading import Sample
from domain.rejection import Reason
from domain.topics import UpLane, up
from tests.collector.intake import NOW_MS, Recorder, directory, fridge, payload, running, send

YEAR_SECONDS = 365 * 86_400
NOW_SECONDS = NOW_MS // 1000


def record(**fields: object) -> bytes:
    """Return a payload of one good record and one with these fields."""
    good = {"bn": "n1/", "n": "mains", "t": NOW_SECONDS, "v": 230.0, "epoch": "e1", "seq": 1}
    return json.dumps([good, {"n": "fridge", "t": NOW_SECONDS, "v": 4.5} | fields]).encode()


class Hostile(NamedTuple):
    """What somebody sends, and what has to become of it."""

    content: bytes
    reason: Reason
    good_beside: int = 0
    topic: str = up("n1", UpLane.LIVE)


CASES = {
    "nothing": Hostile(b"", Reason.NOT_SENML),
    "text": Hostile(b"hello", Reason.NOT_SENML),
    "JSON cut off": Hostile(payload("n1", 1, fridge(NOW_MS))[:-5], Reason.MALFORMED),
    "JSON that is not UTF-8": Hostile(b'[{"n":"\xff"}]', Reason.MALFORMED),
    "a JSON object": Hostile(b'{"n":"fridge","v":1}', Reason.NOT_SENML),
    "CBOR cut off": Hostile(cbor2.dumps([{0: "n1/fridge", 2: 4.5}])[:-3], Reason.MALFORMED),
    "CBOR with rubbish behind": Hostile(cbor2.dumps([{0: "n1/fridge", 2: 4.5}]) + b"\x00", Reason.MALFORMED),
    "deflate cut off": Hostile(zlib.compress(payload("n1", 1, fridge(NOW_MS)))[:-3], Reason.MALFORMED),
    "a deflate bomb": Hostile(zlib.compress(b"[" + b" " * 50_000_000 + b"]"), Reason.TOO_LARGE),
    "NaN": Hostile(record(v=float("nan")), Reason.NOT_FINITE, 1),
    "infinity": Hostile(record(v=float("inf")), Reason.NOT_FINITE, 1),
    "minus infinity": Hostile(record(v=float("-inf")), Reason.NOT_FINITE, 1),
    "a number beyond doubles": Hostile(record(v=10**400), Reason.NOT_FINITE, 1),
    "NaN in CBOR": Hostile(cbor2.dumps([{-2: "n1/", 0: "fridge", 2: float("nan")}]), Reason.NOT_FINITE),
    "deep JSON": Hostile(b"[" * 100_000 + b"]" * 100_000, Reason.TOO_DEEP),
    "a list in a record": Hostile(record(v=[1]), Reason.TOO_DEEP),
    "deep CBOR": Hostile(b"\x81" * 100_000 + b"\x00", Reason.TOO_DEEP),
    "unknown node": Hostile(payload("n2", 1, fridge(NOW_MS)), Reason.UNKNOWN_NODE, topic=up("n2", UpLane.LIVE)),
    "unknown channel": Hostile(record(n="nothing"), Reason.UNKNOWN_CHANNEL, 1),
    "another node's name": Hostile(payload("n2", 1, fridge(NOW_MS)), Reason.WRONG_NODE),
    "a unit of another dimension": Hostile(record(u="V"), Reason.UNIT_MISMATCH, 1),
    "the seventies": Hostile(record(t=300_000_000), Reason.TIME_TOO_OLD, 1),
    "a clock that starts in 1970": Hostile(record(t=3 * 86_400), Reason.TIME_IN_FUTURE, 1),
    "before 1970": Hostile(record(t=-YEAR_SECONDS * 20), Reason.TIME_TOO_OLD, 1),
    "next year": Hostile(record(t=NOW_SECONDS + YEAR_SECONDS), Reason.TIME_IN_FUTURE, 1),
    "out of range": Hostile(record(v=4_000.0), Reason.OUT_OF_RANGE, 1),
    "a megabyte": Hostile(b"[" + b'{"n":"n1/fridge","v":1},' * 45_000 + b"{}]", Reason.TOO_LARGE),
    "too many records": Hostile(b"[" + b"{}," * 10_000 + b"{}]", Reason.TOO_LARGE),
    "a foreign topic": Hostile(b"1", Reason.BAD_TOPIC, topic="vitals/v2/n1/up/live"),
    "a wildcard node": Hostile(b"1", Reason.BAD_TOPIC, topic="vitals/v1/+/up/live"),
    "a receipt of one's own": Hostile(b"{}", Reason.BAD_TOPIC, topic="vitals/v1/n1/down/receipt"),
    "a topic that never ends": Hostile(b"1", Reason.BAD_TOPIC, topic="vitals/v1/" + "x" * 60_000 + "/up/live"),
    "a state that is none": Hostile(b"[]", Reason.MALFORMED, topic=up("n1", UpLane.STATE)),
}


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    """Yield an empty journal."""
    async with Journal.open(tmp_path / "journal") as opened:
        yield opened


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
async def test_bad_input_is_counted_by_reason_and_kept_and_the_stream_goes_on(journal: Journal, case: Hostile) -> None:
    """The good records beside a bad one are stored, and so is the next message of anybody."""
    recorder = Recorder()
    async with running(recorder, directory("n1", "n3"), commit=journal.commit) as pipeline:
        await pipeline.accept(case.topic, case.content, NOW_MS)
        await send(pipeline, "n3", payload("n3", 1, fridge(NOW_MS)))
        await recorder.until(lambda: recorder.receipted("n3", 1))
        stats = pipeline.stats()
    assert dict(stats.counters.rejected) == {case.reason: 1}
    assert stats.counters.defects == 0
    ((_, kept),) = await journal.letters(limit=10)
    assert (kept.reason, kept.received_at_ms) == (case.reason, NOW_MS)
    assert kept.payload == case.content or case.good_beside or len(kept.payload) <= 4_096
    assert len(kept.payload) <= 262_144
    assert len(kept.topic) <= 256
    assert await journal.count() == 1 + case.good_beside
    assert await journal.series("n3.fridge", 0, NOW_MS + 1)


async def test_a_flood_of_everything_bad_leaves_every_good_reading_stored(journal: Journal) -> None:
    """Twenty rounds of all of it, a good batch after each, end with every good batch stored and receipted."""
    recorder = Recorder()
    async with running(recorder, directory("n1", "n3"), commit=journal.commit) as pipeline:
        for seq in range(20):
            for case in CASES.values():
                await pipeline.accept(case.topic, case.content, NOW_MS)
            await send(pipeline, "n3", payload("n3", seq, fridge(NOW_MS - seq * 1000)))
        await recorder.until(lambda: all(recorder.receipted("n3", seq) for seq in range(20)), seconds=60)
        counters = pipeline.stats().counters
    assert len(await journal.series("n3.fridge", 0, NOW_MS + 1)) == 20
    assert sum(counters.rejected.values()) == 20 * len(CASES)
    assert await journal.rejected_counts() == dict(counters.rejected)


async def test_the_refused_record_is_kept_readable(journal: Journal) -> None:
    """Whoever mends the sender sees what it sent: the record, its topic, what was found and what is allowed."""
    recorder = Recorder()
    async with running(recorder, directory("n1"), commit=journal.commit) as pipeline:
        await send(pipeline, "n1", payload("n1", 1, fridge(NOW_MS), Sample("fridge", NOW_MS - DAY_MS, 4_000.0)))
        await recorder.until(lambda: recorder.receipted("n1", 1))
    ((_, kept),) = await journal.letters(limit=10)
    assert json.loads(kept.payload) == [{"bn": "n1/", "bt": (NOW_MS - DAY_MS) // 1000, "n": "fridge", "v": 4_000.0}]
    assert kept.node == "n1"
    assert "4000" in kept.detail
    assert "150" in kept.detail


_anything = st.binary(max_size=300) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.sampled_from(["bn", "bt", "bu", "bv", "n", "u", "v", "vb", "vs", "t"]), inner, max_size=6)
    ),
    max_leaves=15,
).map(lambda value: json.dumps(value).encode())


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(contents=st.lists(_anything, max_size=8), topic=st.text(max_size=40) | st.just(up("n1", UpLane.LIVE)))
async def test_whatever_comes_nothing_stops_and_nothing_is_a_defect(contents: list[bytes], topic: str) -> None:
    """Any bytes on any topic end as readings or as refusals with a reason, and the next batch is stored."""
    recorder = Recorder()
    async with running(recorder, directory("n1", "n3")) as pipeline:
        for content in contents:
            await pipeline.accept(topic, content, NOW_MS)
        await send(pipeline, "n3", payload("n3", 1, fridge(NOW_MS)))
        await recorder.until(lambda: recorder.receipted("n3", 1))
        assert pipeline.stats().counters.defects == 0


async def test_naughty_strings_are_names_of_nothing(journal: Journal) -> None:
    """Strings that break careless software are refused like any unknown name, and can be stored for inspection."""
    source = Path(__file__).parents[2] / "../shared/data/hostile/blns.json"
    if not source.exists():
        pytest.skip(f"the recorded data are not here: {source}")
    strings = [text for text in json.loads(source.read_text(encoding="utf-8")) if isinstance(text, str)]
    recorder = Recorder()
    async with running(recorder, directory("n1"), commit=journal.commit) as pipeline:
        for text in strings:
            await _send_naughty(pipeline, text)
        await send(pipeline, "n1", payload("n1", 1, fridge(NOW_MS)))
        await recorder.until(lambda: recorder.receipted("n1", 1))
        counters = pipeline.stats().counters
    assert counters.defects == counters.batches_not_stored == 0
    assert sum(counters.rejected.values()) >= 3 * len(strings)
    assert await journal.count() == 1


async def _send_naughty(pipeline: Pipeline, text: str) -> None:
    live = up("n1", UpLane.LIVE)
    await pipeline.accept(f"vitals/v1/{text}/up/live", b"[]", NOW_MS)
    await pipeline.accept(live, text.encode("utf-8", "surrogatepass"), NOW_MS)
    for record in ({"n": f"n1/{text}", "v": 1}, {"n": "n1/fridge", "u": text or "?", "v": 1}):
        await pipeline.accept(live, json.dumps([record | {"t": NOW_SECONDS}]).encode(), NOW_MS)

"""The short way of the ordinary batch: where it says yes, the complete way says the same."""

from __future__ import annotations

import json
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.plain import read_plain
from collector.settings import PipelineSettings
from collector.validate import validate
from domain.rejection import PayloadError
from domain.senml import decode
from tests.collector.intake import NOW_MS, directory, fridge, payload

HERE = directory("n1", "n2")
SETTINGS = PipelineSettings(max_records=50, max_payload_bytes=4_096)
NOW_S = NOW_MS / 1000


def complete(content: bytes) -> tuple[object, object] | None:
    """Return identity and readings by the complete way; None where it refuses anything."""
    try:
        batch, refused = decode(
            content, node="n1", now_ms=NOW_MS, max_bytes=SETTINGS.max_payload_bytes, max_records=SETTINGS.max_records
        )
    except PayloadError:
        return None
    readings, rejected = validate(batch, HERE, now_ms=NOW_MS, settings=SETTINGS.validation)
    identity = None if batch.epoch is None or batch.seq is None else (batch.epoch, batch.seq)
    return None if refused or rejected else (identity, readings)


def short(content: bytes) -> tuple[object, object] | None:
    """Return identity and readings by the short way; None where it leaves the batch to the other."""
    found = read_plain(content, node="n1", received_at_ms=NOW_MS, directory=HERE, settings=SETTINGS)
    return None if found is None else (found.identity, found.readings)


numbers = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(-50, 50),
    st.integers(-(2**70), 2**70),
    st.sampled_from([0, -0.0, 4.5, 1e308, 2**53 + 1, 10**30]),
)
odd = st.one_of(st.none(), st.booleans(), st.text(max_size=3), st.lists(st.integers(), max_size=1))
moments = st.one_of(
    st.sampled_from([NOW_S, NOW_S - 60, NOW_S - 0.001, NOW_S + 599, NOW_S + 601, 0, -60, 1.5, 2**28, 1e300]),
    st.floats(NOW_S - 1e6, NOW_S + 700),
    numbers,
)
records = st.fixed_dictionaries(
    {},
    optional={
        "n": st.one_of(st.sampled_from(["fridge", "mains", "door", "nothing", "", "é"]), odd),
        "v": st.one_of(numbers, st.floats(0, 8), odd),
        "t": st.one_of(st.sampled_from([0, 1, 0.5, -60]), moments, odd),
        "u": st.one_of(st.sampled_from(["Cel", "V", "degF", "", "%"]), odd),
        "q": st.sampled_from(["good", "uncertain", "bad"]),
        "vb": st.booleans(),
        "bv": st.just(1),
        "bn": st.sampled_from(["n1/", "n2/"]),
        "bt": moments,
    },
)
heads = st.fixed_dictionaries(
    {"bn": st.sampled_from(["n1/", "n1/", "n1/", "n2/", "n1"]), "bt": moments},
    optional={
        "epoch": st.one_of(st.sampled_from(["e1", "", "x" * 65, "a b"]), odd),
        "seq": st.one_of(st.sampled_from([0, 7, -1, 2**53, 7.0, 1e3]), odd),
        "bver": st.sampled_from([10, 11]),
    },
)
ordinary = st.lists(
    st.fixed_dictionaries(
        {"n": st.sampled_from(["fridge", "mains"]), "v": st.floats(0, 8)},
        optional={"t": st.floats(-1000, 0), "u": st.sampled_from(["Cel", "V"])},
    ),
    min_size=1,
    max_size=4,
)
packs = st.builds(lambda head, first, rest: [head | first, *rest], heads, records, st.lists(records, max_size=3))
plain_packs = st.builds(lambda head, rest: [head | rest[0], *rest[1:]], heads, ordinary)


@settings(max_examples=400)
@given(pack=st.one_of(packs, plain_packs), deflated=st.booleans())
def test_where_the_short_way_says_yes_the_complete_way_says_the_same(pack: list[object], deflated: bool) -> None:
    """The same identity and the same readings, to the last bit."""
    content = json.dumps(pack).encode()
    found = short(zlib.compress(content) if deflated else content)
    if found is not None:
        assert repr(found) == repr(complete(content))


@settings(max_examples=200)
@given(content=st.one_of(st.binary(max_size=60), st.text(max_size=60).map(lambda text: f"[{text}]".encode())))
def test_it_never_raises(content: bytes) -> None:
    """Whatever the bytes."""
    assert short(content) is None or complete(content) is not None
    assert short(zlib.compress(content)[:-1]) is None


@pytest.mark.parametrize(
    "content",
    [
        b'[{"bn":"n1/","bt":1760000000,"n":"fridge","v":1e400}]',
        b'[{"bn":"n1/","bt":1760000000,"n":"fridge","v":NaN}]',
        b'[{"bn":"n1/","bt":1760000000,"n":"fridge","v":true}]',
        b'[{"bn":"n1/","bt":1760000000,"n":"fridge","v":null}]',
        b'[{"bn":"n1/","bt":-60,"n":"fridge","v":4}]',
        b'[{"bn":"n1/","bt":1760000000,"n":"fridge","v":4,"q":"uncertain"}]',
        b"[" * 5_000,
        b"[]",
        b"x\x9c",
    ],
)
def test_anything_odd_takes_the_complete_way(content: bytes) -> None:
    """Also what the complete way would accept."""
    assert short(content) is None


def test_what_nodes_send_takes_the_short_way() -> None:
    """Deflated or not, with and without an identity."""
    content = payload("n1", 7, fridge(NOW_MS), fridge(NOW_MS - 60_000, -2.25))
    assert short(content) == short(zlib.compress(content)) == complete(content)
    assert short(content) is not None
    assert short(payload("n1", None, fridge(NOW_MS))) is not None

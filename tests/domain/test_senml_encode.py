"""SenML out: every batch comes back as it was, in few bytes."""

import json
import math
from collections import defaultdict

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.reading import Batch, Quality, Sample
from domain.senml import WireFormat, decode, encode
from domain.senml_labels import ABSOLUTE_FROM_MS

START_MS = 1_763_640_000_000

names = st.from_regex(r"[a-z][a-z0-9._-]{0,12}", fullmatch=True)
moments = st.integers(ABSOLUTE_FROM_MS, 4_102_444_800_000)
units = st.sampled_from([None, "Cel", "V", "l/s"])
values = st.floats(allow_nan=False, allow_infinity=False) | st.decimals(-1000, 1000, places=2).map(float)
measured = st.builds(Sample, names, moments, values, st.sampled_from([Quality.GOOD, Quality.UNCERTAIN]), units)
missing = st.builds(
    Sample,
    names,
    moments,
    st.none(),
    st.sampled_from([Quality.BAD_VALUE, Quality.SENSOR_GONE, Quality.BUS_ERROR]),
    units,
)
identities = st.tuples(st.from_regex(r"[0-9a-f]{8}", fullmatch=True), st.integers(0, 2**53 - 1)) | st.just((None, None))
batches = st.builds(
    lambda identity, samples: Batch("n1", identity[0], identity[1], tuple(samples)),
    identities,
    st.lists(measured | missing, min_size=1, max_size=30),
)


def _by_channel(batch: Batch) -> dict[tuple[str, str | None], list[Sample]]:
    grouped = defaultdict(list)
    for sample in batch.samples:
        grouped[sample.name, sample.unit].append(sample)
    return grouped


@given(batch=batches, deflate=st.booleans())
def test_json_brings_back_the_same_batch(batch: Batch, deflate: bool) -> None:
    """Identity, order, moments to the millisecond and every value exactly."""
    payload = encode(batch, format=WireFormat.JSON, deflate=deflate)
    decoded = decode(payload, node="n1", now_ms=START_MS)
    assert decoded.refused == ()
    assert decoded.batch == batch


@given(batch=batches, deflate=st.booleans())
def test_cbor_brings_back_the_same_batch_channel_by_channel(batch: Batch, deflate: bool) -> None:
    """Only the order between different channels may change."""
    payload = encode(batch, format=WireFormat.CBOR, deflate=deflate)
    decoded = decode(payload, node="n1", now_ms=START_MS)
    assert decoded.refused == ()
    assert decoded.batch._replace(samples=()) == batch._replace(samples=())
    assert _by_channel(decoded.batch) == _by_channel(batch)


@pytest.mark.parametrize("wire_format", WireFormat)
def test_a_negative_zero_keeps_its_sign(wire_format: WireFormat) -> None:
    """Exact means exact."""
    payload = encode(Batch("n1", None, None, (Sample("a", START_MS, -0.0),)), format=wire_format)
    (sample,) = decode(payload, node="n1", now_ms=START_MS).batch.samples
    assert sample.value is not None
    assert math.copysign(1.0, sample.value) == -1.0


def _minutely(channels: int, readings: int) -> Batch:
    samples = (
        Sample(f"fridge-{n % channels + 1}.temp", START_MS + n // channels * 60_000, round(4 + n * 0.1, 1))
        for n in range(readings)
    )
    return Batch("kasese-hc3", "1f0c9a77", 12_345, tuple(samples))


@pytest.mark.parametrize(("channels", "deflate"), [(1, False), (10, False), (20, True)])
def test_a_hundred_readings_cost_few_bytes_in_cbor(channels: int, deflate: bool) -> None:
    """Metered links pay at most 15 bytes a reading."""
    payload = encode(_minutely(channels, 100), format=WireFormat.CBOR, deflate=deflate)
    assert len(payload) <= 15 * 100


def test_json_reads_as_the_rfc_shows_it() -> None:
    """The pack is plain SenML that any other reader understands."""
    batch = Batch(
        "n1",
        "1f0c9a77",
        3,
        (
            Sample("fridge", START_MS, 4.4, unit="Cel"),
            Sample("tank", START_MS + 1500, None, Quality.SENSOR_GONE),
            Sample("fridge", START_MS + 60_000, 4.5, Quality.UNCERTAIN, "Cel"),
        ),
    )
    assert json.loads(encode(batch, format=WireFormat.JSON)) == [
        {"bn": "n1/", "bt": 1763640000, "epoch": "1f0c9a77", "seq": 3, "n": "fridge", "u": "Cel", "v": 4.4},
        {"n": "tank", "t": 1.5, "vs": "sensor_gone"},
        {"n": "fridge", "u": "Cel", "t": 60, "v": 4.5, "q": "uncertain"},
    ]


def test_cbor_writes_integer_labels() -> None:
    """CBOR packs use the labels of RFC 8428 section 6."""
    batch = Batch("n1", "1f0c9a77", 3, (Sample("fridge", START_MS, 4.5), Sample("fridge", START_MS + 1000, 5.0)))
    assert cbor2.loads(encode(batch, format=WireFormat.CBOR)) == [
        {-2: "n1/fridge", -3: 1763640000, "epoch": "1f0c9a77", "seq": 3, 2: 4.5},
        {6: 1, 2: 5},
    ]


@given(batch=batches)
def test_the_same_batch_gives_the_same_bytes(batch: Batch) -> None:
    """A batch that is sent again is byte for byte what was sent before."""
    for wire_format in WireFormat:
        assert encode(batch, format=wire_format) == encode(batch, format=wire_format)

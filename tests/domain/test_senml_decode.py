"""SenML in: what RFC 8428 says is read, and what cannot be used is refused as narrowly as possible."""

import contextlib
import json
import zlib
from typing import Any

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.instant import to_datetime
from domain.reading import Quality, Sample
from domain.rejection import PayloadError, Reason
from domain.senml import Decoded, decode
from domain.senml_labels import CBOR_LABELS, JSON_LABELS

NOW_MS = 1_763_640_000_000
TO_CBOR = dict(zip(JSON_LABELS, CBOR_LABELS, strict=True))


def _json(records: Any) -> Decoded:
    return decode(json.dumps(records).encode(), node="n1", now_ms=NOW_MS)


def _cbor(records: Any) -> Decoded:
    coded = [{TO_CBOR.get(label, label): value for label, value in record.items()} for record in records]
    return decode(cbor2.dumps(coded), node="n1", now_ms=NOW_MS)


@pytest.fixture(params=[_json, _cbor], ids=["json", "cbor"])
def read(request: pytest.FixtureRequest) -> Any:
    """Return a function that decodes plain records through one of the two formats."""
    return request.param


def _refusal(payload: bytes, **limits: int) -> Reason:
    with pytest.raises(PayloadError) as refusal:
        decode(payload, node="n1", now_ms=NOW_MS, **limits)
    assert refusal.value.detail
    return refusal.value.reason


def _record_refusals(decoded: Decoded) -> list[Reason]:
    return [refused.reason for refused in decoded.refused]


def test_base_fields_hold_until_they_are_set_again(read: Any) -> None:
    """Base name, time, unit and value apply to their own record and to those that follow (RFC 8428 section 4.1)."""
    decoded = read(
        [
            {"bn": "n1/", "bt": 1.5e9, "bu": "Cel", "bv": 1.0, "n": "a", "v": 3.0},
            {"n": "b", "v": 4.0, "t": 10},
            {"n": "c", "v": 5.0, "u": "V", "t": -10},
            {"bn": "n1/x.", "bv": 0.0, "bt": 1.6e9, "n": "d", "v": 6.0},
        ]
    )
    assert decoded.batch.samples == (
        Sample("a", 1_500_000_000_000, 4.0, Quality.GOOD, "Cel"),
        Sample("b", 1_500_000_010_000, 5.0, Quality.GOOD, "Cel"),
        Sample("c", 1_499_999_990_000, 6.0, Quality.GOOD, "V"),
        Sample("x.d", 1_600_000_000_000, 6.0, Quality.GOOD, "Cel"),
    )


def test_a_record_of_base_fields_alone_is_no_measurement(read: Any) -> None:
    """A sender may set the base first and measure later."""
    decoded = read([{"bn": "n1/", "bt": 1.6e9}, {"n": "a", "v": 1}])
    assert decoded.batch.samples == (Sample("a", 1_600_000_000_000, 1.0),)
    assert decoded.refused == ()


@pytest.mark.parametrize(("time", "expected_ms"), [(0, NOW_MS), (-90.5, NOW_MS - 90_500), (2**28 - 1, None)])
def test_small_times_are_relative_to_arrival(read: Any, time: float, expected_ms: int | None) -> None:
    """A resolved time below 2**28 counts from now, also without a time at all (RFC 8428 section 4.5.3)."""
    (sample,) = read([{"bn": "n1/", "n": "a", "v": 1, "t": time}]).batch.samples
    assert sample.measured_at_ms == (expected_ms or NOW_MS + (2**28 - 1) * 1000)


def test_the_first_absolute_time_is_absolute(read: Any) -> None:
    """2**28 itself is a moment in 1978."""
    (sample,) = read([{"bn": "n1/", "n": "a", "v": 1, "t": 2**28}]).batch.samples
    assert sample.measured_at_ms == 2**28 * 1000


def test_the_batch_identity_stands_in_the_first_record(read: Any) -> None:
    """Epoch and sequence number come back, for the receipt to name."""
    decoded = read([{"bn": "n1/", "bt": 1.6e9, "epoch": "1f0c9a77", "seq": 7, "n": "a", "v": 1}])
    assert (decoded.batch.node, decoded.batch.epoch, decoded.batch.seq) == ("n1", "1f0c9a77", 7)


def test_a_batch_without_identity_is_read_too(read: Any) -> None:
    """Foreign SenML has no epoch; it is data all the same."""
    decoded = read([{"n": "n1/a", "v": 1}])
    assert (decoded.batch.epoch, decoded.batch.seq, len(decoded.batch.samples)) == (None, None, 1)


@pytest.mark.parametrize(
    "identity", [{"epoch": "a"}, {"seq": 1}, {"epoch": "", "seq": 1}, {"epoch": "a", "seq": -1}, {"epoch": 1, "seq": 1}]
)
def test_half_an_identity_is_refused(identity: dict[str, Any]) -> None:
    """A batch that could never be receipted is told at once."""
    assert _refusal(json.dumps([{"n": "n1/a", "v": 1} | identity]).encode()) is Reason.NOT_SENML


def test_a_quality_stands_for_the_missing_value(read: Any) -> None:
    """``vs`` carries a quality label, and a value in doubt carries ``q``."""
    decoded = read(
        [
            {"bn": "n1/", "bt": 1.6e9, "n": "a", "vs": "sensor_gone"},
            {"n": "b", "v": 4.5, "q": "uncertain"},
            {"n": "c", "vb": True},
            {"n": "d", "vb": False},
        ]
    )
    assert [(sample.value, sample.quality) for sample in decoded.batch.samples] == [
        (None, Quality.SENSOR_GONE),
        (4.5, Quality.UNCERTAIN),
        (1.0, Quality.GOOD),
        (0.0, Quality.GOOD),
    ]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"n": "a", "v": "4.5"}, Reason.NOT_SENML),
        ({"n": "a", "v": True}, Reason.NOT_SENML),
        ({"n": "a", "v": None}, Reason.NOT_SENML),
        ({"n": "a", "t": 5}, Reason.NOT_SENML),
        ({"n": "a", "s": 5}, Reason.NOT_SENML),
        ({"n": "a", "v": 1, "vs": "bad_value"}, Reason.NOT_SENML),
        ({"n": "a", "vs": "very cold"}, Reason.NOT_SENML),
        ({"n": "a", "vs": "good"}, Reason.NOT_SENML),
        ({"n": "a", "v": 1, "q": "sensor_gone"}, Reason.NOT_SENML),
        ({"n": "a", "v": 1, "q": 1}, Reason.NOT_SENML),
        ({"n": "a", "vd": "aGk"}, Reason.NOT_SENML),
        ({"n": "a", "vb": 1}, Reason.NOT_SENML),
        ({"n": 5, "v": 1}, Reason.NOT_SENML),
        ({"n": "a b", "v": 1}, Reason.NOT_SENML),
        ({"n": "\ud800", "v": 1}, Reason.NOT_SENML),
        ({"n": "", "v": 1}, Reason.WRONG_NODE),
        ({"n": "a", "v": 1, "u": 5}, Reason.NOT_SENML),
        ({"n": "a", "v": 1, "u": "\ud800"}, Reason.NOT_SENML),
        ({"n": "a", "v": 1, "t": "0"}, Reason.NOT_SENML),
        ({"n": "a", "v": 1, "t": False}, Reason.NOT_SENML),
        ({"n": "a", "v": float("nan")}, Reason.NOT_FINITE),
        ({"n": "a", "v": float("-inf")}, Reason.NOT_FINITE),
        ({"n": "a", "v": 10**400}, Reason.NOT_FINITE),
        ({"n": "a", "v": 1, "t": float("nan")}, Reason.NOT_FINITE),
        ({"n": "a", "v": 1, "t": 10**400}, Reason.NOT_FINITE),
        ({"n": "a", "v": 1, "t": 1e300}, Reason.TIME_IN_FUTURE),
        ({"n": "a", "v": 1, "t": -1e300}, Reason.TIME_TOO_OLD),
        ({"n": "a", "v": 1, "t": 253_402_300_800 - 1.6e9}, Reason.TIME_IN_FUTURE),
    ],
)
def test_one_bad_record_is_refused_alone(record: dict[str, Any], reason: Reason) -> None:
    """The records before and after a bad one are kept, and the refusal shows the record."""
    decoded = _json([{"bn": "n1/", "bt": 1.6e9, "n": "x", "v": 1}, record, {"n": "y", "v": 2}])
    assert [sample.name for sample in decoded.batch.samples] == ["x", "y"]
    assert _record_refusals(decoded) == [reason]
    assert json.loads(decoded.refused[0].record).keys() == record.keys()
    assert "found" in decoded.refused[0].detail


@pytest.mark.parametrize("value", [b"\xf9\x7e\x00", b"\xf9\x7c\x00", b"\xfb\x7f\xf0\x00\x00\x00\x00\x00\x00"])
def test_what_is_not_finite_in_cbor_is_refused_alone(value: bytes) -> None:
    """CBOR's own NaN and infinities cost their record only."""
    payload = b"\x82\xa2\x00\x64n1/a\x02" + value + b"\xa2\x00\x64n1/b\x02\x01"
    decoded = decode(payload, node="n1", now_ms=NOW_MS)
    assert [sample.name for sample in decoded.batch.samples] == ["b"]
    assert _record_refusals(decoded) == [Reason.NOT_FINITE]


def test_another_nodes_name_is_refused(read: Any) -> None:
    """A node speaks for itself only, also where the other's name begins like its own."""
    decoded = read([{"n": "n1/a", "v": 1}, {"n": "n2/a", "v": 1}, {"n": "n10/a", "v": 1}, {"n": "n1", "v": 1}])
    assert [sample.name for sample in decoded.batch.samples] == ["a"]
    assert _record_refusals(decoded) == [Reason.WRONG_NODE] * 3


def test_a_refused_record_still_sets_the_base(read: Any) -> None:
    """The base belongs to the pack, whatever its record measured."""
    decoded = read([{"bn": "n1/", "bt": 1.6e9, "n": "a", "v": "?"}, {"n": "b", "v": 1}])
    assert decoded.batch.samples == (Sample("b", 1_600_000_000_000, 1.0),)


def test_unknown_labels_are_ignored_unless_they_must_be_understood(read: Any) -> None:
    """A label that ends in an underscore may not be skipped (RFC 8428 section 4.4)."""
    assert len(read([{"n": "n1/a", "v": 1, "colour": "red"}]).batch.samples) == 1
    with pytest.raises(PayloadError) as refusal:
        read([{"n": "n1/a", "v": 1}, {"n": "n1/a", "v": 1, "scale_": 10}])
    assert refusal.value.reason is Reason.NOT_SENML


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", Reason.NOT_SENML),
        (b"hello", Reason.NOT_SENML),
        (b'{"temperature": 5}', Reason.NOT_SENML),
        (b"[]", Reason.NOT_SENML),
        (b"\x80", Reason.NOT_SENML),
        (b"[1, 2]", Reason.NOT_SENML),
        (b'["a"]', Reason.NOT_SENML),
        (b"[null]", Reason.NOT_SENML),
        (b'[{"bver": 11, "n": "n1/a", "v": 1}]', Reason.NOT_SENML),
        (b'[{"bn": 5, "n": "n1/a", "v": 1}]', Reason.NOT_SENML),
        (b'[{"bt": "now", "n": "n1/a", "v": 1}]', Reason.NOT_SENML),
        (b'[{"bt": NaN, "n": "n1/a", "v": 1}]', Reason.NOT_SENML),
        (b'[{"bv": true, "n": "n1/a", "v": 1}]', Reason.NOT_SENML),
        (b"[", Reason.MALFORMED),
        (b'[{"n": "n1/a", "v": 1}] [', Reason.MALFORMED),
        (b'[{"n": "n1/\xff", "v": 1}]', Reason.MALFORMED),
        (b'[{"n": "n1/a", "v": ' + b"9" * 5000 + b"}]", Reason.MALFORMED),
        (b"\x81", Reason.MALFORMED),
        (b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff", Reason.MALFORMED),
        (b"\x81\xa1\x02\x5b\x00\x00\x00\x10\x00\x00\x00\x00", Reason.MALFORMED),
        (b"\x81\xa2\x00\x64n1/a\x02\x01\x00", Reason.MALFORMED),
        (b"\x81\xa2\x02\x01\x02\x02", Reason.MALFORMED),
        (b"\x81\xff", Reason.MALFORMED),
        (b"x\x9c", Reason.MALFORMED),
        (b"xyz", Reason.MALFORMED),
        (zlib.compress(b"[]") + b"more", Reason.MALFORMED),
        (zlib.compress(b"[" * 4000)[:-6], Reason.MALFORMED),
        (zlib.compress(zlib.compress(b"[]")), Reason.NOT_SENML),
        (b"[" * 100_000, Reason.TOO_DEEP),
        (b'[{"a":' * 40_000, Reason.TOO_DEEP),
        (b"[[]]", Reason.TOO_DEEP),
        (b'[{"n": "n1/a", "v": [1]}]', Reason.TOO_DEEP),
        (b'[{"n": "n1/a", "v": 1, "more": {"deep": 1}}]', Reason.TOO_DEEP),
        (b'[{"n": {}, "v": 1}]', Reason.TOO_DEEP),
        (b"\x81" * 100_000, Reason.TOO_DEEP),
        (b"\x9f" * 100_000, Reason.TOO_DEEP),
        (b"\x81" + b"\xa1\x00" * 100_000, Reason.TOO_DEEP),
        (b"\x81" + b"\xc4" * 100_000, Reason.TOO_DEEP),
        (b"\x81\xa1\x02\x81\x01", Reason.TOO_DEEP),
    ],
)
def test_an_unusable_payload_is_refused_as_a_whole(payload: bytes, reason: Reason) -> None:
    """Each way of being unusable has its reason, and none of them crashes or recurses."""
    assert _refusal(payload) is reason


@pytest.mark.parametrize(
    "tag", [0, 1, 2, 3, 5, 25, 28, 29, 30, 35, 36, 37, 52, 54, 100, 258, 260, 261, 1004, 43000, 999]
)
@pytest.mark.parametrize("inner", [1, "2020-01-01", b"\x01", [1, 2], [9**15, 1]])
def test_a_foreign_tag_is_refused(tag: int, inner: Any) -> None:
    """CBOR has tags for dates, patterns and references; SenML has one, for decimal fractions."""
    payload = cbor2.dumps([{0: "n1/a", 2: cbor2.CBORTag(tag, inner)}])
    assert _refusal(payload) in {Reason.MALFORMED, Reason.TOO_DEEP}


@pytest.mark.parametrize("pair", [[1], [1, 2, 3], ["1", 2], [10**9, 1], [-(10**9), 1], 5, [1.5, 2], [True, 2]])
def test_a_broken_decimal_fraction_is_refused(pair: Any) -> None:
    """A decimal fraction is a pair of small integers; a huge exponent is an attack."""
    assert _refusal(cbor2.dumps([{0: "n1/a", 2: cbor2.CBORTag(4, pair)}])) is Reason.MALFORMED


@given(value=st.floats(allow_nan=False, allow_infinity=False))
def test_a_decimal_fraction_is_the_nearest_double(value: float) -> None:
    """The digits that Python writes for a double come back as that double (RFC 8428 section 6)."""
    digits, _, power = f"{value!r}".partition("e")
    whole, _, fraction = digits.partition(".")
    tag = cbor2.CBORTag(4, [int(power or 0) - len(fraction), int(whole + fraction)])
    (sample,) = decode(cbor2.dumps([{0: "n1/a", 2: tag}]), node="n1", now_ms=NOW_MS).batch.samples
    assert sample.value == value


def test_size_is_bounded_before_and_after_inflating() -> None:
    """A small bomb is refused as the large thing it is."""
    assert _refusal(b"[" + b" " * 300_000) is Reason.TOO_LARGE
    assert _refusal(zlib.compress(b"[" + b" " * 100_000_000)) is Reason.TOO_LARGE
    assert _refusal(json.dumps([{"n": "n1/a", "v": 1}] * 11).encode(), max_records=10) is Reason.TOO_LARGE


def test_white_space_before_the_list_is_json_too() -> None:
    """A person's own SenML may begin with a new line."""
    assert len(decode(b'\r\n\t [{"n": "n1/a", "v": 1}]', node="n1", now_ms=NOW_MS).batch.samples) == 1


keys = st.sampled_from([*JSON_LABELS, *CBOR_LABELS, "epoch", "seq", "q", "x", "must_"]) | st.text(max_size=3)
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["n1/", "n1/a", "bad_value"])
)
packs = st.lists(st.dictionaries(keys, scalars | st.lists(scalars, max_size=2), max_size=6), max_size=5)


@settings(max_examples=300)
@given(pack=packs, flip=st.integers(0, 400), byte=st.integers(0, 255), as_json=st.booleans())
def test_no_pack_does_worse_than_be_refused(pack: Any, flip: int, byte: int, as_json: bool) -> None:
    """Records of any fields, one byte of them overwritten, give samples with usable moments or a refusal."""
    payload = bytearray(json.dumps(pack).encode() if as_json else cbor2.dumps(pack))
    if flip < len(payload):
        payload[flip] = byte
    try:
        decoded = decode(bytes(payload), node="n1", now_ms=NOW_MS)
    except PayloadError:
        return
    for sample in decoded.batch.samples:
        to_datetime(sample.measured_at_ms)
        assert (sample.value is None) is not sample.quality.usable


@settings(max_examples=300)
@given(st.binary(max_size=60), st.sampled_from([b"", b"[", b"\x81", b"\x9f", b"\x81\xa1", b"\x81\xc4", b"x\x9c"]))
def test_no_bytes_do_worse_than_be_refused(body: bytes, first: bytes) -> None:
    """Bytes of any kind raise nothing but a payload error."""
    with contextlib.suppress(PayloadError):
        decode(first + body, node="n1", now_ms=NOW_MS)

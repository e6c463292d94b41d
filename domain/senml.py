"""SenML (RFC 8428): the one codec for both ends, JSON and CBOR, deflated or not; bytes in, samples out.

The format is recognised by the first byte. docs/wire.md has examples, and what was measured.
"""

from __future__ import annotations

import json
import zlib
from decimal import Decimal
from enum import StrEnum
from io import BytesIO
from math import copysign, isfinite
from typing import Any, NamedTuple

import cbor2

from domain.reading import Batch
from domain.rejection import PayloadError, Reason
from domain.senml_labels import CBOR_LABELS, JSON_LABELS, Labels
from domain.senml_pack import cbor_records, json_records
from domain.senml_records import RefusedRecord, read_identity, read_records

__all__ = ["Decoded", "PayloadError", "RefusedRecord", "WireFormat", "decode", "encode"]

MAX_BYTES = 262_144
MAX_RECORDS = 10_000

_JSON_SPACE = b" \t\r\n"
_ZLIB_FIRST = 0x78
_CBOR_ARRAY_FIRST = range(0x80, 0xA0)
_CBOR_DEPTH = 4
"""The list, its records, and a decimal fraction with its pair."""
_DECIMAL_FRACTION = 4
# What cbor2 would build from a tag: dates, patterns, addresses, shared references. RFC 8428 section 6 has one tag.
_REFUSED_TAGS = (0, 1, 2, 3, 5, 25, 28, 29, 30, 35, 36, 37, 52, 54, 100, 256, 258, 260, 261, 1004, 43000, 55799)


class WireFormat(StrEnum):
    """How a pack is written; the receiving end recognises it by the first byte."""

    JSON = "json"
    CBOR = "cbor"


class Decoded(NamedTuple):
    """What a payload said: the good samples, and the records that were refused."""

    batch: Batch
    refused: tuple[RefusedRecord, ...] = ()


def decode(
    payload: bytes, *, node: str, now_ms: int, max_bytes: int = MAX_BYTES, max_records: int = MAX_RECORDS
) -> Decoded:
    """Return the samples in a payload that came on a topic of ``node``.

    ``now_ms`` is the moment of arrival, which relative times refer to. ``max_bytes`` holds before and after inflating.
    A record that cannot be used is refused alone. A payload that is unusable as a whole raises ``PayloadError`` with
    ``too_large``, ``malformed``, ``too_deep`` or ``not_senml``, and nothing else is ever raised.
    """
    records, labels = _parse(payload, max_bytes)
    if len(records) > max_records:
        raise PayloadError(Reason.TOO_LARGE, f"found {len(records)} records; allowed: {max_records}")
    if not records:
        raise PayloadError(Reason.NOT_SENML, "found no record; allowed: a list of one or more")
    samples, refused = read_records(records, labels=labels, node=node, now_ms=now_ms)
    epoch, seq = read_identity(records[0])
    return Decoded(Batch(node, epoch, seq, tuple(samples)), tuple(refused))


def encode(batch: Batch, *, format: WireFormat, deflate: bool = False) -> bytes:  # noqa: A002 - the field's word
    """Return the payload for a batch; the same batch always gives the same bytes.

    JSON keeps the order of the samples, CBOR the order within each channel. Moments before 1978-07-04T21:24:16Z
    cannot be written in SenML (they would be read as relative to now); it is for the caller to keep them out.
    """
    if format is WireFormat.JSON:
        payload = json.dumps(json_records(batch), separators=(",", ":")).encode()
    else:
        payload = cbor2.dumps(cbor_records(batch, number=_smallest), canonical=True)
    return zlib.compress(payload, 9) if deflate else payload


def _parse(payload: bytes, max_bytes: int) -> tuple[list[Any], Labels]:
    if len(payload) > max_bytes:
        raise PayloadError(Reason.TOO_LARGE, f"found {len(payload)} bytes; allowed: {max_bytes}")
    if payload[:1] == bytes((_ZLIB_FIRST,)):
        payload = inflated(payload, max_bytes)
    first = payload[:1] if payload[:1] not in (b" ", b"\t", b"\r", b"\n") else payload.lstrip(_JSON_SPACE)[:1]
    if first == b"[":
        return _parse_json(payload), JSON_LABELS
    if first and first[0] in _CBOR_ARRAY_FIRST:
        return _parse_cbor(payload), CBOR_LABELS
    found = f"first byte 0x{first.hex()}" if first else "nothing"
    raise PayloadError(Reason.NOT_SENML, f"found {found}; allowed: a JSON or CBOR array, deflated with zlib or not")


def inflated(payload: bytes, max_bytes: int) -> bytes:
    """Return what zlib made small, at most so many bytes; raise ``PayloadError``."""
    inflator = zlib.decompressobj()
    try:
        inflated = inflator.decompress(payload, max_bytes + 1)
    except zlib.error as error:
        raise PayloadError(Reason.MALFORMED, f"found broken zlib data: {error}") from error
    if len(inflated) > max_bytes:
        raise PayloadError(Reason.TOO_LARGE, f"found more than {max_bytes} bytes after inflating; allowed: {max_bytes}")
    if not inflator.eof or inflator.unused_data:
        raise PayloadError(Reason.MALFORMED, "found zlib data with a wrong end")
    return inflated


def _parse_json(payload: bytes) -> list[Any]:
    try:
        records = json.loads(payload.decode())
    except RecursionError as error:
        raise PayloadError(Reason.TOO_DEEP, "found nesting deeper than SenML's list of records") from error
    except ValueError as error:
        raise PayloadError(Reason.MALFORMED, f"found broken JSON: {str(error)[:100]}") from error
    return list(records)


def _parse_cbor(payload: bytes) -> list[Any]:
    stream = BytesIO(payload)
    try:
        records = cbor2.CBORDecoder(
            stream, semantic_decoders=_TAGS, tag_hook=_refuse_tag, max_depth=_CBOR_DEPTH, allow_duplicate_keys=False
        ).decode()
    except (cbor2.CBORError, ValueError, TypeError, ArithmeticError, RecursionError, MemoryError) as error:
        if isinstance(error, RecursionError) or "depth" in str(error):
            raise PayloadError(Reason.TOO_DEEP, "found nesting deeper than SenML's list of records") from error
        raise PayloadError(Reason.MALFORMED, f"found broken CBOR: {str(error)[:100]}") from error
    if stream.tell() != len(payload):
        raise PayloadError(Reason.MALFORMED, f"found {len(payload) - stream.tell()} bytes behind the CBOR array")
    return list(records)


def _refuse_tag(tag: object, _immutable: bool) -> object:
    raise ValueError("a tag other than 4 (decimal fraction)")


def _decimal_fraction(pair: Any, _immutable: bool) -> float:
    """Return the double nearest to ``mantissa * 10**exponent`` (RFC 8949 section 3.4.4)."""
    exponent, mantissa = pair
    if type(exponent) is not int or type(mantissa) is not int or abs(exponent) > 999:
        raise ValueError("a decimal fraction that is no pair of small integers")
    if -22 <= exponent <= 0 and -(2**53) <= mantissa <= 2**53:
        return mantissa / _POWERS_OF_TEN[-exponent]  # both are exact doubles, so the quotient is rounded once
    return float(f"{mantissa}e{exponent}")


def _smallest(value: float) -> object:
    """Return what cbor2 writes in the fewest bytes and reads back as exactly this double."""
    if not isfinite(value) or (value == 0.0 and copysign(1.0, value) < 0):
        return value
    if value.is_integer() and abs(value) <= 2**53:
        return int(value)
    shortest = Decimal(repr(value))
    exponent = int(shortest.as_tuple().exponent)
    fraction = cbor2.CBORTag(_DECIMAL_FRACTION, [exponent, int(shortest.scaleb(-exponent))])
    return min(value, fraction, key=_cbor_size)


def _cbor_size(item: object) -> int:
    return len(cbor2.dumps(item, canonical=True))


_POWERS_OF_TEN = tuple(10.0**power for power in range(23))
_TAGS = dict.fromkeys(_REFUSED_TAGS, _refuse_tag) | {_DECIMAL_FRACTION: _decimal_fraction}

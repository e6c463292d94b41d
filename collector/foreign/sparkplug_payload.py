"""The few fields of a Sparkplug B payload that are readings, taken out of its protocol buffers.

Field numbers are those of ``sparkplug_b.proto`` (Eclipse Tahu); every other field is stepped over.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from domain.rejection import PayloadError, Reason

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_LONGEST_VARINT = 10
_TIMESTAMP, _METRIC = 1, 2
_NAME, _ALIAS, _METRIC_TIMESTAMP, _DATATYPE, _IS_NULL = 1, 2, 3, 4, 7
_INT, _LONG, _FLOAT, _DOUBLE, _BOOLEAN = 10, 11, 12, 13, 14
_SIGNED_BITS = {1: 8, 2: 16, 3: 32, 4: 64}
"""Datatypes Int8 to Int64; they travel as unsigned numbers in two's complement."""
_UNSIGNED = frozenset({5, 6, 7, 8, 13})
"""UInt8 to UInt64 and DateTime."""

Field = tuple[int, int | float | bytes]


@dataclass(slots=True)
class Metric:
    """One metric of a payload."""

    name: str | None = None
    alias: int | None = None
    timestamp: int | None = None
    """Milliseconds since 1970."""
    is_null: bool = False
    has_number: bool = False
    """False for texts, data sets, templates."""
    value: float | None = None
    """None where the number's sign cannot be known: data may leave out the type that a birth has told."""


def read_payload(payload: bytes) -> tuple[int | None, list[Metric]]:
    """Return the payload's timestamp (milliseconds since 1970) and its metrics; raise ``PayloadError`` for others."""
    timestamp: int | None = None
    metrics: list[Metric] = []
    for number, value in _fields(payload):
        if number == _TIMESTAMP and isinstance(value, int):
            timestamp = value
        elif number == _METRIC and isinstance(value, bytes):
            metrics.append(_metric(value))
    return timestamp, metrics


def _metric(data: bytes) -> Metric:
    metric, datatype, found = Metric(), 0, None
    for number, value in _fields(data):
        if number == _NAME and isinstance(value, bytes):
            metric.name = _text(value)
        elif number == _ALIAS and isinstance(value, int):
            metric.alias = value
        elif number == _METRIC_TIMESTAMP and isinstance(value, int):
            metric.timestamp = value
        elif number == _DATATYPE and isinstance(value, int):
            datatype = value
        elif number == _IS_NULL:
            metric.is_null = bool(value)
        elif _INT <= number <= _BOOLEAN and not isinstance(value, bytes):
            found = (number, value)
    if found is not None:
        metric.has_number, metric.value = True, _value(*found, datatype)
    return metric


def _value(number: int, found: float, datatype: int) -> float | None:
    if number not in (_INT, _LONG) or not isinstance(found, int):
        return float(found)
    bits = _SIGNED_BITS.get(datatype)
    if bits is not None:
        found &= (1 << bits) - 1
        return float(found - (1 << bits) if found >> (bits - 1) else found)
    if datatype not in _UNSIGNED and found >> (31 if number == _INT else 63):
        return None
    return float(found)


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise _broken("a name that is not UTF-8") from None


def _fields(data: bytes) -> Iterator[Field]:
    """Yield (number, value) of a message's fields."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, kind = key >> 3, key & 7
        value: int | float | bytes
        if kind == _VARINT:
            value, at = _varint(data, at)
        elif kind == _BYTES:
            length, at = _varint(data, at)
            value, at = _piece(data, at, length), at + length
        elif kind == _FIXED32:
            value, at = struct.unpack("<f", _piece(data, at, 4))[0], at + 4
        elif kind == _FIXED64:
            value, at = struct.unpack("<d", _piece(data, at, 8))[0], at + 8
        else:
            raise _broken(f"wire type {kind}")
        yield number, value


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Return the number that begins at a place, and the place behind it."""
    value = 0
    for place in range(_LONGEST_VARINT):
        if at + place >= len(data):
            break
        byte = data[at + place]
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, at + place + 1
    raise _broken("a number without an end")


def _piece(data: bytes, at: int, length: int) -> bytes:
    if at + length > len(data):
        raise _broken("a field that is cut off")
    return data[at : at + length]


def _broken(found: str) -> PayloadError:
    return PayloadError(Reason.MALFORMED, f"found {found}; allowed: a Sparkplug B payload")

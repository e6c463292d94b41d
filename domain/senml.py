"""SenML (RFC 8428): the one codec for both ends, JSON and CBOR, deflated or not, bytes in and samples out."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from domain.reading import Batch
from domain.rejection import PayloadError, Reason

__all__ = ["Decoded", "PayloadError", "RefusedRecord", "WireFormat", "decode", "encode"]


class WireFormat(StrEnum):
    """How a pack is written; the receiving end recognises it by the first byte."""

    JSON = "json"
    CBOR = "cbor"


class RefusedRecord(NamedTuple):
    """One record that cannot be used while the others of its pack can."""

    reason: Reason
    detail: str
    record: bytes
    """The record as JSON text, for a person to read."""


class Decoded(NamedTuple):
    """What a payload said: the good samples, and the records that were refused."""

    batch: Batch
    refused: tuple[RefusedRecord, ...] = ()


def decode(payload: bytes, *, node: str, now_ms: int, max_bytes: int = 262_144, max_records: int = 10_000) -> Decoded:
    """Return the samples in a payload that came on a topic of ``node``."""
    raise NotImplementedError


def encode(batch: Batch, *, format: WireFormat, deflate: bool = False) -> bytes:  # noqa: A002 - the field's word
    """Return the payload for a batch."""
    raise NotImplementedError

"""Bytes in, samples out: whose message it is, what kind, and what the codec makes of it."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from collector.lanes import Message
from collector.settings import PipelineSettings
from domain.reading import Batch, Sample
from domain.rejection import PayloadError, Reason, Rejected
from domain.senml import Decoded, WireFormat
from domain.senml import decode as decode_senml
from domain.senml import encode as encode_senml
from domain.topics import UpLane, parse_topic

READINGS_LANES = frozenset({UpLane.LIVE, UpLane.BACKFILL})


_parse_topic = lru_cache(maxsize=65_536)(parse_topic)
"""Remembers good topics, which are short; a bad one raises and is not remembered."""


class Parcel(NamedTuple):
    """A message whose topic has been read."""

    node: str
    lane: UpLane
    message: Message


def open_parcel(message: Message) -> Parcel:
    """Return the message with its topic read; raise ``PayloadError`` for a topic that nodes do not publish on."""
    topic = _parse_topic(message.topic)
    if not isinstance(topic.lane, UpLane):
        raise PayloadError(Reason.BAD_TOPIC, f"found a message on down/{topic.lane}; allowed: up/<lane>")
    return Parcel(topic.node, topic.lane, message)


def check_size(message: Message, settings: PipelineSettings) -> None:
    """Raise ``PayloadError`` for a payload that was too large to be held."""
    if message.size > settings.max_payload_bytes:
        detail = f"found {message.size} bytes; allowed: {settings.max_payload_bytes} bytes a payload"
        raise PayloadError(Reason.TOO_LARGE, detail)


def decode(parcel: Parcel, settings: PipelineSettings) -> Decoded:
    """Return the samples and the refused records of a parcel of readings; raise ``PayloadError`` as the codec does."""
    return decode_senml(
        parcel.message.payload,
        node=parcel.node,
        now_ms=parcel.message.came_at_ms,
        max_bytes=settings.max_payload_bytes,
        max_records=settings.max_records,
    )


def identity(batch: Batch) -> tuple[str, int] | None:
    """Return (epoch, seq) of a batch that can be receipted, else None."""
    return None if batch.epoch is None or batch.seq is None else (batch.epoch, batch.seq)


def reject(message: Message, reason: Reason, detail: str, *, node: str | None, kept: bytes) -> Rejected:
    """Return what is kept for inspection of something refused."""
    return Rejected(reason, detail, message.topic[:256], node, kept, message.received_at_ms)


def sample_alone(node: str, sample: Sample) -> bytes:
    """Return a refused sample as a SenML pack of its own, absolute in time, which can be sent again."""
    return encode_senml(Batch(node, None, None, (sample,)), format=WireFormat.JSON)

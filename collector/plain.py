"""The ordinary batch, from bytes to readings in one pass: JSON, every record with a name, a value and nothing odd.

This is the way that nearly everything takes, and it knows only how to say yes: for any batch of which it is not certain
that decoding and validating (``collector/decode.py``, ``collector/validate.py``) would accept all of it, it returns
None, and the batch takes the complete way. What both accept is the same to the last bit (a property test holds it).
"""

from __future__ import annotations

import re
from functools import partial
from typing import NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from collector.settings import PipelineSettings
from collector.validate import plan_of
from domain.directory import Directory
from domain.reading import Quality, Reading
from domain.receipt import MAX_SEQ
from domain.rejection import PayloadError
from domain.senml import inflated
from domain.senml_labels import ABSOLUTE_END_SECONDS, ABSOLUTE_FROM_SECONDS, EPOCH_PATTERN

_EPOCH = re.compile(EPOCH_PATTERN)
_LARGEST_BASE_TIME = 2.0**53


class _Record(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """A record as nodes write it; any other label, or null anywhere, is not for this way."""

    v: float
    n: str = ""
    t: float = 0.0
    u: str | UnsetType = UNSET
    bn: str | UnsetType = UNSET
    bt: float | UnsetType = UNSET
    epoch: str | UnsetType = UNSET
    seq: int | float | UnsetType = UNSET


_make = partial(tuple.__new__, Reading)
"""``Reading._make`` without its own frame."""
_decode = msgspec.json.Decoder(list[_Record]).decode


class Plain(NamedTuple):
    """An ordinary batch, all of it accepted."""

    identity: tuple[str, int] | None
    readings: list[Reading]


def read_plain(
    payload: bytes, *, node: str, received_at_ms: int, directory: Directory, settings: PipelineSettings
) -> Plain | None:
    """Return the readings of an ordinary batch, or None; never raises, whatever the payload."""
    try:
        if payload[:1] == b"\x78":
            payload = inflated(payload, settings.max_payload_bytes)
        records = _decode(payload)
    except (msgspec.DecodeError, PayloadError, ValueError, RecursionError):
        return None
    plan = plan_of(node, directory)
    if plan is None or not 0 < len(records) <= settings.max_records:
        return None
    head = records[0]
    base_time, identity = head.bt, _identity(head)
    if head.bn != f"{node}/" or base_time is UNSET or abs(base_time) > _LARGEST_BASE_TIME or identity is _NOT_CERTAIN:
        return None
    oldest_ms = settings.validation.oldest_ms
    newest_ms = received_at_ms + settings.validation.future_tolerance_ms
    routes, find, make, good = plan.routes, plan.find, _make, Quality.GOOD
    readings: list[Reading] = []
    head.bn = head.bt = UNSET
    for record in records:  # one plain loop: nearly every reading of the country passes here
        name, unit, seconds = record.n, record.u, base_time + record.t
        key = (name, None if unit is UNSET else unit)
        route = routes.get(key) or find(*key)
        if (
            route is None
            or record.bn is not UNSET
            or record.bt is not UNSET
            or not ABSOLUTE_FROM_SECONDS <= seconds < ABSOLUTE_END_SECONDS
        ):
            return None
        channel, lowest, highest, scale, offset = route
        measured_at_ms, value = round(seconds * 1000), record.v * scale + offset
        if not (oldest_ms <= measured_at_ms <= newest_ms and lowest <= value <= highest):
            return None
        readings.append(make((channel, measured_at_ms, value, good, received_at_ms)))
    return Plain(identity, readings)


_NOT_CERTAIN = ("", -1)


def _identity(head: _Record) -> tuple[str, int] | None:
    """Return epoch and number, None where there is neither, ``_NOT_CERTAIN`` where they may not be right."""
    epoch, seq = head.epoch, head.seq
    if epoch is UNSET and seq is UNSET:
        return None
    if epoch is UNSET or type(seq) is not int or not 0 <= seq <= MAX_SEQ or not _EPOCH.fullmatch(epoch):
        return _NOT_CERTAIN
    return epoch, seq

"""SenML records to samples: base fields, relative times, and what is refused, record by record."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import lru_cache
from math import isfinite
from typing import Any, NamedTuple, TypeGuard

from domain.reading import QUALITY_BY_LABEL, Quality, Sample
from domain.receipt import MAX_SEQ
from domain.rejection import PayloadError, Reason
from domain.senml_labels import (
    ABSOLUTE_END_SECONDS,
    ABSOLUTE_FROM_SECONDS,
    EPOCH,
    EPOCH_PATTERN,
    JSON_LABELS,
    NAME,
    QUALITY,
    SEQ,
    VERSION,
    Label,
    Labels,
    Record,
)

MAX_NAME_CHARACTERS = 256
"""Node and channel together; also bounds what the memory of good names can grow to."""
MAX_UNIT_CHARACTERS = 32
MAX_SHOWN_CHARACTERS = 500
_NAME = re.compile(NAME)
_EPOCH = re.compile(EPOCH_PATTERN)
_NUMBERS = frozenset((int, float))
_CONTAINERS = frozenset((list, dict, tuple))


class RefusedRecord(NamedTuple):
    """One record that cannot be used while the others of its pack can."""

    reason: Reason
    detail: str
    record: bytes
    """The beginning of the record as JSON text, for a person to read."""


class _Refused(Exception):  # noqa: N818 - never leaves this module: it becomes a RefusedRecord
    def __init__(self, reason: Reason, detail: str) -> None:
        self.reason = reason
        self.detail = detail


def read_identity(first: object) -> tuple[str | None, int | None]:
    """Return epoch and sequence number of a pack from its first record; both or none, else ``PayloadError``."""
    if not isinstance(first, dict) or not (EPOCH in first or SEQ in first):
        return None, None
    epoch, seq = first.get(EPOCH), first.get(SEQ)
    if not isinstance(epoch, str) or not _EPOCH.fullmatch(epoch):
        raise _not_senml(f"found {EPOCH} {_short(epoch)}; allowed: {_EPOCH.pattern}")
    if type(seq) is not int or not 0 <= seq <= MAX_SEQ:
        raise _not_senml(f"found {SEQ} {_short(seq)}; allowed: an integer of 0 to {MAX_SEQ}")
    return epoch, seq


def read_records(
    records: Sequence[Any], *, labels: Labels, node: str, now_ms: int
) -> tuple[list[Sample], list[RefusedRecord]]:
    """Return the good samples in their order, and the records that were refused.

    Raises ``PayloadError`` (``not_senml``, ``too_deep``) where the pack as a whole cannot be understood.

    The loop body is the ordinary case (name, time, value and unit, nothing odd about any of them) written out in
    one piece; everything else, and every refusal, is told by ``_Resolver``. Names and units that were found good
    once, names also in an earlier payload, are looked up, not examined again.
    """
    resolver = _Resolver(labels, node, now_ms)
    units, prefix = resolver.units, resolver.prefix
    plain = frozenset((labels.name, labels.unit, labels.value, labels.time))
    name_label, unit_label, value_label, time_label = labels.name, labels.unit, labels.value, labels.time
    base_name, base_unit, base_time, shifted = "", None, resolver.base_time, False
    numbers, make, good = _NUMBERS, Sample._make, Quality.GOOD
    first, end = ABSOLUTE_FROM_SECONDS, ABSOLUTE_END_SECONDS
    samples: list[Sample] = []
    refused: list[RefusedRecord] = []
    for record in records:
        try:
            if record.keys() <= plain and not shifted:
                get = record.get
                value, time = record[value_label], get(time_label, 0)
                channel = _channel_of(base_name + get(name_label, ""), prefix)
                unit = get(unit_label, base_unit)
                if type(value) in numbers and type(time) in numbers and unit in units and isfinite(value):
                    seconds = base_time + time
                    if first <= seconds < end:
                        samples.append(make((channel, round(seconds * 1000), float(value), good, unit)))
                        continue
        except (AttributeError, KeyError, TypeError, OverflowError, _Refused):
            pass
        try:
            sample = resolver.resolve(record)
            if sample is not None:
                samples.append(sample)
        except _Refused as refusal:
            refused.append(RefusedRecord(refusal.reason, refusal.detail, _as_text(record, labels)))
        base_name, base_unit, base_time = resolver.base_name, resolver.base_unit, resolver.base_time
        shifted = resolver.base_value is not None
    return samples, refused


class _Resolver:
    """The base fields in force, and the slow and complete reading of one record."""

    def __init__(self, labels: Labels, node: str, now_ms: int) -> None:
        self.labels = labels
        self.known = frozenset(labels) | {EPOCH, SEQ, QUALITY}
        self.values = (labels.value, labels.text, labels.boolean, labels.data)
        self.own = frozenset((labels.name, labels.time, labels.sum, QUALITY, *self.values))
        self.prefix = f"{node}/"
        self.now_ms = now_ms
        self.base_name = ""
        self.base_time: int | float = 0
        self.base_unit: str | None = None
        self.base_value: float | None = None
        self.units: set[str | None] = {None}
        """Units that were found to be text."""

    def resolve(self, record: object) -> Sample | None:
        """Return the record's sample, or None for one that only sets base fields."""
        if not isinstance(record, dict):
            if isinstance(record, list):
                raise PayloadError(Reason.TOO_DEEP, "found a list inside the list; allowed: a list of records")
            raise _not_senml(f"found {_short(record)}; allowed: a list of records")
        self._check_labels(record)
        self._set_base(record)
        if self.own.isdisjoint(record):
            return None
        channel = self._channel(record)
        value, quality = self._value(record)
        return Sample(channel, self._moment_ms(record), value, quality, self._unit(record))

    def _check_labels(self, record: Record) -> None:
        for label, value in record.items():
            if type(value) in _CONTAINERS:
                raise PayloadError(Reason.TOO_DEEP, f"found a list or object under label {_short(label)}")
            if label not in self.known and isinstance(label, str) and label.endswith("_"):
                raise _not_senml(f"found label {_short(label)}, which must be understood and is not")

    def _set_base(self, record: Record) -> None:
        labels = self.labels
        if labels.version in record and record[labels.version] != VERSION:
            raise _not_senml(f"found version {_short(record[labels.version])}; allowed: {VERSION}")
        if labels.base_name in record:
            self.base_name = _text(record, labels.base_name)
        if labels.base_unit in record:
            self.base_unit = _text(record, labels.base_unit)
        if labels.base_time in record:
            self.base_time = _base_number(record, labels.base_time)
        if labels.base_value in record:
            self.base_value = _base_number(record, labels.base_value)

    def _channel(self, record: Record) -> str:
        own = record.get(self.labels.name, "")
        if not isinstance(own, str):
            raise _Refused(Reason.NOT_SENML, f"found name {_short(own)}; allowed: text")
        return _channel_of(self.base_name + own, self.prefix)

    def _value(self, record: Record) -> tuple[float | None, Quality]:
        labels = self.labels
        present = [label for label in self.values if label in record]
        if len(present) != 1:
            raise _Refused(Reason.NOT_SENML, f"found {len(present)} value fields; allowed: one of v, vb, vs")
        if labels.value in record:
            return self._number(record), _quality(record.get(QUALITY, Quality.GOOD.label), usable=True)
        if labels.boolean in record:
            if not isinstance(record[labels.boolean], bool):
                raise _Refused(Reason.NOT_SENML, f"found vb {_short(record[labels.boolean])}; allowed: true, false")
            return float(bool(record[labels.boolean])), _quality(record.get(QUALITY, Quality.GOOD.label), usable=True)
        if labels.text in record:
            return None, _quality(record[labels.text], usable=False)
        raise _Refused(Reason.NOT_SENML, "found vd (data); allowed: one of v, vb, vs")

    def _number(self, record: Record) -> float:
        value = record[self.labels.value]
        if not _is_number(value):
            raise _Refused(Reason.NOT_SENML, f"found v {_short(value)}; allowed: a number")
        try:
            number = float(value) if self.base_value is None else float(value) + self.base_value
        except OverflowError:
            number = float("inf")
        if not isfinite(number):
            raise _Refused(Reason.NOT_FINITE, f"found v {_short(value)}; allowed: a finite number")
        return number

    def _moment_ms(self, record: Record) -> int:
        time = record.get(self.labels.time, 0)
        if not _is_number(time):
            raise _Refused(Reason.NOT_SENML, f"found t {_short(time)}; allowed: a number of seconds")
        try:
            seconds = self.base_time + time
            finite = isfinite(seconds)
        except OverflowError:
            finite = False
        if not finite:
            raise _Refused(Reason.NOT_FINITE, f"found t {_short(time)}; allowed: a finite number of seconds")
        if seconds <= -ABSOLUTE_FROM_SECONDS:
            raise _Refused(Reason.TIME_TOO_OLD, f"found time {_short(seconds)} s; allowed: more than -2**28")
        if seconds >= ABSOLUTE_END_SECONDS:
            raise _Refused(Reason.TIME_IN_FUTURE, f"found time {_short(seconds)} s; allowed: before the year 10000")
        relative = seconds < ABSOLUTE_FROM_SECONDS
        return round(seconds * 1000) + (self.now_ms if relative else 0)

    def _unit(self, record: Record) -> str | None:
        unit = record.get(self.labels.unit, self.base_unit)
        if unit is None or (isinstance(unit, str) and unit.isascii() and len(unit) <= MAX_UNIT_CHARACTERS):
            self.units.add(unit)
            return unit
        raise _Refused(Reason.NOT_SENML, f"found unit {_short(unit)}; allowed: a SenML unit symbol")


@lru_cache(maxsize=65_536)
def _channel_of(name: str, prefix: str) -> str:
    """Return the channel in a resolved name; remembers good names only, for a refusal is raised."""
    if len(name) > MAX_NAME_CHARACTERS or not _NAME.fullmatch(name):
        allowed = f"{NAME}, at most {MAX_NAME_CHARACTERS} characters"
        raise _Refused(Reason.NOT_SENML, f"found name {_short(name)}; allowed: {allowed}")
    channel = name.removeprefix(prefix)
    if not channel or channel == name:
        raise _Refused(Reason.WRONG_NODE, f"found name {_short(name)}; allowed: {prefix}<channel>")
    return channel


def _quality(label: object, *, usable: bool) -> Quality:
    quality = QUALITY_BY_LABEL.get(label) if isinstance(label, str) else None
    if quality is None or quality.usable is not usable:
        field = QUALITY if usable else "vs"
        allowed = ", ".join(known.label for known in Quality if known.usable is usable)
        raise _Refused(Reason.NOT_SENML, f"found {field} {_short(label)}; allowed: {allowed}")
    return quality


def _is_number(value: object) -> TypeGuard[int | float]:
    return type(value) in _NUMBERS


def _text(record: Record, label: Label) -> str:
    value = record[label]
    if not isinstance(value, str):
        raise _not_senml(f"found {_short(value)} under label {label!r}; allowed: text")
    return value


def _base_number(record: Record, label: Label) -> float:
    value = record[label]
    if not isinstance(value, int | float) or isinstance(value, bool) or not -1e300 < value < 1e300:
        raise _not_senml(f"found {_short(value)} under label {label!r}; allowed: a finite number")
    return value


def _not_senml(detail: str) -> PayloadError:
    return PayloadError(Reason.NOT_SENML, detail)


def _short(value: object) -> str:
    if isinstance(value, int) and value.bit_length() > 256:
        return "a huge integer"
    return repr(value)[:80]


def _as_text(record: object, labels: Labels) -> bytes:
    """Return a record that holds no containers as JSON text with the labels that people know."""
    names = dict(zip(labels, JSON_LABELS, strict=True))
    fields = record.items() if isinstance(record, dict) else ()
    shown = {str(names.get(label, label)): value for label, value in fields}
    text = json.dumps(shown, default=_short)
    return text[:MAX_SHOWN_CHARACTERS].encode()

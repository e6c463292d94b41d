"""Samples to SenML records: plain ones for JSON, small ones for CBOR."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from domain.reading import Batch, Quality, Sample
from domain.senml_labels import CBOR_LABELS, EPOCH, JSON_LABELS, QUALITY, SEQ, Labels, Record

Number = Callable[[float], object]
"""How a number of this format is written: itself, or an object that takes fewer bytes and means the same."""


def json_records(batch: Batch) -> list[Record]:
    """Return one record per sample in the order of the batch, under one base name and base time."""
    records: list[Record] = []
    head = _head(batch, JSON_LABELS, f"{batch.node}/")
    base_s = _base_seconds(batch.samples)
    if batch.samples:
        head[JSON_LABELS.base_time] = base_s
    for sample in batch.samples:
        named: Record = {JSON_LABELS.name: sample.name}
        records.append(head | named | _fields(sample, base_s, JSON_LABELS, number=_itself))
        head = {}
    return records or [head]


def cbor_records(batch: Batch, *, number: Number) -> list[Record]:
    """Return one record per sample, grouped by unit and channel so that names and units are written once.

    The order within a channel stays; groups stand in the order of their first sample, those without a unit first,
    because a base unit cannot be taken back.
    """
    base_s = _base_seconds(batch.samples)
    groups: dict[tuple[bool, str, str], list[Sample]] = {}
    for sample in batch.samples:
        groups.setdefault((sample.unit is not None, sample.unit or "", sample.name), []).append(sample)
    records: list[Record] = []
    head = _head(batch, CBOR_LABELS, None)
    if batch.samples:
        head[CBOR_LABELS.base_time] = base_s
    unit_in_force: str | None = None
    for has_unit, unit, name in sorted(groups, key=lambda group: group[:2]):
        head[CBOR_LABELS.base_name] = f"{batch.node}/{name}"
        if has_unit and unit != unit_in_force:
            head[CBOR_LABELS.base_unit] = unit_in_force = unit
        for sample in groups[has_unit, unit, name]:
            bare = sample._replace(unit=None)
            records.append(head | _fields(bare, base_s, CBOR_LABELS, number=number))
            head = {}
    return records or [head]


def _head(batch: Batch, labels: Labels, base_name: str | None) -> Record:
    head: Record = {}
    if base_name is not None:
        head[labels.base_name] = base_name
    if batch.epoch is not None and batch.seq is not None:
        head[EPOCH], head[SEQ] = batch.epoch, batch.seq
    return head


def _base_seconds(samples: Iterable[Sample]) -> int:
    return min((sample.measured_at_ms // 1000 for sample in samples), default=0)


def _fields(sample: Sample, base_s: int, labels: Labels, *, number: Number) -> Record:
    fields: Record = {}
    if sample.unit is not None:
        fields[labels.unit] = sample.unit
    offset_ms = sample.measured_at_ms - base_s * 1000
    if offset_ms:
        fields[labels.time] = number(offset_ms / 1000) if offset_ms % 1000 else offset_ms // 1000
    if sample.value is None or not sample.quality.usable:
        fields[labels.text] = sample.quality.label
        return fields
    fields[labels.value] = number(sample.value)
    if sample.quality is not Quality.GOOD:
        fields[QUALITY] = sample.quality.label
    return fields


def _itself(value: float) -> object:
    return value

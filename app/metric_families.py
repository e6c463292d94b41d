"""Gauges and counters as Prometheus' client wants them, from mappings of label values to numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from app.exposition.text import unit_of

LabelValues = TypeVar("LabelValues", bound=tuple[str, ...])


def gauge(name: str, text: str, labels: Sequence[str], samples: Mapping[LabelValues, float]) -> GaugeMetricFamily:
    """Return a gauge with these samples."""
    family = GaugeMetricFamily(name, text, labels=labels, unit=unit_of(name))
    for values, value in samples.items():
        family.add_metric(values, value)
    return family


def counter(name: str, text: str, labels: Sequence[str], samples: Mapping[LabelValues, float]) -> CounterMetricFamily:
    """Return a counter with these samples; ``_total`` is put after its name."""
    family = CounterMetricFamily(name, text, labels=labels, unit=unit_of(name))
    for values, value in samples.items():
        family.add_metric(values, value)
    return family

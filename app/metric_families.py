"""Gauges, counters and histograms as Prometheus' client wants them, from mappings of label values to numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.utils import floatToGoString

from app.exposition.text import unit_of
from domain.histogram import Spread

LabelValues = TypeVar("LabelValues", bound=tuple[str, ...])


def gauge(name: str, text: str, labels: Sequence[str], samples: Mapping[LabelValues, float]) -> GaugeMetricFamily:
    """Return a gauge with these samples."""
    family = GaugeMetricFamily(name, text, labels=labels, unit=unit_of(name))
    for values, value in samples.items():
        family.add_metric(values, value)
    return family


def histogram(
    name: str, text: str, labels: Sequence[str], samples: Mapping[LabelValues, Spread]
) -> HistogramMetricFamily:
    """Return a histogram with these spreads."""
    family = HistogramMetricFamily(name, text, labels=labels, unit=unit_of(name))
    for values, spread in samples.items():
        bounds = [*map(floatToGoString, spread.bounds), "+Inf"]
        family.add_metric(values, list(zip(bounds, spread.up_to, strict=True)), spread.total)
    return family


def counter(name: str, text: str, labels: Sequence[str], samples: Mapping[LabelValues, float]) -> CounterMetricFamily:
    """Return a counter with these samples; ``_total`` is put after its name."""
    family = CounterMetricFamily(name, text, labels=labels, unit=unit_of(name))
    for values, value in samples.items():
        family.add_metric(values, value)
    return family

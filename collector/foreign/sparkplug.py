"""Sparkplug B: births and data of edge nodes and devices (``spBv1.0/<group>/NDATA/<edge node>[/<device>]``).

The node is ``sparkplug-<group>.2f<edge node>[.2f<device>]``, a channel is a metric's name. Metrics that come with an
alias in place of a name are refused: what an alias means is known from the last birth alone (see the decision on it).
Deaths and commands are no readings.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo

from collector.foreign.adapter import Adapter
from collector.foreign.naming import node_name
from collector.foreign.sparkplug_payload import Metric, read_payload
from collector.foreign.topics import bad_topic, split
from collector.foreign.values import Moment, moment_of_epoch, sample, without_value
from domain.reading import Batch, Quality, Sample
from domain.rejection import PayloadError, Reason

_NAMESPACE = "spBv1.0"
_OF_NODES, _OF_DEVICES = frozenset({"NBIRTH", "NDATA"}), frozenset({"DBIRTH", "DDATA"})
_ADMINISTRATIVE = ("bdSeq", "Node Control/", "Device Control/")


def read(topic: str, payload: bytes, received_at_ms: int, *, zone: tzinfo | None) -> list[Batch]:
    """See ``adapter.Read``."""
    levels = split(topic)
    if len(levels) not in (4, 5) or levels[0] != _NAMESPACE:
        raise bad_topic(
            topic, f"{_NAMESPACE}/<group>/NDATA/<edge node>, {_NAMESPACE}/<group>/DDATA/<edge node>/<device>"
        )
    if levels[2] not in (_OF_NODES if len(levels) == 4 else _OF_DEVICES):
        return []
    timestamp, metrics = read_payload(payload)
    sent = moment_of_epoch(timestamp, received_at_ms, per_second=1000)
    samples = tuple(_samples(metrics, sent))
    return [Batch(node_name("sparkplug", "/".join((levels[1], *levels[3:]))), None, None, samples)]


def _samples(metrics: list[Metric], sent: Moment) -> Iterator[Sample]:
    for metric in metrics:
        if metric.name is None:
            found = f"a metric known by its alias {metric.alias} alone"
            raise PayloadError(Reason.MALFORMED, f"found {found}; switch aliases off at the edge node")
        if metric.name.startswith(_ADMINISTRATIVE) or not (metric.is_null or metric.has_number):
            continue
        moment = sent
        if metric.timestamp is not None:
            moment = moment_of_epoch(metric.timestamp, sent.at_ms, per_second=1000)
        if metric.is_null or metric.value is None:
            yield without_value(metric.name, moment, Quality.BAD_VALUE)
        else:
            yield sample(metric.name, moment, metric.value)


ADAPTER = Adapter(
    "sparkplug",
    (
        f"{_NAMESPACE}/+/NBIRTH/+",
        f"{_NAMESPACE}/+/NDATA/+",
        f"{_NAMESPACE}/+/DBIRTH/+/+",
        f"{_NAMESPACE}/+/DDATA/+/+",
    ),
    read,
)

"""The figures that every facility and node has, as text for Prometheus.

Written here and not by the client's library: of a nation there are 60,000, which take it two seconds of a processor at
every scrape, and this a tenth of that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache

from alerts.facts import Power
from dashboards.pages.status import FacilityStatus, Status
from domain.places import Facility, Node, Service

_SERVICE_GAUGES = {
    Service.MONITORING: ("vitals_facility_up", "1 while the facility is heard, 0 while it is silent."),
    Service.POWER: ("vitals_facility_power_available", "1 while the facility has power, 0 without or when silent."),
    Service.COLD_CHAIN: ("vitals_facility_cold_chain_ok", "1 while no cold-chain alert is critical, 0 when silent."),
    Service.WATER: ("vitals_facility_water_available", "1 while no water alert is critical, 0 when silent."),
}
_ESCAPED = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})
_REMEMBERED = 32_768

Heard = Sequence[tuple[Node, int | None]]
"""Nodes, and when each was last heard (milliseconds); None: never."""


def place_text(statuses: Sequence[FacilityStatus], power_of: Callable[[str], Power | None], nodes: Heard) -> str:
    """Return the gauges of facilities and nodes."""
    return "".join((*_facilities(statuses, power_of), _nodes(nodes)))


def _facilities(statuses: Sequence[FacilityStatus], power_of: Callable[[str], Power | None]) -> Iterator[str]:
    for service, (name, text) in _SERVICE_GAUGES.items():
        found = ((each, _status(each, service)) for each in statuses)
        yield _gauge(
            name,
            text,
            (
                (_of_facility(each.facility), _working(each, status, service, power_of))
                for each, status in found
                # A registered facility always has a series that says whether it is heard.
                if service is Service.MONITORING or status is not Status.NOT_MONITORED
            ),
        )
    yield _gauge(
        "vitals_facility_last_seen_timestamp_seconds",
        "When the facility was last heard; 0: never.",
        ((_of_facility(each.facility), (each.last_heard_ms or 0) / 1000) for each in statuses),
    )


def _nodes(nodes: Heard) -> str:
    return _gauge(
        "vitals_node_last_heard_timestamp_seconds",
        "When the node was last heard; 0: never.",
        ((_of_node(node), (heard_ms or 0) / 1000) for node, heard_ms in nodes),
    )


def _working(
    status: FacilityStatus, of_service: Status, service: Service, power_of: Callable[[str], Power | None]
) -> float:
    if status.last_heard_ms is None or of_service is Status.CRITICAL or of_service is Status.SILENT:
        return 0.0
    power = power_of(status.facility.id) if service is Service.POWER else None
    # An outage is seldom critical by the rules, for a clinic may live with it; power is gone all the same.
    return float(power is None or power.on)


def _status(status: FacilityStatus, service: Service) -> Status:
    for each in status.services:
        if each.service is service:
            return each.status
    return Status.NOT_MONITORED


def _gauge(name: str, text: str, samples: Iterable[tuple[str, float]]) -> str:
    """Return a family; samples come with their labels as text."""
    lines = [f"{name}{labels} {value!r}\n" for labels, value in samples]
    return f"# HELP {name} {text}\n# TYPE {name} gauge\n{''.join(lines)}"


@lru_cache(maxsize=_REMEMBERED)
def _of_facility(facility: Facility) -> str:
    return _labels(country=facility.country, district=facility.district, facility=facility.id, region=facility.region)


@lru_cache(maxsize=_REMEMBERED)
def _of_node(node: Node) -> str:
    return _labels(facility=node.facility, node=node.id)


def _labels(**values: str) -> str:
    return "{" + ",".join(f'{name}="{value.translate(_ESCAPED)}"' for name, value in values.items()) + "}"

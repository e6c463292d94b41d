"""What Prometheus is told of every facility and node."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, NamedTuple

from api.exposition import Exposition
from app.exposition.text import AT_ONCE, Family, Kind, labels, written
from dashboards.figures.watched import APPLIANCES
from dashboards.sla.live import SERVICES, Account, Condition, LiveView
from dashboards.sla.live_range import TimeInRange
from dashboards.sla.targets import Target, target_of
from domain.directory import Directory, once_per_directory
from domain.places import Facility, Node, Service

UP: Final = Family("vitals_facility_up", Kind.GAUGE, "1 while the facility is heard, 0 while it is silent.")
WORKING: Final[Mapping[Service, Family]] = {
    Service.MONITORING: UP,
    Service.POWER: Family(
        "vitals_facility_power_available", Kind.GAUGE, "1 while the facility has power, 0 without or when silent."
    ),
    Service.COLD_CHAIN: Family(
        "vitals_facility_cold_chain_ok", Kind.GAUGE, "1 while no cold-chain alert is critical, 0 when silent."
    ),
    Service.WATER: Family(
        "vitals_facility_water_available", Kind.GAUGE, "1 while no water alert is critical, 0 when silent."
    ),
}
LAST_SEEN: Final = Family(
    "vitals_facility_last_seen_timestamp_seconds", Kind.GAUGE, "When the facility was last heard; 0: never."
)
INFO: Final = Family("vitals_facility_info", Kind.GAUGE, "1, with the name and the timezone of the facility.")
OUTAGES: Final = Family(
    "vitals_facility_outages",
    Kind.COUNTER,
    "How often the service went down since this process started; from 0 after a restart.",
)
OUTAGE_SECONDS: Final = Family(
    "vitals_facility_outage_seconds",
    Kind.COUNTER,
    "How long the service was down since this process started, unknown times left out; from 0 after a restart.",
)
OBSERVED_SECONDS: Final = Family(
    "vitals_facility_observed_seconds",
    Kind.COUNTER,
    "How long it was known whether the service is up since this process started; from 0 after a restart.",
)
TARGET: Final = Family(
    "vitals_facility_uptime_target_ratio", Kind.GAUGE, "The availability that is promised for the service."
)
IN_RANGE: Final = Family(
    "vitals_cold_chain_in_range_seconds",
    Kind.COUNTER,
    "Appliance-seconds within the limits since this process started, by live readings; from 0 after a restart.",
)
COLD_OBSERVED: Final = Family(
    "vitals_cold_chain_observed_seconds",
    Kind.COUNTER,
    "Appliance-seconds that live readings cover since this process started; from 0 after a restart.",
)
NODE_HEARD: Final = Family(
    "vitals_node_last_heard_timestamp_seconds", Kind.GAUGE, "When the node was last heard; 0: never."
)
FAMILIES: Final = (
    *WORKING.values(), LAST_SEEN, INFO, OUTAGES, OUTAGE_SECONDS, OBSERVED_SECONDS, TARGET, IN_RANGE, COLD_OBSERVED,
    NODE_HEARD,
)  # fmt: skip

Heard = Sequence[tuple[Node, int | None]]
"""Nodes, and when each was last heard (milliseconds); None: never."""
TimeOf = Callable[[str], TimeInRange]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Whom to ask; nothing here may wait."""

    live: Callable[[], LiveView]
    range_of: TimeOf
    """The time in range of a facility's appliances."""
    directory: Callable[[], Directory]
    nodes: Callable[[], Heard]
    targets: Sequence[Target] = ()


class _Known(NamedTuple):
    """What is worth remembering of a facility, because it changes only with the registry."""

    facility: Facility
    text: str
    """Its labels, without braces."""
    info: str
    targets: tuple[float | None, ...]
    """By service."""


class _Row(NamedTuple):
    known: _Known
    account: Account


@dataclass(slots=True)
class FacilityText:
    """Writes the families of facilities and nodes; remembers the text of their labels."""

    asked: Asked
    _known: dict[str, _Known] = field(default_factory=dict)

    def render(self, form: Exposition) -> Iterator[str]:
        """Take how everything is now; the parts of the text can be asked for in another thread."""
        return self._written(form, self.asked.live(), self.asked.nodes())

    def _written(self, form: Exposition, view: LiveView, nodes: Heard) -> Iterator[str]:
        rows: list[_Row] = []
        for start in range(0, len(view.accounts), AT_ONCE):
            part = view.accounts[start : start + AT_ONCE]
            rows += [_Row(self._of(account.status.facility), account) for account in part]
            yield ""
        # Exchanged whole, for two may write at the same time.
        self._known = {row.known.facility.id: row.known for row in rows}
        for number, service in enumerate(SERVICES):
            yield from written(WORKING[service], form, rows, partial(_working, number=number))
        yield from written(LAST_SEEN, form, rows, _last_seen)
        yield from written(INFO, form, rows, _info)
        yield from written(OUTAGES, form, rows, _outages)
        yield from written(OUTAGE_SECONDS, form, rows, partial(_down, now_ms=view.now_ms))
        yield from written(OBSERVED_SECONDS, form, rows, partial(_observed, now_ms=view.now_ms))
        yield from written(TARGET, form, rows, _targets)
        with_appliances = facilities_with_appliances(self.asked.directory())
        cold = [each for each in rows if each.known.facility.id in with_appliances]
        range_of = self.asked.range_of
        yield from written(IN_RANGE, form, cold, partial(_in_range, range_of=range_of))
        yield from written(COLD_OBSERVED, form, cold, partial(_cold_observed, range_of=range_of))
        yield from written(NODE_HEARD, form, nodes, partial(_nodes, text_of=_text_of_nodes(self.asked.directory())))

    def _of(self, facility: Facility) -> _Known:
        known = self._known.get(facility.id)
        if known is not None and known.facility is facility:
            return known
        text = labels(
            country=facility.country, district=facility.district, facility=facility.id, region=facility.region
        )
        info = f"{text},{labels(name=facility.name, timezone=facility.timezone)}"
        fitting = [each for each in self.asked.targets if each.place.covers(facility)]
        return _Known(facility, text, info, tuple(target_of(fitting, facility, each) for each in SERVICES))


@once_per_directory
def facilities_with_appliances(directory: Directory) -> frozenset[str]:
    """Return the facilities that have anything to keep vaccines in."""
    return frozenset(each.facility for each in directory.equipment.values() if each.kind in APPLIANCES)


def _watched(account: Account, number: int) -> bool:
    """Tell whether a service has series; a registered facility always has some that say whether it is heard."""
    return account.conditions[number] is not Condition.UNWATCHED or SERVICES[number] is Service.MONITORING


def _working(rows: Sequence[_Row], number: int) -> list[str]:
    name, up = WORKING[SERVICES[number]].sample, Condition.UP
    return [
        f"{name}{{{known.text}}} {1.0 if account.conditions[number] is up else 0.0}\n"
        for known, account in rows
        if _watched(account, number)
    ]


def _last_seen(rows: Sequence[_Row]) -> list[str]:
    name = LAST_SEEN.sample
    return [f"{name}{{{known.text}}} {(account.status.last_heard_ms or 0) / 1000}\n" for known, account in rows]


def _info(rows: Sequence[_Row]) -> list[str]:
    return [f"{INFO.sample}{{{known.info}}} 1.0\n" for known, _ in rows]


_ENDS: Final = tuple(f',service="{service.value}"}}' for service in SERVICES)
_NUMBERED: Final = tuple(enumerate(_ENDS))


def _outages(rows: Sequence[_Row]) -> list[str]:
    name = OUTAGES.sample
    return [
        f"{name}{{{known.text}{end} {account.outages[at]}.0\n"
        for known, account in rows
        for at, end in _NUMBERED
        if _watched(account, at)
    ]


def _down(rows: Sequence[_Row], now_ms: int) -> list[str]:
    name = OUTAGE_SECONDS.sample
    return [
        f"{name}{{{known.text}{end} {account.down_until(at, now_ms) / 1000}\n"
        for known, account in rows
        for at, end in _NUMBERED
        if _watched(account, at)
    ]


def _observed(rows: Sequence[_Row], now_ms: int) -> list[str]:
    name = OBSERVED_SECONDS.sample
    return [
        f"{name}{{{known.text}{end} {account.observed_until(at, now_ms) / 1000}\n"
        for known, account in rows
        for at, end in _NUMBERED
        if _watched(account, at)
    ]


def _targets(rows: Sequence[_Row]) -> list[str]:
    name = TARGET.sample
    return [
        f"{name}{{{known.text}{end} {known.targets[at]}\n"
        for known, account in rows
        for at, end in _NUMBERED
        if known.targets[at] is not None and _watched(account, at)
    ]


def _in_range(rows: Sequence[_Row], range_of: TimeOf) -> list[str]:
    name = IN_RANGE.sample
    return [f"{name}{{{known.text}}} {range_of(known.facility.id).in_range_ms / 1000}\n" for known, _ in rows]


def _cold_observed(rows: Sequence[_Row], range_of: TimeOf) -> list[str]:
    name = COLD_OBSERVED.sample
    return [f"{name}{{{known.text}}} {range_of(known.facility.id).observed_ms / 1000}\n" for known, _ in rows]


@once_per_directory
def _text_of_nodes(_: Directory) -> dict[str, str]:
    """Return where the labels of nodes are remembered."""
    return {}


def _nodes(nodes: Heard, text_of: dict[str, str]) -> list[str]:
    name = NODE_HEARD.sample
    for node, _ in nodes:
        if node.id not in text_of:
            text_of[node.id] = labels(facility=node.facility, node=node.id)
    return [f"{name}{{{text_of[node.id]}}} {(heard_ms or 0) / 1000}\n" for node, heard_ms in nodes]

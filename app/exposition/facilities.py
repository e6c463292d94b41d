"""What Prometheus is told of every facility and node."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, NamedTuple

from api.exposition import Exposition
from app.exposition.facility_families import (
    COLD_OBSERVED,
    IN_RANGE,
    INFO,
    LAST_SEEN,
    NODE_HEARD,
    OBSERVED_SECONDS,
    OUTAGE_SECONDS,
    OUTAGES,
    TARGET,
    WORKING,
)
from app.exposition.text import AT_ONCE, labels, written
from dashboards.figures.watched import APPLIANCES
from dashboards.sla.live import SERVICES, Account, Condition, LiveView
from dashboards.sla.live_range import TimeInRange
from dashboards.sla.targets import Target, target_of
from domain.directory import Directory, once_per_directory
from domain.places import Facility, Node, Service

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


_Numbered = tuple[tuple[int, str], ...]
"""Services by their place in an account, each with the end of its labels."""
_NUMBERED: Final[_Numbered] = tuple(
    (number, f',service="{service.value}"}}') for number, service in enumerate(SERVICES)
)


class _Known(NamedTuple):
    """What is worth remembering of a facility, because it changes only with the registry."""

    facility: Facility
    text: str
    """Its labels, without braces."""
    info: str
    targets: tuple[float | None, ...]
    """By service."""


_Cold = tuple[str, TimeInRange]
"""Of a facility: its labels, and the time of its appliances."""


class _Row(NamedTuple):
    known: _Known
    account: Account
    watched: _Numbered
    """The services that have series."""


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
            rows += [_Row(self._of(each.status.facility), each, _watched(each)) for each in part]
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
        with_appliances, cold = facilities_with_appliances(self.asked.directory()), list[_Cold]()
        for start in range(0, len(rows), AT_ONCE):
            cold += [
                (row.known.text, self.asked.range_of(row.known.facility.id))
                for row in rows[start : start + AT_ONCE]
                if row.known.facility.id in with_appliances
            ]
            yield ""
        yield from written(IN_RANGE, form, cold, _in_range)
        yield from written(COLD_OBSERVED, form, cold, _cold_observed)
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


def _watched(account: Account) -> _Numbered:
    """Return the services that have series; a registered facility always has some that say whether it is heard."""
    found = account.conditions
    if Condition.UNWATCHED not in found:
        return _NUMBERED
    return tuple(
        each
        for each in _NUMBERED
        if found[each[0]] is not Condition.UNWATCHED or SERVICES[each[0]] is Service.MONITORING
    )


def _working(rows: Sequence[_Row], number: int) -> list[str]:
    name, up = WORKING[SERVICES[number]].sample, Condition.UP
    return [
        f"{name}{{{known.text}}} {1.0 if account.conditions[number] is up else 0.0}\n"
        for known, account, watched in rows
        if watched is _NUMBERED or _NUMBERED[number] in watched
    ]


def _last_seen(rows: Sequence[_Row]) -> list[str]:
    name = LAST_SEEN.sample
    return [f"{name}{{{known.text}}} {(account.status.last_heard_ms or 0) / 1000}\n" for known, account, _ in rows]


def _info(rows: Sequence[_Row]) -> list[str]:
    return [f"{INFO.sample}{{{known.info}}} 1.0\n" for known, _, _ in rows]


def _by_service(rows: Sequence[_Row], name: str, figures_of: Callable[[_Row], Sequence[float | None]]) -> list[str]:
    """Return the samples of the services that have such a figure."""
    lines: list[str] = []
    for row in rows:
        figures, start = figures_of(row), f"{name}{{{row.known.text}"
        lines += [f"{start}{end} {figure}\n" for at, end in row.watched if (figure := figures[at]) is not None]
    return lines


def _outages(rows: Sequence[_Row]) -> list[str]:
    return _by_service(rows, OUTAGES.sample, lambda row: row.account.outages)


def _down(rows: Sequence[_Row], now_ms: int) -> list[str]:
    return _by_service(rows, OUTAGE_SECONDS.sample, lambda row: _seconds(row.account.down_until(now_ms)))


def _observed(rows: Sequence[_Row], now_ms: int) -> list[str]:
    return _by_service(rows, OBSERVED_SECONDS.sample, lambda row: _seconds(row.account.observed_until(now_ms)))


def _seconds(milliseconds: Sequence[int]) -> list[float]:
    return [each / 1000 for each in milliseconds]


def _targets(rows: Sequence[_Row]) -> list[str]:
    return _by_service(rows, TARGET.sample, lambda row: row.known.targets)


def _in_range(found: Sequence[_Cold]) -> list[str]:
    return [f"{IN_RANGE.sample}{{{text}}} {time.in_range_ms / 1000}\n" for text, time in found]


def _cold_observed(found: Sequence[_Cold]) -> list[str]:
    return [f"{COLD_OBSERVED.sample}{{{text}}} {time.observed_ms / 1000}\n" for text, time in found]


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

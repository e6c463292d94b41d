"""What stands for a facility on the map and in the list beside it; each leads to the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from dashboards.pages.clusters import Cluster
from dashboards.pages.geography import Bounds, bounds_of
from dashboards.pages.outlines.shape import Point
from dashboards.pages.status import FacilityStatus, Status
from dashboards.pages.wording import ago_text
from dashboards.pages.words import Words
from domain.places import Facility

MOST_LISTED: Final = 100
"""The worst of those in sight; facilities with a mark of their own are listed besides."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One facility, or several that are near each other, on the map."""

    id: str
    x: int
    y: int
    status: Status
    """The worst of its facilities."""
    count: int
    label: str
    address: str
    """One leads to its line in the list, several to a nearer view."""


@dataclass(frozen=True, slots=True)
class MapRow:
    """One facility in the list beside the map."""

    id: str
    anchor: str
    name: str
    place: str
    overall: Status
    reason: str
    heard: str
    mark: str
    """The id of its mark; empty where it has none."""


def place_of(facility: Facility) -> Point | None:
    """Return longitude and latitude; None where the registry does not know both."""
    if facility.latitude is None or facility.longitude is None:
        return None
    return facility.longitude, facility.latitude


def marks_of(
    clusters: Sequence[Cluster],
    placed: Sequence[FacilityStatus],
    places: Sequence[Point],
    nearer: Callable[[Bounds], str],
    words: Words,
) -> tuple[Mark, ...]:
    """Return the marks, worst first; none touches another, so that none can hide a worse one.

    ``places`` are those of the facilities, with longitudes counted from one seam.
    ``nearer`` returns the address of a view; empty where there is none that would part what stands together.
    """
    return tuple(
        _lone(mark, placed[mark.members[0]], words)
        if len(mark.members) == 1
        else _group(
            f"group-{number}",
            mark,
            [placed[each] for each in mark.members],
            nearer(around.grown(0.1)) if (around := bounds_of([places[each] for each in mark.members])) else "",
            words,
        )
        for number, mark in enumerate(clusters)
    )


def _lone(mark: Cluster, status: FacilityStatus, words: Words) -> Mark:
    return Mark(
        id=f"on-{_anchor(status)}",
        x=round(mark.x),
        y=round(mark.y),
        status=status.overall,
        count=1,
        label=words("{name}: {status}", name=words.isolated(status.facility.name), status=words(status.overall.word)),
        address=f"#at-{_anchor(status)}",
    )


def _group(id_: str, mark: Cluster, members: Sequence[FacilityStatus], nearer: str, words: Words) -> Mark:
    worst = members[0]
    alike = sum(each.overall is worst.overall for each in members)
    return Mark(
        id=id_,
        x=round(mark.x),
        y=round(mark.y),
        status=worst.overall,
        count=len(members),
        label=words(
            "{count} facilities, {alike} of them: {status}",
            count=len(members), alike=alike, status=words(worst.overall.word),
        ),
        address=nearer or f"#at-{_anchor(worst)}",
    )  # fmt: skip


def listed(clusters: Sequence[Cluster], marks: Sequence[Mark]) -> dict[int, str]:
    """Return the numbers of the facilities in the list, worst first, each with the mark that stands for it.

    Whatever a mark leads to is listed, however many are worse.
    """
    mark_of = {number: mark.id for cluster, mark in zip(clusters, marks, strict=True) for number in cluster.members}
    led_to = {cluster.members[0] for cluster, mark in zip(clusters, marks, strict=True) if mark.address.startswith("#")}
    return {number: mark_of[number] for number in sorted({*sorted(mark_of)[:MOST_LISTED], *led_to})}


def row_of(status: FacilityStatus, mark: str, now_ms: int, words: Words) -> MapRow:
    """Return a facility's line in the list; ``mark`` is the id of what stands for it."""
    facility = status.facility
    return MapRow(
        id=facility.id,
        anchor=f"at-{_anchor(status)}",
        name=facility.name,
        place=" · ".join(part for part in (facility.district, facility.region) if part),
        overall=status.overall,
        reason=next(iter(status.reasons), ""),
        heard=words("heard {ago}", ago=ago_text(status.last_heard_ms, now_ms, words)),
        mark=mark,
    )


def _anchor(status: FacilityStatus) -> str:
    return quote(status.facility.id, safe="", errors="replace")

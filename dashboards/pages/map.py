"""The map: how the facilities of a country are, where they are, with the same as a list beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple
from urllib.parse import urlencode

from dashboards.pages.clusters import Cluster
from dashboards.pages.geography import SMALLEST_DEGREES, Bounds
from dashboards.pages.map_drawing import Canvas, Scene, draw, first_view, scene
from dashboards.pages.map_marks import MapRow, Mark, listed, marks_of, place_of, row_of
from dashboards.pages.outlines.shape import Outline
from dashboards.pages.status import FacilityStatus, Status
from dashboards.pages.wording import LocalTime, local_time
from dashboards.pages.words import Words

MOST_UNPLACED: Final = 50
ADDRESS: Final = "/map"


@dataclass(frozen=True, slots=True)
class MapQuery:
    """Which facilities and which part of the country somebody asked for; empty means all."""

    region: str = ""
    district: str = ""
    view: Bounds | None = None

    def address(self, view: Bounds | None) -> str:
        """Return where the same facilities are seen in another part of the map."""
        asked = {"region": self.region, "district": self.district, "bbox": str(view) if view else ""}
        filled = {name: value for name, value in asked.items() if value}
        return f"{ADDRESS}?{urlencode(filled, safe=',', errors='replace')}" if filled else ADDRESS

    def chosen(self, statuses: Sequence[FacilityStatus]) -> Sequence[FacilityStatus]:
        """Return the facilities in the region and district."""
        if not (self.region or self.district):
            return statuses
        return [
            each
            for each in statuses
            if (not self.region or each.facility.region == self.region)
            and (not self.district or each.facility.district == self.district)
        ]


@dataclass(frozen=True, slots=True)
class LegendEntry:
    """What a mark means."""

    status: Status
    letter: str
    count: int


@dataclass(frozen=True, slots=True)
class Sheet:
    """The drawing, and where more is seen."""

    canvas: Canvas | None
    """None where nothing is known that could be drawn."""
    clusters: tuple[Cluster, ...]
    marks: tuple[Mark, ...]
    """One for each cluster."""
    farther: str
    """Where twice as much is seen; empty where everything is in sight."""
    whole: str


@dataclass(frozen=True, slots=True)
class MapPage:
    """What the page of the map says."""

    title: str
    sentence: str
    worst: Status
    legend: tuple[LegendEntry, ...]
    sheet: Sheet
    rows: tuple[MapRow, ...]
    left_out: int
    unplaced: tuple[MapRow, ...]
    unplaced_sentence: str
    query: MapQuery
    regions: tuple[str, ...]
    districts: tuple[str, ...]
    updated: LocalTime


class Layout(NamedTuple):
    """Which facilities are meant, and where they stand; what the page of a nation takes the longest for."""

    chosen: Sequence[FacilityStatus]
    """Worst first."""
    placed: Sequence[FacilityStatus]
    """Those with coordinates."""
    scene: Scene
    """Of those: its places are in their order."""
    regions: tuple[str, ...]
    districts: tuple[str, ...]
    """Of the region that was chosen."""


def lay_out(statuses: Sequence[FacilityStatus], outlines: Sequence[Outline], query: MapQuery) -> Layout:
    """Return where the facilities stand that a query means; they come sorted worst first."""
    chosen = query.chosen(statuses)
    found = [(each, place) for each in chosen if (place := place_of(each.facility)) is not None]
    names = {(each.facility.region, each.facility.district) for each in statuses}
    return Layout(
        chosen=chosen,
        placed=[each for each, _ in found],
        scene=scene(outlines, [place for _, place in found]),
        regions=_names(region for region, _ in names),
        districts=_names(district for region, district in names if query.region in ("", region)),
    )


def map_page(
    layout: Layout,
    sheet: Sheet,
    query: MapQuery,
    now_ms: int,
    words: Words,
    said: Callable[[Sequence[FacilityStatus]], Sequence[FacilityStatus]] = list,
) -> MapPage:
    """Return what the page says; ``said`` puts the reasons of facilities into the words."""
    placed, in_list = layout.placed, listed(sheet.clusters, sheet.marks)
    totals = Counter(placed[number].overall for mark in sheet.clusters for number in mark.members)
    unplaced, unplaced_sentence = _unplaced(layout, words)
    rows = [placed[number] for number in in_list]
    return MapPage(
        title=_title(query, words),
        sentence=_sentence(totals, words),
        worst=min(totals, key=lambda status: status.rank, default=Status.NOT_MONITORED),
        legend=tuple(LegendEntry(status, letter, totals[status]) for status, letter in letters(words).items()),
        sheet=sheet,
        rows=tuple(row_of(each, mark, now_ms, words) for each, mark in zip(said(rows), in_list.values(), strict=True)),
        left_out=totals.total() - len(in_list),
        unplaced=tuple(row_of(each, "", now_ms, words) for each in said(unplaced[:MOST_UNPLACED])),
        unplaced_sentence=unplaced_sentence,
        query=query,
        regions=layout.regions,
        districts=layout.districts,
        updated=local_time(now_ms, "UTC", now_ms, words),
    )


def letters(words: Words) -> dict[Status, str]:
    """Return a letter for each status: the first of its word that no worse status has."""
    found: dict[Status, str] = {}
    for status in Status:
        if status is not Status.NOT_MONITORED:
            word = [each.upper() for each in words(status.word) if each.isalpha()]
            found[status] = next((each for each in word if each not in found.values()), str(status.rank + 1))
    return found | {Status.NOT_MONITORED: "–"}


def drawn(layout: Layout, query: MapQuery, words: Words) -> Sheet:
    """Return the drawing of the part that a query wants to see."""
    ground, view = layout.scene, query.view
    if view is not None and view.east < ground.seam:
        view = Bounds(view.west + 360, view.south, view.east + 360, view.north)
    wanted, whole = view or first_view(ground, chosen=bool(query.region or query.district)), ground.whole
    if wanted is None or whole is None:
        return Sheet(None, (), (), "", "")
    canvas = draw(ground, wanted)
    shown = canvas.projection.bounds
    is_nearest = shown.height < 2 * SMALLEST_DEGREES
    nearer = (lambda _: "") if is_nearest else query.address
    marks = marks_of(canvas.marks, layout.placed, ground.places, nearer, words)
    if shown.joined(whole) == shown:
        return Sheet(canvas, canvas.marks, marks, "", "")
    return Sheet(canvas, canvas.marks, marks, query.address(shown.grown(0.5)), query.address(whole))


def _unplaced(layout: Layout, words: Words) -> tuple[list[FacilityStatus], str]:
    """Return the facilities that no view of the map shows, and why in a sentence."""
    chosen, placed, ground = layout.chosen, layout.placed, layout.scene
    without, lost = list[FacilityStatus](), list[FacilityStatus]()
    if len(placed) < len(chosen):
        without = [each for each in chosen if place_of(each.facility) is None]
    if len(ground.near) < len(placed):
        near = set(ground.near)
        lost = [each for number, each in enumerate(placed) if number not in near]
    said = []
    if without:
        said.append(
            words.many("{count} facility has no coordinates.", "{count} facilities have no coordinates.", len(without))
        )
    if lost:
        said.append(
            words.many(
                "{count} facility lies so far off that its coordinates must be wrong.",
                "{count} facilities lie so far off that their coordinates must be wrong.",
                len(lost),
            )
        )
    return without + lost, " ".join(said)


def _title(query: MapQuery, words: Words) -> str:
    where = query.district or query.region
    return words("Map of {place}", place=words.isolated(where)) if where else words("Map")


def _sentence(totals: Counter[Status], words: Words) -> str:
    if not totals:
        return words("No facility is in sight.")
    helpless, count = totals[Status.CRITICAL], totals.total()
    if helpless:
        return words.many(
            "{count} of {total} facilities in sight needs help.",
            "{count} of {total} facilities in sight need help.",
            helpless,
            total=count,
        )
    return words.many(
        "{count} facility in sight, none needs help.", "{count} facilities in sight, none needs help.", count
    )


def _names(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(filter(None, set(found)), key=str.casefold))

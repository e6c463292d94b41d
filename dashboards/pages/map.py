"""The map: how the facilities of a country are, where they are, with the same as a list beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final
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

    def asks_for(self, status: FacilityStatus) -> bool:
        """Tell whether a facility lies in the region and district."""
        facility = status.facility
        return self.region in ("", facility.region) and self.district in ("", facility.district)


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


def map_page(
    statuses: Sequence[FacilityStatus],
    outlines: Sequence[Outline],
    query: MapQuery,
    now_ms: int,
    words: Words,
    said: Callable[[Sequence[FacilityStatus]], Sequence[FacilityStatus]] = list,
) -> MapPage:
    """Return the map of facilities that come sorted worst first; ``said`` puts their reasons into the words."""
    chosen = [each for each in statuses if query.asks_for(each)]
    placed = [each for each in chosen if place_of(each.facility) is not None]
    ground = scene(outlines, [place for each in placed if (place := place_of(each.facility)) is not None])
    sheet = _sheet(ground, placed, query, words)
    in_list = listed(sheet.clusters, sheet.marks)
    totals = Counter(placed[number].overall for mark in sheet.clusters for number in mark.members)
    unplaced, unplaced_sentence = _unplaced(chosen, placed, ground, words)
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
        regions=_names(each.facility.region for each in statuses),
        districts=_names(each.facility.district for each in statuses if query.region in ("", each.facility.region)),
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


def _sheet(ground: Scene, placed: Sequence[FacilityStatus], query: MapQuery, words: Words) -> Sheet:
    view = query.view
    if view is not None and view.east < ground.seam:
        view = Bounds(view.west + 360, view.south, view.east + 360, view.north)
    wanted, whole = view or first_view(ground, chosen=bool(query.region or query.district)), ground.whole
    if wanted is None or whole is None:
        return Sheet(None, (), (), "", "")
    canvas = draw(ground, wanted)
    shown = canvas.projection.bounds
    is_nearest = shown.height < 2 * SMALLEST_DEGREES
    marks = marks_of(canvas.marks, placed, (lambda _: "") if is_nearest else query.address, words)
    if shown.joined(whole) == shown:
        return Sheet(canvas, canvas.marks, marks, "", "")
    return Sheet(canvas, canvas.marks, marks, query.address(shown.grown(0.5)), query.address(whole))


def _unplaced(
    chosen: Sequence[FacilityStatus], placed: Sequence[FacilityStatus], ground: Scene, words: Words
) -> tuple[list[FacilityStatus], str]:
    """Return the facilities that no view of the map shows, and why in a sentence."""
    near = set(ground.near)
    without = [each for each in chosen if place_of(each.facility) is None]
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

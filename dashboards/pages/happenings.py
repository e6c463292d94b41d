"""What happened at a facility on one line of time: excursions and visits, each with a letter that charts refer to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from dashboards.pages.axes import WIDTH, Scale
from dashboards.pages.series import Window
from dashboards.pages.wording import LocalTime

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_HALF_LETTER = 17
"""Out of ``axes.WIDTH``, on a phone; letters that would stand upon each other are written as a span."""


class HappeningKind(StrEnum):
    """What a mark stands for; each has a shape of its own."""

    EXCURSION = "excursion"
    VISIT = "visit"
    MOMENT = "moment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """Something that began at a moment and may have lasted, in words."""

    kind: HappeningKind
    start_ms: int
    end_ms: int
    """Of something that goes on: now."""
    about: str = ""
    """Id of the channel, node or piece of equipment; empty for the whole facility."""
    subject: str = ""
    """The name of that."""
    what: str
    started: LocalTime
    lasted: str = ""
    ongoing: bool = False
    worst: str = ""
    href: str = ""
    """Where more is told of it; empty where nothing is."""


class Lettered(NamedTuple):
    """A happening with its letter."""

    letter: str
    happening: Happening


class Bar(NamedTuple):
    """A stretch of the time line in the drawing's units."""

    x: int
    width: int
    kind: HappeningKind


class Letter(NamedTuple):
    """What is written below the chart: one letter, or the first and the last of several that stand close together."""

    x: int
    text: str
    kind: HappeningKind


class Marks(NamedTuple):
    """The happenings that a chart marks."""

    bars: tuple[Bar, ...]
    letters: tuple[Letter, ...]
    listed: tuple[Lettered, ...]


NO_MARKS = Marks((), (), ())


def lettered(happenings: Sequence[Happening]) -> tuple[Lettered, ...]:
    """Return them in order of time with letters, the oldest with A: what comes later changes no letter."""
    in_order = sorted(happenings, key=lambda each: (each.start_ms, each.kind, each.about, each.what))
    return tuple(Lettered(letter_of(number), each) for number, each in enumerate(in_order))


def letter_of(number: int) -> str:
    """Return A for 0, Z for 25, AA for 26 ..."""
    letters = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, len(_LETTERS))
        letters = _LETTERS[rest] + letters
    return letters


def marks_of(found: Sequence[Lettered], window: Window) -> Marks:
    """Return the marks of happenings below a chart of the window."""
    scale = Scale(window, 0.0, 1.0)
    bars = []
    for _, each in found:
        left, right = scale.x(each.start_ms), scale.x(each.end_ms)
        bars.append(Bar(left, max(right - left, 3), each.kind))
    return Marks(tuple(bars), _letters(found, scale), tuple(found))


def _letters(found: Sequence[Lettered], scale: Scale) -> tuple[Letter, ...]:
    groups: list[list[Lettered]] = []
    for each in found:
        groups.append([each])
        while len(groups) > 1 and _extent(groups[-2], scale)[1] > _extent(groups[-1], scale)[0]:
            last = groups.pop()
            groups[-1] += last
    return tuple(
        Letter(scale.x(group[0].happening.start_ms), _span(group), group[0].happening.kind) for group in groups
    )


def _extent(group: Sequence[Lettered], scale: Scale) -> tuple[int, int]:
    """Return from where to where the letters of a group reach on a phone; at an edge they stand inside of it."""
    half = _HALF_LETTER * len(_span(group))
    middle = min(max(scale.x(group[0].happening.start_ms), half), WIDTH - half)
    return middle - half, middle + half


def _span(group: Sequence[Lettered]) -> str:
    first, last = group[0].letter, group[-1].letter
    return first if first == last else f"{first}–{last}"

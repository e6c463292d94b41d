"""Where panels stand: they flow from left to right over 24 columns, section by section."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from dashboards.grafana.panels import Card

COLUMNS = 24


class Section(NamedTuple):
    """Panels under a heading; the first section of a dashboard needs none."""

    title: str
    cards: Sequence[Card]


class Spot(NamedTuple):
    """A panel's place on the grid."""

    x: int
    y: int
    wide: int
    tall: int


def flow(cards: Sequence[Card], top: int) -> Iterator[tuple[Card, Spot]]:
    """Yield each panel with its place; a panel that does not fit beside the last ones begins a new line."""
    x, y, tallest = 0, top, 0
    for card in cards:
        if x + card.wide > COLUMNS:
            x, y, tallest = 0, y + tallest, 0
        yield card, Spot(x, y, card.wide, card.tall)
        x, tallest = x + card.wide, max(tallest, card.tall)

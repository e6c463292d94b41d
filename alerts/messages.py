"""The words for one alert by itself, in English, for callers that do not know who reads them."""

from __future__ import annotations

from alerts.bundle import Bundle, Shape
from alerts.facts import Facts
from alerts.words.compose import Message
from alerts.words.compose import compose as compose_bundle

__all__ = ["Message", "compose"]


def compose(facts: Facts) -> Message:
    """Return what to say; place and reference are in every text, however long the names are."""
    return compose_bundle(Bundle(Shape.INCIDENT, (facts,)), language="en", answerable=False)

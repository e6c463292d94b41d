"""Words of a bundle."""

from __future__ import annotations

from alerts.bundle import Bundle
from alerts.messages import Message
from alerts.messages import compose as compose_one

__all__ = ["Message", "compose"]


def compose(bundle: Bundle, *, language: str, answerable: bool, link: str = "") -> Message:
    """Return what to say."""
    return compose_one(bundle.items[0])

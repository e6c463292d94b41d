"""Whether anybody hears the node; pure."""

from __future__ import annotations


class LinkWatch:
    """The link is down when nothing was confirmed for a while, whoever is to blame: network, broker or collector."""

    def __init__(self, down_after_s: float, now_s: float) -> None:
        self._down_after_s = down_after_s
        self._confirmed_at_s = now_s

    def confirmed(self, now_s: float) -> None:
        """Note that the collector has receipted something."""
        self._confirmed_at_s = now_s

    def is_down(self, now_s: float) -> bool:
        """Tell whether nobody at the centre sees what the node measures."""
        return now_s - self._confirmed_at_s >= self._down_after_s

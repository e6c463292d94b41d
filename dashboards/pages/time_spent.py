"""How long a channel was within its limits, in the words of a page."""

from __future__ import annotations

from typing import NamedTuple

from dashboards.pages.wording import number_text
from dashboards.pages.words import Words


class TimeSpent(NamedTuple):
    """Seconds of a stretch of time, by what is known of the limits in force."""

    span: float
    """How long the stretch is."""
    covered: float
    """How much of it readings stand for; the rest is unknown."""
    judged: float
    """How much of that had limits."""
    below: float
    above: float

    def sentence(self, words: Words) -> str:
        """Return what there is to tell; an empty text where there is nothing."""
        if not self.judged:
            return ""
        return words(
            "{limits} of the time known; known {known} of the time.",
            limits=self._limits(words),
            known=percent(self.covered, self.span, words),
        )

    def _limits(self, words: Words) -> str:
        within = percent(self.judged - self.below - self.above, self.judged, words)
        above, below = percent(self.above, self.judged, words), percent(self.below, self.judged, words)
        if self.above and self.below:
            return words(
                "Within its limits {within}, above {above}, below {below}", within=within, above=above, below=below
            )
        if self.above:
            return words("Within its limits {within}, above {above}", within=within, above=above)
        if self.below:
            return words("Within its limits {within}, below {below}", within=within, below=below)
        return words("Within its limits {within}", within=within)


def percent(part: float, whole: float, words: Words) -> str:
    """Return a share that says 0 % only of nothing, and 100 % only of everything."""
    return words.isolated(_percent(part / whole * 100, words))


def _percent(share: float, words: Words) -> str:
    if share in (0, 100):
        return words("{percent} %", percent=number_text(share, 0, words=words))
    if share < 0.1:
        return words("under {percent} %", percent=number_text(0.1, 1, words=words))
    if share > 99.9:
        return words("over {percent} %", percent=number_text(99.9, 1, words=words))
    return words("{percent} %", percent=number_text(share, 1, words=words))

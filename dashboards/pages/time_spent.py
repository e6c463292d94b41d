"""How long a channel was within its limits, in the words of a page."""

from __future__ import annotations

from typing import NamedTuple


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

    @property
    def words(self) -> str:
        """Return a sentence; an empty text where there is nothing to tell."""
        if not self.judged:
            return ""
        within = self.judged - self.below - self.above
        shares = [f"Within its limits {percent(within, self.judged)}"]
        shares += [f"above {percent(self.above, self.judged)}"] if self.above else []
        shares += [f"below {percent(self.below, self.judged)}"] if self.below else []
        return f"{', '.join(shares)} of the time known; known {percent(self.covered, self.span)} of the time."


def percent(part: float, whole: float) -> str:
    """Return a share that says 0 % only of nothing, and 100 % only of everything."""
    share = part / whole * 100
    if share in (0, 100):
        return f"{share:.0f} %"
    if share < 0.1:
        return "under 0.1 %"
    return "over 99.9 %" if share > 99.9 else f"{share:.1f} %"

"""The figure: one measured number beside its baseline of the same run and its target."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Better(Enum):
    """Which way is good."""

    HIGHER = "higher"
    LOWER = "lower"


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure; ``baseline`` is a bare counterpart from the same run, where there is one."""

    name: str
    unit: str
    ours: float
    baseline: float | None = None
    target: float | None = None
    """What ``ours`` has to reach."""
    target_ratio: float | None = None
    """What ``ratio`` has to reach."""
    better: Better = Better.HIGHER
    note: str = ""
    """How it was measured, in a few words."""

    @property
    def ratio(self) -> float | None:
        """Return ours divided by the baseline."""
        return self.ours / self.baseline if self.baseline else None

    @property
    def reached(self) -> bool | None:
        """Tell whether every target is reached; None without a target."""
        pairs = [(self.ours, self.target), (self.ratio, self.target_ratio)]
        judged = [self._good(value, target) for value, target in pairs if value is not None and target is not None]
        return all(judged) if judged else None

    def _good(self, value: float, target: float) -> bool:
        return value >= target if self.better is Better.HIGHER else value <= target

"""How fast and how patiently: pure arithmetic, with time and chance as arguments."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

_ROUNDING = 1e-6
"""Tokens that may be missing by rounding alone; without it a wait of nothing would be asked for again and again."""


@dataclass
class TokenBucket:
    """Allows ``rate`` tokens a second on average and ``burst`` at once."""

    rate: float
    burst: float
    _tokens: float = field(init=False)
    _at_s: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self._tokens = self.burst

    def wait_s(self, tokens: float, now_s: float) -> float:
        """Take the tokens and return 0, or take none and return the seconds until they are there.

        More than ``burst`` tokens at once are allowed when the bucket is full; it then owes the rest.
        """
        self._tokens = min(self.burst, self._tokens + (now_s - self._at_s) * self.rate)
        self._at_s = now_s
        missing = min(tokens, self.burst) - self._tokens
        if missing > _ROUNDING:
            return missing / self.rate
        self._tokens -= tokens
        return 0.0


def full_jitter(first_s: float, longest_s: float, chance: Callable[[], float]) -> Iterator[float]:
    """Yield waits without end, each anywhere between nothing and a bound that doubles from ``first_s``.

    ``chance`` returns a number in 0..1. Ten thousand nodes that lost their broker in one moment must not return in one.
    """
    bound_s = first_s
    while True:
        yield chance() * bound_s
        bound_s = min(longest_s, bound_s * 2)

"""Lines that InfluxDB refused for good, kept for a person to look at: the newest ones, and a bounded part of each."""

from __future__ import annotations

from collections import deque

from collector.forwarder.bisection import RefusedLine


class DeadLetters:
    """A bounded place for refused lines; the readings themselves stay in the journal."""

    def __init__(self, *, longest: int = 1_000, longest_line: int = 4_096) -> None:
        self._longest_line = longest_line
        self._recent: deque[RefusedLine] = deque(maxlen=longest)
        self.total = 0
        """How many ever came."""

    def __call__(self, refused: RefusedLine) -> None:
        """Keep the line, in the place of the oldest where there is no room."""
        self.total += 1
        self._recent.append(refused._replace(line=refused.line[: self._longest_line]))

    def recent(self) -> list[RefusedLine]:
        """Return what is kept, oldest first."""
        return list(self._recent)

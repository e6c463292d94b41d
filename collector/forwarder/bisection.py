"""Finding the lines that a server refuses, without holding up the others. No I/O: pieces out, decisions in."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from collector.forwarder.answers import Action, Decision

SURELY_NOT_A_LINE = 64
"""After this many refusals spread over the batch, and not one line taken, the fault is not in the lines."""


class RefusedLine(NamedTuple):
    """A line that InfluxDB will never take, and why."""

    line: str
    detail: str


class Progress(StrEnum):
    """How far a batch is."""

    OPEN = "open"
    """There are lines to send."""
    SETTLED = "settled"
    """Every line is stored, or refused for good."""
    HOPELESS = "hopeless"
    """The server takes nothing at all, for a reason that names no line: keep the batch."""


@dataclass
class Bisection:
    """One batch on its way: breadth first, so that the first refusals are spread over the whole batch."""

    lines: Sequence[str]
    refused: list[RefusedLine] = field(default_factory=list)
    """Only final once the batch is settled."""
    stored: int = 0
    expired: int = 0
    too_many_lines: int | None = None
    """A request of this many lines was called too large; None while none was."""
    _pieces: deque[tuple[int, int]] = field(default_factory=deque)
    _refusals: int = 0
    _named: bool = False

    def __post_init__(self) -> None:
        if self.lines:
            self._pieces.append((0, len(self.lines)))

    @property
    def progress(self) -> Progress:
        """Say whether to go on."""
        nothing_taken = not (self.stored or self.expired or self._named)
        if self._refusals and nothing_taken and (self._refusals >= SURELY_NOT_A_LINE or not self._pieces):
            return Progress.HOPELESS
        return Progress.OPEN if self._pieces else Progress.SETTLED

    @property
    def piece(self) -> Sequence[str]:
        """Return the lines to send next."""
        start, end = self._pieces[0]
        return self.lines[start:end]

    def apply(self, decision: Decision) -> None:
        """Take in what the server said to ``piece``; HOLD and RETRY leave it where it is."""
        if decision.action in (Action.HOLD, Action.RETRY):
            return
        start, end = self._pieces.popleft()
        count = end - start
        if decision.action is Action.ADVANCE:
            self.stored += count
        elif decision.action is Action.EXPIRED:
            dropped = min(decision.dropped or 0, count)
            self.expired += dropped
            self.stored += count - dropped
        elif decision.action is Action.HALVE:
            self._halve(start, end, decision)
        else:
            self._refuse(start, end, decision)

    def _halve(self, start: int, end: int, decision: Decision) -> None:
        if end - start == 1:
            self._refuse(start, end, decision)
            return
        self.too_many_lines = end - start
        middle = (start + end) // 2
        self._pieces.extendleft([(middle, end), (start, middle)])

    def _refuse(self, start: int, end: int, decision: Decision) -> None:
        self._refusals += 1
        self._named = self._named or decision.names_a_line
        # "dropped" speaks for every line only where it counts every line: on 1.x another shard may have failed too.
        if end - start == 1 or decision.dropped == end - start:
            self.refused.extend(RefusedLine(line, decision.detail) for line in self.lines[start:end])
            return
        middle = (start + end) // 2
        self._pieces.extend([(start, middle), (middle, end)])

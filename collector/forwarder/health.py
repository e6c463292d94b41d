"""How the forwarder is, for health checks, metrics and people."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from domain.instant import Clock


class ForwarderState(StrEnum):
    """What the forwarder is doing."""

    STARTING = "starting"
    """Nothing has been sent yet."""
    WORKING = "working"
    """The last request was taken."""
    AWAY = "away"
    """The server does not answer, or is busy: tried again without an end."""
    REFUSED = "refused"
    """A person has to mend the server, its address or the credential: tried again slowly."""
    FAILED = "failed"
    """The forwarder itself failed, and starts again."""

    @property
    def healthy(self) -> bool:
        """Tell whether nobody needs to look."""
        return self in (ForwarderState.STARTING, ForwarderState.WORKING)


class ForwarderHealth(NamedTuple):
    """One look at the forwarder."""

    state: ForwarderState
    since_ms: int
    sentence: str
    """For a person: what is the matter, and what to do. Holds no secret."""
    lag: int
    """How many readings wait in the journal."""


@dataclass
class ForwarderCounts:
    """Totals since the start of the process."""

    stored: int = 0
    """Lines that the server took; one sent twice counts twice."""
    expired: int = 0
    """Lines older than the server keeps."""
    refused: int = 0
    """Lines that the server will never take."""
    failed_requests: int = 0
    """Requests that the server did not answer, or not with a yes, and that are tried again."""
    unwritable: int = 0
    """Readings that have no line."""


class Condition:
    """Remembers the present state and since when it holds."""

    def __init__(self, clock: Clock, *, server: str) -> None:
        self._clock = clock
        self._server = server
        self.state = ForwarderState.STARTING
        self.since_ms = clock.now_ms()
        self._detail = ""

    def enter(self, state: ForwarderState, detail: str = "") -> bool:
        """Take the new state; return whether it differs from the one before."""
        changed = state is not self.state
        if changed:
            self.state, self.since_ms = state, self._clock.now_ms()
        self._detail = detail
        return changed

    def sentence(self, lag: int) -> str:
        """Return the state as a sentence; ``lag`` in readings."""
        waiting = f"{lag} readings wait in the journal" if lag else "no reading waits"
        return f"{_SENTENCES[self.state].format(server=self._server, detail=self._detail)}; {waiting}."


_SENTENCES = {
    ForwarderState.STARTING: "Nothing has been sent to InfluxDB at {server} yet",
    ForwarderState.WORKING: "InfluxDB at {server} takes readings",
    ForwarderState.AWAY: "InfluxDB at {server} is away or busy ({detail}); it is tried again",
    ForwarderState.REFUSED: "InfluxDB at {server} refuses to store ({detail}); check url, database and credential",
    ForwarderState.FAILED: "Forwarding to InfluxDB at {server} failed ({detail}) and starts again; see the log",
}

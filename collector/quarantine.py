"""Limiting one sender that sends garbage, or a hundred times what it should, before anything of it is read.

Two token buckets a sender: what it may send live, sized by its registered channels, and what of it may be refused. Who
has used one up is let in again when it is half full. Backfill has a generous rate of its own: after a week without a
network it is legitimate, and the receipt window bounds it.

What is not let in gets no receipt: a node with an outbox sends it again, and loses nothing. A sender counts as
quarantined from the first message that was not let in until nothing had to be kept out for a while.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from collector.lanes import Lane
from collector.settings import PositiveDuration
from domain.directory import Directory

_MOST_SENDERS = 20_000
"""So many are remembered; the one heard longest ago starts with full buckets again."""
_LET_IN_AGAIN = 0.5


class Why(StrEnum):
    """Why a sender is kept out."""

    TOO_MUCH = "too_much"
    """It sends far more than its channels can have to say."""
    GARBAGE = "garbage"
    """Too much of it has to be refused."""


class QuarantineSettings(BaseModel):
    """When a sender is limited; rates are per second, a bucket holds what comes in ``burst`` at its rate."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    factor: float = Field(default=100.0, ge=2)
    """So many times the readings that its channels' intervals promise may come live ..."""
    least_rate: float = Field(default=20.0, gt=0)
    """... and at least so many readings."""
    backfill_rate: float = Field(default=5_000.0, gt=0)
    """Readings that may come as backfill."""
    refused_rate: float = Field(default=1.0, gt=0)
    """Payloads and records that may be refused."""
    burst: PositiveDuration = timedelta(minutes=2)
    over_after: PositiveDuration = timedelta(minutes=10)
    """Nothing had to be kept out for so long: the quarantine is over."""


class Quarantined(NamedTuple):
    """A sender that is kept out, or was a moment ago."""

    sender: str
    why: Why
    since_ms: int
    last_ms: int
    """When something of it was kept out the last time."""
    kept_out: int
    """Messages, since then."""


@dataclass(slots=True)
class _Bucket:
    rate: float
    size: float
    level: float
    at_ms: int
    closed: bool = False

    def open_at(self, now_ms: int) -> bool:
        """Fill up, and tell whether anything may come."""
        if now_ms > self.at_ms:
            self.level = min(self.size, self.level + (now_ms - self.at_ms) / 1000 * self.rate)
            self.at_ms = now_ms
        if self.closed and self.level >= self.size * _LET_IN_AGAIN:
            self.closed = False
        return not self.closed

    def take(self, amount: int) -> None:
        self.level -= amount
        if self.level <= 0:
            self.closed = True


@dataclass(slots=True)
class _Sender:
    lanes: dict[Lane, _Bucket]
    refused: _Bucket


class Quarantine:
    """Decides message by message; knows no clock but the arrivals."""

    def __init__(self, directory: Callable[[], Directory], settings: QuarantineSettings) -> None:
        self._directory, self._settings = directory, settings
        self._senders: OrderedDict[str, _Sender] = OrderedDict()
        self._out: dict[str, Quarantined] = {}
        self.kept_out: Counter[Why] = Counter()
        """Messages, since the start of the process."""

    def admits(self, sender: str, lane: Lane, now_ms: int) -> bool:
        """Tell whether a message may come in; one that may not is counted."""
        known = self._sender(sender, now_ms)
        if known.refused.open_at(now_ms):
            if known.lanes[lane].open_at(now_ms):
                return True
            why = Why.TOO_MUCH
        else:
            why = Why.GARBAGE
        self.kept_out[why] += 1
        out = self._out.get(sender)
        since_ms, count = (now_ms, 1) if out is None else (out.since_ms, out.kept_out + 1)
        self._out[sender] = Quarantined(sender, why, since_ms, now_ms, count)
        return False

    def spend(self, sender: str, lane: Lane, *, readings: int, refused: int) -> None:
        """Note what a message brought."""
        known = self._senders.get(sender)
        if known is not None:
            known.lanes[lane].take(readings)
            if refused:
                known.refused.take(refused)

    def quarantined(self, now_ms: int) -> dict[str, Quarantined]:
        """Return who is kept out, by name; whoever has been quiet for long enough is forgotten."""
        over_ms = now_ms - self._settings.over_after // timedelta(milliseconds=1)
        self._out = {name: out for name, out in self._out.items() if out.last_ms > over_ms}
        return dict(self._out)

    def _sender(self, name: str, now_ms: int) -> _Sender:
        known = self._senders.get(name)
        if known is not None:
            self._senders.move_to_end(name)
            return known
        while len(self._senders) >= _MOST_SENDERS:
            self._senders.popitem(last=False)
        settings, directory = self._settings, self._directory()
        channels = (directory.channels_of_node(name) or {}).values()
        promised = sum(1 / channel.interval.total_seconds() for channel in channels)
        live = max(settings.least_rate, promised * settings.factor)
        lanes = {Lane.LIVE: self._bucket(live, now_ms), Lane.BACKFILL: self._bucket(settings.backfill_rate, now_ms)}
        made = self._senders[name] = _Sender(lanes, self._bucket(settings.refused_rate, now_ms))
        return made

    def _bucket(self, rate: float, now_ms: int) -> _Bucket:
        size = rate * self._settings.burst.total_seconds()
        return _Bucket(rate, size, size, now_ms)

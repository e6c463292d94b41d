"""What the pipeline counts; whoever renders metrics asks for a snapshot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from collector.lanes import Lane
from domain.histogram import Histogram
from domain.rejection import Reason
from domain.topics import UpLane

LAG_SECONDS: Final = (1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 21_600)
"""From a node that sends at once to one that was away for a morning."""
RECEIPT_SECONDS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


@dataclass(slots=True)
class Counters:
    """Counts since the start of the process; they only grow."""

    messages: Counter[UpLane] = field(default_factory=Counter)
    """Messages taken, by the lane of their topic; those on a bad topic stand under ``rejected`` alone."""
    foreign: Counter[str] = field(default_factory=Counter)
    """Messages of foreign devices, by adapter."""
    passed_over: int = 0
    """Values of registered foreign devices under names that the registry does not list."""
    readings: int = 0
    """Readings committed, repeated ones included."""
    rejected: Counter[Reason] = field(default_factory=Counter)
    """Payloads and records refused and committed to the dead letters, by reason."""
    batches_receipted: int = 0
    commits: int = 0
    failed_commits: int = 0
    """Attempts that failed and were, or will be, tried again."""
    batches_not_stored: int = 0
    """Batches that the journal refused for good: not stored, not receipted, still with their senders."""
    events: int = 0
    """Episodes that nodes told, taken."""
    failed_events: int = 0
    """Episodes that nodes told and that could not be taken; they are sent again."""
    ingest_lag: Histogram = field(default_factory=lambda: Histogram(LAG_SECONDS))
    """How old the newest reading of each live message was when it arrived, in seconds."""
    receipt_lag: Histogram = field(default_factory=lambda: Histogram(RECEIPT_SECONDS))
    """From the arrival of each batch to its receipt, in seconds."""
    defects: int = 0
    """Messages that met a bug of ours in decoding or validating; each is logged with its trace."""


@dataclass(frozen=True, slots=True)
class PipelineStats:
    """A snapshot."""

    counters: Counters
    waiting: Mapping[Lane, int]
    """Messages waiting, by lane."""
    last_commit_at_ms: int | None
    failing_since_ms: int | None
    """Since when the journal takes nothing; None while it does."""

"""Settings of the journal, and how long what is kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from domain.instant import DAY_MS


class Retention(NamedTuple):
    """How long readings and hourly roll-ups of a channel stay; None means for ever. Daily roll-ups always stay."""

    raw_ms: int | None = None
    hourly_ms: int | None = None


IntervalOf = Callable[[str], int]
"""Channel id to the expected interval between its readings in milliseconds; answers for every channel."""
RetentionOf = Callable[[str], Retention]
"""Channel id to what is kept of it; answers for every channel."""


def kept_for_ever(channel: str) -> Retention:
    """Return the retention that deletes nothing."""
    return Retention()


class RetentionSettings(BaseModel):
    """What is kept by quantity: temperature for ever by default, the others as raw readings for a while."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    raw_days: int | None = Field(default=90, ge=1)
    hourly_days: int | None = Field(default=1096, ge=1)
    kept_quantities: frozenset[str] = frozenset({"temperature"})
    """Names of quantities of which nothing is ever deleted."""

    def of(self, quantity: str) -> Retention:
        """Return the retention of a channel that measures this quantity."""
        if quantity in self.kept_quantities:
            return Retention()
        return Retention(_days(self.raw_days), _days(self.hourly_days))


class ArchiveSettings(BaseModel):
    """When months leave the database for Parquet files in ``archive`` beside it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    after_days: int = Field(default=90, ge=1)
    """A month is archived when so many days have passed since its end (UTC)."""
    part_readings: int = Field(default=4_000_000, ge=1)
    """A month with more readings is written as several files, each of a range of channels."""
    fold_readings: int = Field(default=10_000, ge=1)
    """A file is written anew when so many late readings wait for it in the database ..."""
    fold_after_days: int = Field(default=7, ge=0)
    """... or when one has waited for so long."""
    check_every_seconds: float = Field(default=3600.0, gt=0)


class JournalSettings(BaseModel):
    """How the journal works; the defaults suit a clinic up to a district."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    settle_after_seconds: float = Field(default=600.0, gt=0)
    """Rows are sorted into their series after this time at the latest."""
    settle_rows: int = Field(default=500_000, ge=1)
    """... or when so many wait."""
    slice_rows: int = Field(default=10_000, ge=1)
    """Background work holds the writer for so many rows at a time; commits go in between."""
    check_seconds: float = Field(default=1.0, gt=0)
    """How often the background loop looks for work."""
    poll_seconds: float = Field(default=0.2, gt=0)
    """How often a follower in another process looks for new rows."""
    prune_every_seconds: float = Field(default=3600.0, gt=0)
    cover_factor: float = Field(default=2.0, ge=1)
    """A reading stands for the time up to the next one, at most for its channel's interval times this."""
    rejected_per_reason: int = Field(default=50_000, ge=1)
    """So many refused payloads and records are kept for each reason; a flood of one reason pushes out only its own."""
    rejected_per_sender: int = Field(default=1_000, ge=1)
    """... and so many of one sender for one reason; also what is kept of a node that nobody has registered yet."""
    rejected_bytes: int = Field(default=256 * 1024 * 1024, ge=1024)
    """All of them together; beyond it the oldest go, whatever their reason."""
    rejected_payload_bytes: int = Field(default=262_144, ge=0)
    """A longer payload is cut, and cannot be replayed."""
    recent_readings: int = Field(default=50_000, ge=0)
    """So many of the last readings stay in memory for followers that keep up."""
    readers: int = Field(default=2, ge=1)
    """Threads, each with its own read-only connection; more of them wait for each other and for the event loop."""
    retention: RetentionSettings = RetentionSettings()
    archive: ArchiveSettings | None = None
    """Nothing is archived unless this stands in the configuration; what was archived is read all the same."""


def _days(days: int | None) -> int | None:
    return None if days is None else days * DAY_MS

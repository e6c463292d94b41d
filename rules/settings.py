"""What an operator may tune in the judging of readings."""

from __future__ import annotations

from datetime import timedelta

from pydantic import BaseModel, ConfigDict, Field

from rules.values import Duration


class EngineSettings(BaseModel):
    """How the engine treats gaps, late data and its own absence."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    gap_factor: float = Field(default=3.0, ge=1.0)
    """A pause longer than this many expected intervals is a gap: a running timer starts again after it."""
    live_horizon: Duration = timedelta(minutes=15)
    """A reading is live when it arrived at most this long after it was measured ..."""
    live_intervals: float = Field(default=3.0, ge=1.0)
    """... or at most this many expected intervals, whichever is longer."""
    amend_within: Duration = timedelta(days=60)
    """Out-of-order readings older than this on arrival are not judged. Keep it shorter than the raw data are kept:
    judging history again from what is left of it would take back episodes that did happen."""
    downtime: Duration = timedelta(minutes=5)
    """After the service itself was away for longer than this, silence counts from its return."""

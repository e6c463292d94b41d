"""What a technician may set about how readings are kept, and by which clock."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field


class KeepSettings(BaseModel):
    """How much of the disk the outbox may take before the oldest readings are thinned."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_bytes: int = Field(default=200_000_000, ge=4_000_000)
    """The most that the outbox takes, its log and its reserve of 3 MB together included. A node with 20 channels a
    minute fills 200 MB in about a year without a network."""
    leave_free_bytes: int = Field(default=100_000_000, ge=0)
    """The outbox does not grow while the disk has less than this left."""


class ClockTrust(StrEnum):
    """Whether the machine's clock has to prove itself."""

    JUDGE = "judge"
    """Only a clock that says the right time for a reason is believed; see ``edge.clock_trust``."""
    ALWAYS = "always"
    """Somebody else (the host of a virtual machine, a container) is known to set it."""


class ClockSettings(BaseModel):
    """When the machine's clock is believed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    trust: ClockTrust = ClockTrust.JUDGE
    set_files: tuple[Path, ...] = (Path("/run/systemd/timesync/synchronized"),)
    """Files that are there once something has set the clock since the machine started."""
    battery_clocks: Path = Path("/sys/class/rtc")
    """Where the kernel shows clocks with a battery."""

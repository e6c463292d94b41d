"""The machine's clocks, and what it knows about them (Linux)."""

from __future__ import annotations

import ctypes
import time
from pathlib import Path
from typing import Protocol

from domain.instant import SECOND_MS
from edge.keeping_settings import ClockSettings

_TIMEX_BYTES = 512
"""More than a ``struct timex`` takes anywhere; all zero it asks and changes nothing (adjtimex(2))."""
_TIME_ERROR = 5
"""``adjtimex`` returns this while no time service steers the clock."""


class Machine(Protocol):
    """Two clocks, one of which cannot be set, and evidence for the other."""

    @property
    def boot_name(self) -> str:
        """Return a name that no other start of this machine has."""

    def elapsed_ms(self) -> int:
        """Return the milliseconds since the machine started, sleep included."""

    def wall_ms(self) -> int:
        """Return what the clock that people set shows, in milliseconds since 1970."""

    def synchronised(self) -> bool:
        """Tell whether a time service steers the clock now."""

    def set_since_start(self) -> bool:
        """Tell whether a time service has set the clock since the machine started."""

    def battery_ms(self) -> int | None:
        """Return what a clock with a battery shows, in milliseconds since 1970; None where there is none."""


class LinuxMachine:
    """The machine that this process runs on."""

    def __init__(self, settings: ClockSettings) -> None:
        self._settings = settings
        self._adjtimex = getattr(ctypes.CDLL(None, use_errno=True), "adjtimex", None)
        self.boot_name = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()

    def elapsed_ms(self) -> int:
        """Return the milliseconds since the machine started, sleep included."""
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000

    def wall_ms(self) -> int:
        """Return what the clock that people set shows."""
        return time.time_ns() // 1_000_000

    def synchronised(self) -> bool:
        """Ask the kernel, as every time service tells it."""
        if self._adjtimex is None:
            return False
        state = int(self._adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES)))
        return 0 <= state < _TIME_ERROR

    def set_since_start(self) -> bool:
        """Look for the files that the settings name."""
        return any(path.exists() for path in self._settings.set_files)

    def battery_ms(self) -> int | None:
        """Read the first battery clock that answers."""
        for clock in sorted(self._settings.battery_clocks.glob("rtc*")):
            try:
                return int((clock / "since_epoch").read_text(encoding="ascii")) * SECOND_MS
            except (OSError, ValueError):
                continue
        return None

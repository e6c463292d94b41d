"""A machine whose clocks a test sets, and whose plug it pulls."""

from __future__ import annotations

from dataclasses import dataclass

TRUE_START_MS = 1_763_640_000_000
YEAR_MS = 365 * 86_400_000


@dataclass
class FakeMachine:
    """Knows the true time, shows another one, and can be started again."""

    true_ms: int = TRUE_START_MS
    started_ms: int = TRUE_START_MS
    error_ms: int = 0
    """By how much the wall clock is ahead."""
    boot: int = 1
    is_synchronised: bool = False
    has_battery: bool = False

    @property
    def boot_name(self) -> str:
        """Return a name for this start."""
        return f"boot-{self.boot}"

    def elapsed_ms(self) -> int:
        """Return the milliseconds since the last start."""
        return self.true_ms - self.started_ms

    def wall_ms(self) -> int:
        """Return what the wall clock shows."""
        return self.true_ms + self.error_ms

    def synchronised(self) -> bool:
        """Tell whether a time service steers the clock."""
        return self.is_synchronised

    def set_since_start(self) -> bool:
        """Know of no file."""
        return False

    def battery_ms(self) -> int | None:
        """Return the wall clock's time where there is a battery."""
        return self.wall_ms() if self.has_battery else None

    def pass_ms(self, milliseconds: int) -> None:
        """Let time pass."""
        self.true_ms += milliseconds

    def reboot(self, *, off_ms: int, error_ms: int) -> None:
        """Pull the plug for a while; the wall clock comes back with another error, steered by nobody."""
        self.true_ms += off_ms
        self.started_ms = self.true_ms
        self.error_ms = error_ms
        self.boot += 1
        self.is_synchronised = False

    def synchronise(self) -> None:
        """Let a time service set the clock."""
        self.error_ms = 0
        self.is_synchronised = True

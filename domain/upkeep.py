"""The upkeep of equipment: whether it works, since when, who said so; and who went there and what they found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class UpkeepState(StrEnum):
    """How a piece of equipment is, as somebody said who looked after it."""

    FUNCTIONING = "functioning"
    NEEDS_REPAIR = "needs_repair"
    """It serves still; somebody has to mend it."""
    OUT_OF_SERVICE = "out_of_service"
    """It serves nobody: its alerts are kept and told to nobody."""


@dataclass(frozen=True, slots=True)
class Upkeep:
    """What was said of a piece of equipment; of several the last said counts."""

    equipment: str
    state: UpkeepState
    since: datetime
    said_at: datetime
    by: str = ""
    why: str = ""
    id: int = 0
    """The database's; 0 before it has one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Somebody looked after a facility, or one piece of its equipment. A later one may correct or withdraw it."""

    facility: str
    at: datetime
    by: str
    """Who went there."""
    equipment: str = ""
    """Empty: all of it."""
    found: str = ""
    done: str = ""
    note: str = ""
    said_at: datetime
    said_by: str = ""
    """Who wrote it down."""
    corrects: int = 0
    """The number of the entry that this one replaces; 0 for none."""
    withdrawn: bool = False
    """Whether this entry only takes back the one it corrects."""
    id: int = 0
    """The database's; 0 before it has one."""

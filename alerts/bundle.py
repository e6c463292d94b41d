"""What one message tells of: one alert, several of one incident, one cause over a district, or a digest."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from alerts.facts import Facts


class Shape(StrEnum):
    """How the items of a bundle belong together, which decides how they are worded."""

    INCIDENT = "incident"
    """Alerts of one facility, its root cause first; usually just one."""
    AREA = "area"
    """The same at several facilities of one district: a grid that failed."""
    DIGEST = "digest"
    """Whatever waited for one person, worst first."""


class Occasion(StrEnum):
    """Why a person hears of it now, where that is more than that it happened."""

    NEW = "new"
    NOBODY_ANSWERED = "nobody_answered"
    """Those who were told before have not answered."""
    HELP_WANTED = "help_wanted"
    """Somebody who was told asks for help."""
    UNREACHABLE = "unreachable"
    """The message to somebody before could not be delivered."""
    AGAIN = "again"
    """It comes and goes; or an acknowledgement, a shelving or a maintenance ran out while it goes on."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """What one message to one person tells of."""

    shape: Shape
    items: tuple[Facts, ...]
    """At least one, in the order in which they are told; texts of rules are in the language of the one who reads."""
    occasion: Occasion = Occasion.NEW
    who: str = ""
    """Name of the one who wants help or could not be reached."""
    times: int = 1
    """How often it came within the last hour, where it comes and goes."""

    @property
    def facilities(self) -> tuple[Facts, ...]:
        """Return the first item of every facility, in the order of the items."""
        first: dict[str, Facts] = {}
        for item in self.items:
            first.setdefault(item.facility, item)
        return tuple(first.values())

"""Closing an alert for good: what was found and done, what of it has to be said, and how it is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.change import ActionRefusedError, Actor
from alerts.settings import ClosingSettings
from alerts.surroundings import Surroundings
from alerts.tables import CLOSINGS
from domain.suggest import allowed_words

_CHUNK: Final = 500


@dataclass(frozen=True, slots=True)
class Closing:
    """What was found and done, when an alert is closed for good."""

    reason: str = ""
    action: str = ""
    doses_affected: int | None = None
    note: str = ""

    @property
    def in_words(self) -> str:
        """Return all of it as one line."""
        doses = "" if self.doses_affected is None else f"{self.doses_affected} doses affected"
        return "; ".join(filter(None, (self.reason, self.action, doses, self.note)))


@dataclass(frozen=True, slots=True)
class Closed:
    """A closing as it is kept."""

    closing: Closing
    by: str
    """Name of the one who closed it."""
    at: datetime


def require(closing: Closing, settings: ClosingSettings) -> None:
    """Raise ``ActionRefusedError`` where something that the settings ask for is missing, or not allowed."""
    said = {
        "a reason": bool(closing.reason.strip()) or not settings.reason_required,
        "the action taken": bool(closing.action.strip()) or not settings.action_required,
        "the number of doses affected": closing.doses_affected is not None or not settings.doses_required,
    }
    if missing := [name for name, there in said.items() if not there]:
        raise ActionRefusedError(f"closing an alert takes {' and '.join(missing)}")
    if settings.reasons and closing.reason not in settings.reasons:
        raise ActionRefusedError(f"the reason is {allowed_words(closing.reason, settings.reasons)}")
    if closing.doses_affected is not None and closing.doses_affected < 0:
        raise ActionRefusedError("the number of doses affected is 0 or more")


async def keep(around: Surroundings, alert: int, closing: Closing, by: Actor) -> None:
    """Write a closing down, and into the audit log."""
    values = {
        "alert": alert,
        "at": around.now,
        "by": by.name,
        "origin": by.origin,
        "reason": closing.reason,
        "action": closing.action,
        "doses_affected": closing.doses_affected,
        "note": closing.note,
    }
    await around.connection.execute(insert(CLOSINGS).values(values))
    await around.note(alert, [("closed", closing.in_words)], who=by.name, origin=by.origin)


async def closings_of(connection: AsyncConnection, alerts: Sequence[int]) -> dict[int, Closed]:
    """Return the closings of those of these alerts that were closed."""
    found: dict[int, Closed] = {}
    for start in range(0, len(alerts), _CHUNK):
        query = select(CLOSINGS).where(CLOSINGS.c.alert.in_(alerts[start : start + _CHUNK]))
        for row in await connection.execute(query):
            closing = Closing(row.reason, row.action, row.doses_affected, row.note)
            found[row.alert] = Closed(closing, row.by, row.at)
    return found

"""What people do with alerts: take them, ask for help, close them; each within the caller's transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.change import AlertChange
from domain.alert import Alert


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something, and from where."""

    name: str
    origin: str
    """``api``, ``page``, or the channel and address that an answer came from: ``sms_modem +256700000001``."""
    contact: str = ""
    """Id of the contact, where it is one."""


@dataclass(frozen=True, slots=True)
class Closing:
    """What was found and done, when an alert is closed for good."""

    reason: str = ""
    action: str = ""
    doses_affected: int | None = None
    note: str = ""


class Acted(NamedTuple):
    """What came of an action."""

    alert: Alert
    """As it is now."""
    took_effect: bool
    """False where somebody had done it before, or it was over: nothing changed then."""
    changes: tuple[AlertChange, ...]
    """Of every alert that changed; hand them to ``AlertStore.publish`` after the commit."""


class ToldBundle(NamedTuple):
    """One message that a person got, and the alerts that it told of."""

    told_at: datetime
    channel: str
    alerts: tuple[Alert, ...]
    """As they are now; the one that gave the message its reference first."""


class Actions(Protocol):
    """What can be done with alerts. Unknown references raise ``UnknownAlertError``."""

    async def acknowledge(
        self, connection: AsyncConnection, alert_id: int, *, by: Actor, now: datetime, note: str = ""
    ) -> Acted:
        """Note that somebody takes care of the alert and of all others of its incident."""

    async def ask_for_help(
        self, connection: AsyncConnection, alert_id: int, *, by: Actor, now: datetime, note: str = ""
    ) -> Acted:
        """Tell the next step of the escalation at once; the alert stays unacknowledged, so that it goes on."""

    async def close(
        self, connection: AsyncConnection, alert_id: int, closing: Closing, *, by: Actor, now: datetime
    ) -> Acted:
        """Close an alert that is over, with what was found and done.

        One that goes on is acknowledged instead, and ``took_effect`` is False.
        """

    async def told_to(self, connection: AsyncConnection, contact: str, *, limit: int = 20) -> list[ToldBundle]:
        """Return the alarms that a contact was sent, newest first."""

    async def alert(self, connection: AsyncConnection, alert_id: int) -> Alert | None:
        """Return the alert with this reference, or None."""

    async def reply(
        self,
        connection: AsyncConnection,
        *,
        channel: str,
        address: str,
        contact: str,
        text: str,
        now: datetime,
        key: str,
    ) -> None:
        """Queue an answer to somebody; ``contact`` is empty for a stranger, the same ``key`` twice queues once."""

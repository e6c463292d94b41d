"""What people do with alerts: take, ask for help, shelve, unshelve, close; each within the caller's transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.allowed import AllowedAction, Standing, allowed_actions
from alerts.bundle import Occasion
from alerts.change import ActionRefusedError, Actor, AlertChange, UnknownAlertError
from alerts.closing import Closing, closings_of, keep, require
from alerts.escalation import step_of
from alerts.ledger import Stored
from alerts.lifecycle import ONGOING, AlertEvent
from alerts.notification import NotificationKind, NotificationState
from alerts.recorder import Recorder
from alerts.rows import IS_OPEN, alert_of, select_alerts
from alerts.settings import ClosingSettings
from alerts.silences import Silence, SilenceKind, Silences
from alerts.steps import take_step
from alerts.surroundings import Surroundings
from alerts.tables import ALERTS, NOTIFICATIONS, TELLINGS
from domain.alert import Alert, AlertState


class Acted(NamedTuple):
    """What came of an action."""

    alert: Alert
    """As it is now."""
    took_effect: bool
    """False where somebody had done it before, or it was over: nothing changed then."""
    changes: tuple[AlertChange, ...]
    """Of every alert that changed; hand them to ``AlertStore.publish`` after the commit."""


class Actions:
    """What can be done with alerts. Unknown references raise ``UnknownAlertError``.

    ``around`` gives the surroundings of a change on a connection at a moment.
    """

    def __init__(
        self, around: Callable[[AsyncConnection, datetime], Surroundings], closing: ClosingSettings | None = None
    ) -> None:
        self._around = around
        self.closing = closing or ClosingSettings()

    async def acknowledge(
        self, connection: AsyncConnection, alert_id: int, *, by: Actor, now: datetime, note: str = ""
    ) -> Acted:
        """Note that somebody takes care of the alert and of all others of its incident."""
        recorder = self._recorder(connection, now)
        stored = await self._incident(recorder, connection, alert_id)
        changes = []
        for entry in stored.values():
            if AllowedAction.ACKNOWLEDGE in allowed_actions(entry.alert, Standing(entry.incident)):
                until = self._until(connection, entry.alert, now)
                changes.append(await recorder.happen(entry, AlertEvent.ACKNOWLEDGED, by=by, detail=note, until=until))
        if by.contact:
            await _note_arrival(connection, by.contact, list(stored), now)
        await recorder.finish()
        took = any(change.alert.id == alert_id for change in changes)
        return Acted(stored[alert_id].alert, took, tuple(changes))

    async def ask_for_help(
        self, connection: AsyncConnection, alert_id: int, *, by: Actor, now: datetime, note: str = ""
    ) -> Acted:
        """Tell the next step of the escalation at once; what nobody took stays so, and the escalation goes on."""
        recorder = self._recorder(connection, now)
        entry = await _loaded(recorder, alert_id)
        allowed = allowed_actions(entry.alert, Standing(entry.incident))
        if entry.incident is None or AllowedAction.ASK_FOR_HELP not in allowed:
            return Acted(entry.alert, False, ())
        around = self._around(connection, now)
        await around.note(alert_id, [("help_wanted", note)], who=by.name, origin=by.origin)
        due = await step_of(connection, entry.incident, now=now)
        called = due._replace(occasion=Occasion.HELP_WANTED, who=by.name)
        changes = await take_step(around, called, [entry.alert])
        if by.contact:
            await _note_arrival(connection, by.contact, [alert_id], now)
        await recorder.finish()
        told = any(each.reason.told or each.reason.held for change in changes for each in change.decisions)
        return Acted(entry.alert, told, tuple(changes))

    async def close(
        self, connection: AsyncConnection, alert_id: int, closing: Closing, *, by: Actor, now: datetime
    ) -> Acted:
        """Close an alert that is over, with what was found and done.

        One that goes on is acknowledged instead, and ``took_effect`` is False. Where a person has room to say
        everything that is asked, ``require`` it first.
        """
        recorder = self._recorder(connection, now)
        entry = await _loaded(recorder, alert_id)
        if entry.alert.state in ONGOING:
            note = " ".join(filter(None, (closing.reason, closing.action, closing.note)))
            acted = await self.acknowledge(connection, alert_id, by=by, now=now, note=note)
            return Acted(acted.alert, False, acted.changes)
        closed = (await closings_of(connection, [alert_id])).get(alert_id)
        if AllowedAction.CLOSE not in allowed_actions(entry.alert, Standing(entry.incident, closed)):
            return Acted(entry.alert, False, ())
        changes = []
        if entry.alert.state is AlertState.RETURNED_UNACKNOWLEDGED:
            changes.append(await recorder.happen(entry, AlertEvent.ACKNOWLEDGED, by=by))
        await keep(self._around(connection, now), alert_id, closing, by)
        return Acted(entry.alert, True, tuple(changes) or (AlertChange(entry.alert, entry.alert.state, ()),))

    async def shelve(
        self, connection: AsyncConnection, alert_id: int, *, until: datetime, reason: str, by: Actor, now: datetime
    ) -> Acted:
        """Put the alert aside until a moment, and whatever the same rule says of the same subject until then.

        Raises ``ActionRefusedError`` without a reason, or for longer than is allowed.
        """
        around = self._around(connection, now)
        longest = timedelta(seconds=around.settings.longest_shelving_seconds)
        if not reason.strip():
            raise ActionRefusedError("an alert is shelved for a reason: say which")
        if not now < until <= now + longest:
            raise ActionRefusedError(
                f"an alert is shelved until a moment within {longest}; found {until:%Y-%m-%d %H:%M}"
            )
        recorder = self._recorder(connection, now)
        entry = await _loaded(recorder, alert_id)
        happening = await recorder.happen(
            entry, AlertEvent.SHELVED, by=by, detail=f"until {until:%Y-%m-%dT%H:%MZ}: {reason}"
        )
        await Silences(connection).add(_shelving(entry.alert, until=until, reason=reason, by=by, now=now))
        await recorder.finish()
        return Acted(entry.alert, True, (happening,))

    async def unshelve(
        self, connection: AsyncConnection, alert_id: int, *, by: Actor, now: datetime, note: str = ""
    ) -> Acted:
        """Let a shelved alert speak again before its time: what goes on is told afresh.

        Whatever else the shelving silenced speaks with the next round of the agenda. Raises ``ImpossibleEventError``
        for an alert that is not shelved.
        """
        recorder = self._recorder(connection, now)
        entry = await _loaded(recorder, alert_id)
        happening = await recorder.happen(entry, AlertEvent.UNSHELVED, by=by, detail=note)
        await recorder.end_shelving(entry, by=by.name)
        await recorder.finish()
        return Acted(entry.alert, True, (happening,))

    def require(self, closing: Closing) -> None:
        """Raise ``ActionRefusedError`` where something that the settings ask for is missing, or not allowed."""
        require(closing, self.closing)

    async def alert(self, connection: AsyncConnection, alert_id: int) -> Alert | None:
        """Return the alert with this reference, or None."""
        row = (await connection.execute(select_alerts().where(ALERTS.c.id == alert_id))).one_or_none()
        return None if row is None else alert_of(row)

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
        known = select(NOTIFICATIONS.c.id).where(NOTIFICATIONS.c.key == key)
        if await connection.scalar(known) is not None:
            return
        values = {
            "key": key,
            "kind": NotificationKind.REPLY.value,
            "contact": contact,
            "channel": channel,
            "fallbacks": "[]",
            "address": address,
            "reason": NotificationKind.REPLY.value,
            "subject": text.partition("\n")[0][:120],
            "short_text": text,
            "long_text": text,
            "facts": "{}",
            "state": NotificationState.QUEUED.value,
            "attempts": 0,
            "queued_at": now,
            "next_attempt_at": now,
            "deadline": self._around(connection, now).deadline,
            "delivery_reference": "",
            "last_error": "",
        }
        await connection.execute(insert(NOTIFICATIONS).values(values))

    def _recorder(self, connection: AsyncConnection, now: datetime) -> Recorder:
        return Recorder(self._around(connection, now))

    async def _incident(self, recorder: Recorder, connection: AsyncConnection, alert_id: int) -> dict[int, Stored]:
        """Return the alert and the others of its incident that are not over, locked."""
        own = select(ALERTS.c.incident).where(ALERTS.c.id == alert_id).scalar_subquery()
        query = select(ALERTS.c.id).where(or_(ALERTS.c.id == alert_id, (ALERTS.c.incident == own) & IS_OPEN))
        stored = await recorder.load(await connection.scalars(query.order_by(ALERTS.c.id)))
        if alert_id not in stored:
            raise UnknownAlertError(alert_id)
        return stored

    def _until(self, connection: AsyncConnection, alert: Alert, now: datetime) -> datetime | None:
        lasts = self._around(connection, now).settings.acknowledged_for_seconds.of(alert.severity)
        return now + lasts if lasts and alert.state is AlertState.UNACKNOWLEDGED else None


async def _loaded(recorder: Recorder, alert_id: int) -> Stored:
    """Return an alert, locked."""
    entry = (await recorder.load([alert_id])).get(alert_id)
    if entry is None:
        raise UnknownAlertError(alert_id)
    return entry


def _shelving(alert: Alert, *, until: datetime, reason: str, by: Actor, now: datetime) -> Silence:
    return Silence(
        kind=SilenceKind.SHELVING,
        reason=reason,
        created_by=by.name,
        created_at=now,
        start=now,
        end=until,
        facility=alert.facility,
        subject=alert.subject,
        rule=alert.rule,
    )


async def _note_arrival(connection: AsyncConnection, contact: str, alerts: Sequence[int], now: datetime) -> None:
    """Mark what told a person of these alerts as arrived, whatever the gateway said: the person answered."""
    table = NOTIFICATIONS.c
    arrived = [NotificationState.SUBMITTED.value, NotificationState.DELIVERED.value, NotificationState.UNKNOWN.value]
    told = select(TELLINGS.c.bundle).where(TELLINGS.c.alert.in_(alerts), TELLINGS.c.contact == contact)
    await connection.execute(
        update(NOTIFICATIONS)
        .where(table.contact == contact, table.bundle.in_(told), table.state.in_(arrived))
        .where(table.next_attempt_at.is_(None))
        .values(state=NotificationState.ACKNOWLEDGED.value, report_due_at=None, settled_at=now)
    )

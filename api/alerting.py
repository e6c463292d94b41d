"""The telling of alerts over HTTP: incidents, who was told, help, shelving and its end, closing, maintenance."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from http import HTTPStatus
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fastapi import APIRouter, Path, Query

from alerts.answers.masking import without_numbers
from alerts.notification import Notification
from alerts.reading import Incident
from alerts.silences import Silence, SilenceKind
from api.alerting_models import (
    AlertHistory,
    AuditLine,
    ClosingStatement,
    IncidentDetail,
    IncidentList,
    NotificationDetail,
    NotificationList,
    OutboxLine,
    OutboxState,
    Shelving,
    SilenceDetail,
    SilenceList,
    SilenceStatement,
)
from api.alerts import AlertId
from api.deeds import Deeds
from api.models import Acknowledgement, AlertDetail
from api.problems import NotFoundError, RequestError
from api.services import alert_desk_of
from api.translate import Translator
from api.visit import Acting, Managing, Viewing, Visit
from domain.access import Role
from domain.alert import Alert
from domain.instant import to_datetime

_UNKNOWN: dict[int | str, dict[str, Any]] = {404: {"description": "Unknown alert"}}
_REFUSED: dict[int | str, dict[str, Any]] = {
    **_UNKNOWN,
    400: {"description": "Something is missing"},
    409: {"description": "Not possible now"},
}


def alerting_routes() -> APIRouter:
    """Return the routes that need the desk of alerts."""
    router = APIRouter(tags=["alerts"], responses={503: {"description": "This process tells nobody"}})
    _add_looks(router)
    _add_actions(router)
    _add_silences(router)
    return router


def _add_looks(router: APIRouter) -> None:
    @router.get("/alerts/{alert_id}/history", summary="What happened to an alert", responses=_UNKNOWN)
    async def history(visit: Viewing, alert_id: AlertId) -> AlertHistory:
        """Return the audit log of an alert, oldest first."""
        shown = await _shown(visit, alert_id)
        lines = await alert_desk_of(visit.services).history(alert_id)
        return AlertHistory(
            entries=[
                AuditLine(
                    at=each.at, who=each.who, origin=shown(each.origin), what=each.what, detail=shown(each.detail)
                )
                for each in lines
            ]
        )

    @router.get("/alerts/{alert_id}/notifications", summary="Who was told of an alert", responses=_UNKNOWN)
    async def notifications(visit: Viewing, alert_id: AlertId) -> NotificationList:
        """Return the messages about an alert; addresses stay in the registry."""
        shown = await _shown(visit, alert_id)
        found = await alert_desk_of(visit.services).notifications(alert_id)
        return NotificationList(notifications=[_notification(each, shown) for each in found])

    @router.get("/incidents", summary="Incidents that are not over, newest first")
    async def incidents(visit: Viewing, facility: Annotated[str | None, Query(max_length=300)] = None) -> IncidentList:
        """Return alerts of one facility and one cause together, what began first at the head."""
        found = await alert_desk_of(visit.services).incidents(facility)
        translator = await Translator.of(visit.services, [alert for each in found for alert in each.alerts])
        return IncidentList(incidents=[_incident(each, translator) for each in found])

    @router.get("/outbox", summary="Messages by channel and state")
    async def outbox(visit: Viewing) -> OutboxState:
        """Return how many messages wait, went out, or failed."""
        counts = await alert_desk_of(visit.services).outbox_counts()
        return OutboxState(
            counts=[
                OutboxLine(channel=each.channel, state=each.state.value, notifications=each.notifications)
                for each in counts
            ]
        )


def _add_actions(router: APIRouter) -> None:
    async def answer(visit: Visit, said: Awaitable[Alert]) -> AlertDetail:
        alert = await said
        return (await Translator.of(visit.services, [alert])).alert(alert)

    @router.post("/alerts/{alert_id}/help", summary="Ask for help with an alert", responses=_REFUSED)
    async def ask_for_help(visit: Acting, alert_id: AlertId, said: Acknowledgement) -> AlertDetail:
        """Tell the next people of the escalation at once."""
        return await answer(visit, Deeds(visit, "api").ask_for_help(alert_id, said))

    @router.post("/alerts/{alert_id}/shelve", summary="Put an alert aside for a while", responses=_REFUSED)
    async def shelve(visit: Acting, alert_id: AlertId, said: Shelving) -> AlertDetail:
        """Silence the alert, and what its rule says of the same thing, for some hours; getting worse ends it."""
        return await answer(visit, Deeds(visit, "api").shelve(alert_id, said))

    @router.post("/alerts/{alert_id}/unshelve", summary="Let a shelved alert speak again", responses=_REFUSED)
    async def unshelve(visit: Acting, alert_id: AlertId, said: Acknowledgement) -> AlertDetail:
        """End the shelving before its time: what goes on is told afresh."""
        return await answer(visit, Deeds(visit, "api").unshelve(alert_id, said))

    @router.post("/alerts/{alert_id}/close", summary="Close an alert that is over", responses=_REFUSED)
    async def close(visit: Acting, alert_id: AlertId, said: ClosingStatement) -> AlertDetail:
        """Keep what was found and done; one that goes on is acknowledged instead."""
        return await answer(visit, Deeds(visit, "api").close(alert_id, said))


def _add_silences(router: APIRouter) -> None:
    @router.get("/silences", summary="Shelvings and maintenance windows that hold now or will")
    async def silences(visit: Viewing) -> SilenceList:
        """Return what is or will be silent."""
        found = await alert_desk_of(visit.services).silences(to_datetime(visit.services.clock.now_ms()))
        return SilenceList(silences=[_silence(each) for each in found])

    @router.post("/silences", summary="Announce maintenance", status_code=201)
    async def announce(visit: Managing, said: SilenceStatement) -> SilenceDetail:
        """Let alerts of a place, a piece of equipment or a rule be listed and not told meanwhile."""
        _require_zone(said.timezone)
        fields = said.model_dump() | {"created_by": visit.signature(said.by)}
        del fields["by"]
        now = to_datetime(visit.services.clock.now_ms())
        silence = Silence(kind=SilenceKind.MAINTENANCE, created_at=now, **fields)
        return _silence(await alert_desk_of(visit.services).silence(silence))

    @router.delete(
        "/silences/{number}",
        summary="Take a shelving or maintenance back",
        status_code=204,
        responses={404: {"description": "No such silence stands"}},
    )
    async def cancel(
        visit: Managing,
        number: Annotated[int, Path(ge=1, lt=2**63)],
        by: Annotated[str, Query(max_length=80, description="Name of the person, where nobody is signed in")] = "",
    ) -> None:
        """Let what goes on be told again."""
        now = to_datetime(visit.services.clock.now_ms())
        await alert_desk_of(visit.services).cancel_silence(number, by=visit.signature(by), now=now)


async def _shown(visit: Visit, alert_id: int) -> Callable[[str], str]:
    """Return how texts about an alert are shown: telephone numbers in them only to managers."""
    alert = await visit.services.alert(alert_id)
    if alert is None:
        raise NotFoundError("alert", alert_id)
    return str if visit.may(Role.MANAGER, alert.facility) else without_numbers


def _require_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise RequestError(
            HTTPStatus.UNPROCESSABLE_ENTITY, "timezone: an IANA time zone such as Africa/Kampala"
        ) from None


def _notification(sent: Notification, shown: Callable[[str], str]) -> NotificationDetail:
    return NotificationDetail(
        id=sent.id,
        kind=sent.kind.value,
        contact=sent.contact,
        channel=sent.channel,
        reason=sent.reason,
        state=sent.state.value,
        text=shown(sent.short_text),
        attempts=sent.attempts,
        queued_at=sent.queued_at,
        settled_at=sent.settled_at,
        last_error=shown(sent.last_error),
    )


def _incident(incident: Incident, translator: Translator) -> IncidentDetail:
    root = incident.alerts[0]
    return IncidentDetail(
        number=incident.number,
        facility=root.facility,
        root=root.id,
        next_step_at=incident.next_step_at,
        alerts=[translator.alert(alert) for alert in incident.alerts],
    )


def _silence(silence: Silence) -> SilenceDetail:
    fields = asdict(silence)
    return SilenceDetail(**{name: fields[name] for name in SilenceDetail.model_fields})

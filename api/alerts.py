"""Alerts over HTTP, and taking one."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from api.models import Acknowledgement, AlertDetail, AlertList
from api.problems import NotFoundError
from api.translate import Translator
from api.visit import Acting, Viewing, Visit
from domain.alert import Alert
from domain.instant import to_datetime

AlertId = Annotated[int, Path(ge=1, lt=2**63, description="The reference that a technician reads and answers with")]


def alert_routes() -> APIRouter:
    """Return the routes under ``/alerts``."""
    router = APIRouter(prefix="/alerts", tags=["alerts"])

    @router.get("", summary="Alerts, newest first")
    async def list_alerts(
        visit: Viewing,
        open_: Annotated[bool, Query(alias="open", description="Only those that are not over")] = False,
        facility: Annotated[str | None, Query(max_length=300)] = None,
        limit: Annotated[int, Query(ge=1, le=2000)] = 200,
    ) -> AlertList:
        """Return alerts with the words of their rules."""
        found = await visit.services.alerts(open_only=open_, facility=facility, limit=limit)
        translator = await Translator.of(visit.services, found)
        return AlertList(alerts=[translator.alert(alert) for alert in found])

    @router.get("/{alert_id}", summary="One alert", responses={404: {"description": "Unknown alert"}})
    async def get_alert(visit: Viewing, alert_id: AlertId) -> AlertDetail:
        """Return one alert."""
        found = await visit.services.alert(alert_id)
        if found is None:
            raise NotFoundError("alert", alert_id)
        return (await Translator.of(visit.services, [found])).alert(found)

    @router.post("/{alert_id}/acknowledge", summary="Take an alert", responses={404: {"description": "Unknown alert"}})
    async def acknowledge_alert(visit: Acting, alert_id: AlertId, said: Acknowledgement) -> AlertDetail:
        """Record that somebody has taken the alert; saying so twice changes nothing."""
        found = await acknowledge(visit, alert_id, said, "api")
        return (await Translator.of(visit.services, [found])).alert(found)

    return router


async def acknowledge(visit: Visit, alert_id: int, said: Acknowledgement, way: str) -> Alert:
    """Take an alert in the name of a person; raise ``NotFoundError`` for an unknown one."""
    services = visit.services
    if await services.alert(alert_id) is None:
        raise NotFoundError("alert", alert_id)
    now = to_datetime(services.clock.now_ms())
    return await services.acknowledge(
        alert_id, by=visit.signature(said.by), now=now, origin=visit.origin(way), note=said.note
    )

"""Facilities over HTTP: worst first, and one with all that stands in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from starlette.responses import StreamingResponse

from api.channels import QueryMoment, Wanted, span_of
from api.download import CSV, download
from api.models import FacilityDetail, FacilityList
from api.problems import NotFoundError
from api.services import Services
from api.translate import Translator
from api.visit import Viewing
from dashboards.pages.status import FacilityStatus, facility_status
from dashboards.pages.words import ENGLISH, Words
from domain.alert import Alert
from domain.directory import Directory
from domain.places import Facility

MOST_OPEN_ALERTS = 2000
"""More open alerts than this are a flood; the list says so by its length."""
FacilityId = Annotated[str, Path(max_length=300, description="Id of the facility; may hold slashes")]


def facility_routes() -> APIRouter:
    """Return the routes under ``/facilities``."""
    router = APIRouter(prefix="/facilities", tags=["facilities"])

    @router.get("", summary="Facilities, worst first")
    async def list_facilities(
        visit: Viewing,
        region: Annotated[str | None, Query(max_length=300)] = None,
        district: Annotated[str | None, Query(max_length=300)] = None,
        limit: Annotated[int, Query(ge=1, le=5000)] = 500,
        offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    ) -> FacilityList:
        """Return how every facility is, per service; a silent one is unknown, never ok."""
        directory = visit.services.directory()
        statuses = [
            status
            for status in all_statuses(visit.services, directory)
            if region in (None, status.facility.region) and district in (None, status.facility.district)
        ]
        translator = Translator(visit.services, directory)
        return FacilityList(
            total=len(statuses),
            by_status=dict(Counter(status.overall for status in statuses)),
            facilities=[translator.facility(status) for status in statuses[offset : offset + limit]],
        )

    @router.get(
        "/{facility:path}/readings",
        summary="Readings of one facility as CSV",
        response_class=StreamingResponse,
        responses={200: {"content": {CSV: {"schema": {"type": "string"}}}}, 404: {"description": "Unknown facility"}},
    )
    async def get_facility_readings(
        visit: Viewing,
        facility: FacilityId,
        from_: Annotated[QueryMoment, Query(alias="from", description="Inclusive; a day before `to`")] = None,
        to: Annotated[QueryMoment, Query(description="Exclusive; now")] = None,
        resolution: Annotated[
            Wanted, Query(description="`auto` takes the finest that is kept of all channels")
        ] = Wanted.AUTO,
    ) -> Response:
        """Return what was measured at a facility, one channel after the other, in the canonical unit of each."""
        found = facility_of(visit.services.directory(), facility)
        return await download(visit.services, found, None, span_of(visit.services, from_, to), resolution.exact)

    @router.get("/{facility:path}", summary="One facility", responses={404: {"description": "Unknown facility"}})
    async def get_facility(visit: Viewing, facility: FacilityId) -> FacilityDetail:
        """Return a facility with its equipment, the newest values and its open alerts."""
        directory = visit.services.directory()
        status, open_alerts = await one_status(visit.services, directory, facility, ENGLISH)
        return (await Translator.of(visit.services, open_alerts, directory)).facility_detail(status, open_alerts)

    return router


def facility_of(directory: Directory, facility_id: str) -> Facility:
    """Return a facility; raise ``NotFoundError`` for one that is not registered, or not in sight."""
    found = directory.facilities.get(facility_id)
    if found is None:
        raise NotFoundError("facility", facility_id)
    return found


def all_statuses(services: Services, directory: Directory) -> list[FacilityStatus]:
    """Return how every facility of the directory is, worst first; reasons in English, until they are ``said``."""
    return [status for status in services.statuses() if status.facility.id in directory.facilities]


def said(
    services: Services, directory: Directory, statuses: Sequence[FacilityStatus], words: Words
) -> Sequence[FacilityStatus]:
    """Return statuses with their reasons in the words of a reader; for those that are shown, not for a nation."""
    if words.language == ENGLISH.language:
        return statuses
    shown = {status.facility.id for status in statuses}
    alerts: dict[str, list[Alert]] = {}
    for alert in services.open_alerts():
        if alert.facility in shown:
            alerts.setdefault(alert.facility, []).append(alert)
    latest, describe, now_ms = services.latest, services.describe, services.clock.now_ms()
    return [
        facility_status(each.facility, directory, latest, alerts.get(each.facility.id, ()), now_ms, describe, words)
        for each in statuses
    ]


async def one_status(
    services: Services, directory: Directory, facility_id: str, words: Words
) -> tuple[FacilityStatus, Sequence[Alert]]:
    """Return how one facility is and its open alerts; raise ``NotFoundError`` for an unknown one."""
    facility = facility_of(directory, facility_id)
    open_alerts = await services.alerts(open_only=True, facility=facility_id, limit=MOST_OPEN_ALERTS)
    now_ms = services.clock.now_ms()
    return facility_status(
        facility, directory, services.latest, open_alerts, now_ms, services.describe, words
    ), open_alerts

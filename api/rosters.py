"""Rosters as calendars, over HTTP: to subscribe to, and to change who is on call."""

from __future__ import annotations

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request
from pydantic import Field
from starlette.responses import Response

from alerts.oncall.roster import Span
from api.channels import QueryMoment
from api.models import Model
from api.problems import NotFoundError, RequestError, printable
from api.services import RosterDesk, Services
from api.visit import Managing, Viewing
from domain.errors import DocumentError
from domain.instant import to_datetime

CALENDAR: Final = "text/calendar"
PATTERN: Final = r"/rosters/.+\.ics"
"""Of the paths whose bodies may be as large as ``MOST_BYTES``, as a regular expression."""
MOST_BYTES: Final = 1_048_576
_MOST_DAYS: Final = 800
_MOST_PROBLEMS: Final = 20

RosterId = Annotated[str, Path(max_length=300, description="Id of the roster")]
From = Annotated[QueryMoment, Query(alias="from", description="Now, if left out")]
_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    404: {"description": "Unknown roster"},
    503: {"description": "This process has no registry of its own"},
}
_BODY: Final = {"requestBody": {"required": True, "content": {CALENDAR: {"schema": {"type": "string"}}}}}


class RosterChange(Model):
    """What came of a calendar."""

    roster: str
    events: int = Field(description="Events of the calendar that reach into the days that were asked for")
    added: int = Field(description="Overrides that were not registered before")
    forgotten: int = Field(description="Overrides that are registered no more")


def roster_routes() -> APIRouter:
    """Return the routes under ``/rosters``."""
    router = APIRouter(tags=["people"], responses=_RESPONSES)

    @router.get(
        "/rosters/{roster:path}.ics",
        summary="A roster as a calendar",
        response_class=Response,
        responses={200: {"content": {CALENDAR: {}}, "description": "iCalendar (RFC 5545)"}},
    )
    async def get_calendar(
        visit: Viewing, roster: RosterId, from_: From = None, days: Annotated[int, Query(ge=1, le=_MOST_DAYS)] = 60
    ) -> Response:
        """Return an event for each turn, with the e-mail address of who is on call; UIDs stay the same."""
        desk = _desk(visit.services, roster)
        content = await desk.calendar(roster, _window(visit.services, from_, days))
        return Response(content, media_type=f"{CALENDAR}; charset=utf-8")

    @router.put(
        "/rosters/{roster:path}.ics",
        summary="Take a calendar as the overrides of a roster",
        responses={413: {"description": "Too large"}, 415: {"description": "No calendar"}},
        openapi_extra=_BODY,
    )
    async def put_calendar(
        visit: Managing,
        roster: RosterId,
        request: Request,
        from_: From = None,
        days: Annotated[int, Query(ge=1, le=_MOST_DAYS)] = 366,
        add: Annotated[bool, Query(description="Keep what is registered; otherwise the calendar says all")] = False,
    ) -> RosterChange:
        """Put the person of each event on call while it lasts; one event that cannot be used, and nothing changes."""
        desk = _desk(visit.services, roster)
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != CALENDAR:
            raise RequestError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"Send a calendar, as {CALENDAR}.")
        window = _window(visit.services, from_, days)
        try:
            taken = await desk.take(roster, await request.body(), window, add=add)
        except DocumentError as error:
            raise _refusal(error) from None
        return RosterChange(roster=roster, events=taken.events, added=taken.added, forgotten=taken.forgotten)

    return router


def _desk(services: Services, roster: str) -> RosterDesk:
    if services.rosters is None:
        raise RequestError(HTTPStatus.SERVICE_UNAVAILABLE, "This process has no registry of its own.")
    if roster not in services.directory().rosters:
        raise NotFoundError("roster", roster)
    return services.rosters


def _window(services: Services, start: datetime | None, days: int) -> Span:
    begin = start or to_datetime(services.clock.now_ms())
    return Span(begin, begin + timedelta(days=days))


def _refusal(error: DocumentError) -> RequestError:
    """Return what is wrong with a calendar, each event by itself."""
    errors = [
        {
            "field": printable(f"line {each.line}: {each.field}", 200),
            "sentence": printable(f"found {each.found}; allowed: {each.allowed}", 300),
        }
        for each in error.problems[:_MOST_PROBLEMS]
    ]
    detail = "; ".join(f"{each['field']}: {each['sentence']}" for each in errors)
    return RequestError(HTTPStatus.UNPROCESSABLE_ENTITY, detail, errors=errors)

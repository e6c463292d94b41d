"""How alerting does, over HTTP."""

from __future__ import annotations

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BeforeValidator

from alerts.measures.rows import Period
from api.measure_models import MeasuresDocument, document_of
from api.problems import RequestError, parse_moment
from api.visit import Viewing
from domain.access import Principal
from domain.directory import misplaced
from domain.instant import to_datetime
from domain.places import EVERYWHERE, Place

USUAL = timedelta(days=30)
Asked = Annotated[datetime, BeforeValidator(parse_moment)]
Name = Annotated[str, Query(max_length=300)]


def measure_routes() -> APIRouter:
    """Return the route ``/measures``."""
    router = APIRouter(tags=["measures"], responses={503: {"description": "This process has no measures"}})

    @router.get("/measures", summary="How alerting does, for managers")
    async def get_measures(
        visit: Viewing,
        from_: Annotated[Asked | None, Query(alias="from", description="By default 30 days before the end")] = None,
        to: Annotated[Asked | None, Query(description="By default now")] = None,
        country: Name = "",
        region: Name = "",
        district: Name = "",
        facility: Name = "",
    ) -> MeasuresDocument:
        """Return times, loads and messages of a period; without a place, of all that one may see."""
        if visit.services.measures is None:
            raise RequestError(HTTPStatus.SERVICE_UNAVAILABLE, "This process has no measures of alerting.")
        end = to or to_datetime(visit.services.clock.now_ms())
        begin = from_ or end - USUAL
        if begin >= end:
            raise RequestError(HTTPStatus.UNPROCESSABLE_ENTITY, "from must be before to.")
        place = Place(country, region, district, facility)
        if place == EVERYWHERE:
            place = _own_place(visit.principal)
        if sentence := misplaced(place, visit.services.directory()):
            raise RequestError(HTTPStatus.UNPROCESSABLE_ENTITY, sentence)
        return document_of(await visit.services.measures(Period(begin, end), place))

    return router


def _own_place(principal: Principal) -> Place:
    """Return the one place that somebody has a role for; everything in sight where there are several."""
    places = {grant.place for grant in principal.grants}
    return places.pop() if len(places) == 1 else EVERYWHERE

"""Figures of places over HTTP, with the route list of a technician."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from api.figure_models import FiguresDocument, RouteDocument, figures_document, route_document
from api.survey import question_of, read_answers, read_survey
from api.visit import Viewing
from dashboards.figures.survey import Question

Asked = Annotated[Question, Depends(question_of)]
_UNKNOWN_PLACE: dict[int | str, dict[str, Any]] = {404: {"description": "No facility there, as far as you may see"}}


def figure_routes() -> APIRouter:
    """Return the routes under ``/figures``."""
    router = APIRouter(prefix="/figures", tags=["figures"], responses=_UNKNOWN_PLACE)

    @router.get("", summary="How a place does, against the days before")
    async def get_figures(visit: Viewing, asked: Asked) -> FiguresDocument:
        """Return time in range, power, water, alerts and the parts of a place, over whole days UTC.

        A place is named from the largest on: country, region, district. Time without data is unknown, never in range.
        """
        found = await read_survey(visit, asked)
        return figures_document(found, await read_answers(visit.services, found))

    @router.get("/route", summary="Facilities to visit, the worst first")
    async def get_route(visit: Viewing, asked: Asked) -> RouteDocument:
        """Return which facilities need a visit, and why."""
        found = await read_survey(visit, asked)
        visits = await visit.services.last_visits([stop.facility.id for stop in found.stops])
        return route_document(found.stops, dict(visits))

    return router

"""The pages of places over HTTP: how a place does, where a technician should go, and both as files."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from api.csv_table import csv_response
from api.facilities import said
from api.page_parts import page
from api.survey import question_of, read_answers, read_place, read_survey
from api.visit import Viewing
from dashboards.figures.survey import Question
from dashboards.figures.tables import appliances_table, parts_table, route_table
from dashboards.figures.visits import appliances_of
from dashboards.pages.place import place_page
from dashboards.pages.render import Pages
from dashboards.pages.route import MOST_STOPS, route_page

Asked = Annotated[Question, Depends(question_of)]


def add_place_pages(router: APIRouter, pages: Pages) -> None:
    """Add the pages of places and their tables as files."""

    @router.get("/places")
    async def show_place(visit: Viewing, asked: Asked) -> Response:
        found = await read_survey(visit, asked)
        answers = await read_answers(visit.services, found)
        return await page(visit, pages, "place.html", place_page(found, answers, visit.words))

    @router.get("/places/route")
    async def show_route(visit: Viewing, asked: Asked) -> Response:
        found = await read_survey(visit, asked)
        shown = found.stops[:MOST_STOPS]
        visits = await visit.services.last_visits([stop.facility.id for stop in shown])
        spoken = said(visit.services, visit.services.directory(), [stop.status for stop in shown], visit.words)
        return await page(visit, pages, "route.html", route_page(found, spoken, visits, visit.words))

    @router.get("/places/parts.csv")
    async def parts_file(visit: Viewing, asked: Asked) -> Response:
        return csv_response("places", *parts_table(await read_survey(visit, asked)))

    @router.get("/places/worst.csv")
    async def worst_file(visit: Viewing, asked: Asked) -> Response:
        directory = visit.services.directory()
        found = await asyncio.to_thread(
            appliances_of, read_place(visit, asked.where), asked.stretch, visit.services.figures(), directory
        )
        return csv_response("fridges", *appliances_table(found, asked.stretch))

    @router.get("/places/route.csv")
    async def route_file(visit: Viewing, asked: Asked) -> Response:
        found = await read_survey(visit, asked)
        visits = await visit.services.last_visits([stop.facility.id for stop in found.stops])
        return csv_response("route", *route_table(found.stops, visits))

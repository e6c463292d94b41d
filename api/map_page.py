"""The map over HTTP."""

from __future__ import annotations

import asyncio
from functools import partial
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.facilities import all_statuses, said
from api.page_parts import page
from api.problems import RequestError
from api.visit import Viewing
from dashboards.pages.geography import Bounds, parse_bounds
from dashboards.pages.map import MapQuery, drawn, lay_out, map_page
from dashboards.pages.render import Pages

PlaceName = Annotated[str, Query(max_length=300)]
Box = Annotated[str, Query(alias="bbox", max_length=100, description="west,south,east,north in degrees")]
Part = Annotated[str, Query(max_length=10)]


def add_map_page(router: APIRouter, pages: Pages) -> None:
    """Add the map of the facilities that somebody may see."""

    @router.get("/map")
    async def show_map(
        visit: Viewing, region: PlaceName = "", district: PlaceName = "", box: Box = "", part: Part = ""
    ) -> Response:
        services, query = visit.services, MapQuery(region, district, _bounds(box))
        statuses = all_statuses(services, services.directory())
        countries = dict.fromkeys(each.facility.country for each in statuses)
        in_words = partial(said, services, services.directory(), words=visit.words)
        outlines, now_ms = services.outlines(countries), services.clock.now_ms()
        # A nation takes a twentieth of a second, and the event loop has readings to take in between.
        layout = lay_out(statuses, outlines, query)
        await asyncio.sleep(0)
        sheet = drawn(layout, query, visit.words)
        await asyncio.sleep(0)
        view = map_page(layout, sheet, query, now_ms, visit.words, in_words)
        return await page(visit, pages, "map.html", view, live=part == "live")


def _bounds(text: str) -> Bounds | None:
    try:
        return parse_bounds(text) if text else None
    except ValueError as error:
        raise RequestError(HTTPStatus.UNPROCESSABLE_ENTITY, f"{error}.") from None

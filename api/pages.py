"""The built-in pages over HTTP: read, build the view, render."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import HTMLResponse, Response

from api.alert_page import add_alert_page
from api.channel_pages import add_channel_pages
from api.claim_pages import add_claim_pages
from api.equipment_pages import add_equipment_pages
from api.facility_page import add_downloads, add_facility_page
from api.install_page import add_install_pages
from api.maintenance_pages import add_maintenance_pages
from api.map_page import add_map_page
from api.node_pages import add_node_pages
from api.overview_page import add_overview
from api.page_parts import page, scene_of
from api.people_pages import add_people_pages
from api.place_page import add_place_pages
from api.problems import NotFoundError
from api.registry_pages import add_registry_pages
from api.report_pages import add_report_pages
from api.rule_pages import add_rule_pages
from api.visit import Viewing
from api.visit_pages import add_visit_pages
from dashboards.pages.alerts import alerts_page
from dashboards.pages.assets import Asset
from dashboards.pages.render import Pages

RECENT_ALERTS = 50
_KEEP = {"Cache-Control": "public, max-age=31536000, immutable"}

Part = Annotated[str, Query(max_length=10, description="`live` answers only what an open page replaces")]


def page_routes(pages: Pages, assets: Mapping[str, Asset]) -> APIRouter:
    """Return the routes of people: pages, their form, their charts and static files."""
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
    add_overview(router, pages)
    add_facility_page(router, pages)
    add_downloads(router)
    _add_alerts(router, pages)
    add_place_pages(router, pages)
    add_registry_pages(router, pages)
    add_equipment_pages(router, pages)
    add_channel_pages(router, pages)
    add_visit_pages(router, pages)
    add_claim_pages(router, pages)
    add_node_pages(router, pages)
    add_alert_page(router, pages)
    add_map_page(router, pages)
    add_rule_pages(router, pages)
    add_report_pages(router, pages)
    add_maintenance_pages(router, pages)
    add_people_pages(router, pages)
    _add_static(router, assets)
    add_install_pages(router, pages, assets)
    return router


def _add_alerts(router: APIRouter, pages: Pages) -> None:
    @router.get("/alerts")
    async def show_alerts(visit: Viewing, part: Part = "") -> Response:
        open_alerts = visit.services.open_alerts()
        recent = await visit.services.alerts(open_only=False, facility=None, limit=RECENT_ALERTS)
        view = alerts_page(open_alerts, recent, scene_of(visit.services, visit.words))
        return await page(visit, pages, "alerts.html", view, live=part == "live")


def _add_static(router: APIRouter, assets: Mapping[str, Asset]) -> None:
    @router.get("/static/{name:path}")
    async def static_file(name: str, v: Annotated[str, Query(max_length=40)] = "") -> Response:
        asset = assets.get(name)
        if asset is None:
            raise NotFoundError("file", name)
        headers = _KEEP if v == asset.version else {"Cache-Control": "public, no-cache"}
        return Response(asset.content, headers={**headers, "Content-Type": asset.content_type})

    @router.get("/favicon.ico")
    async def favicon() -> Response:
        asset = assets["icon.svg"]
        return Response(asset.content, headers={"Cache-Control": "max-age=86400", "Content-Type": asset.content_type})

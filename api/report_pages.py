"""The pages of reports over HTTP: ordering contract figures or a month, how far it is, and what it says."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import RedirectResponse, Response

from api.page_parts import form_of, page
from api.problems import RequestError
from api.report_orders import (
    PLACE_FIELDS,
    WAIT_SECONDS,
    desk_of,
    file_response,
    issue_report,
    order_of,
    state_of,
)
from api.report_services import FileForm, ReportKind, ReportState
from api.visit import Managing, Viewing, Visit
from dashboards.pages.render import Pages
from dashboards.pages.report import OrderLine, ReportForm, ReportPage, report_form, report_page
from domain.access import Role
from domain.errors import VitalsError
from domain.places import Place

Number = Annotated[int, Path(ge=1, lt=2**31)]
Name = Annotated[str, Query(max_length=300)]


def add_report_pages(router: APIRouter, pages: Pages) -> None:
    """Add the pages of both kinds of report."""
    for kind in ReportKind:
        _add(router, pages, kind)


def _add(router: APIRouter, pages: Pages, kind: ReportKind) -> None:
    @router.get(kind.path)
    async def show_form(
        visit: Viewing, country: Name = "", region: Name = "", district: Name = "", facility: Name = ""
    ) -> Response:
        await desk_of(visit).prepare()
        return await page(visit, pages, "reports.html", _form(visit, kind, Place(country, region, district, facility)))

    @router.post(kind.path)
    async def order(visit: Viewing, request: Request) -> Response:
        form = form_of(await request.body())
        jobs = desk_of(visit).jobs
        try:
            number = jobs.start(order_of(visit, kind, form)).number
        except VitalsError as error:
            if not isinstance(error, RequestError) or error.status != 422:
                raise
            place = Place(*(form.get(name, "") for name in PLACE_FIELDS))
            view = _form(visit, kind, place, error.said(visit.words))
            return await page(visit, pages, "reports.html", view, status=error.status)
        await jobs.wait(number, WAIT_SECONDS)
        return RedirectResponse(f"{kind.path}/{number}", status_code=303)

    @router.get(kind.path + "/{number}")
    async def show_report(visit: Viewing, number: Number, part: str = "") -> Response:
        view = _page(visit, state_of(visit, kind, number))
        return await page(visit, pages, "report.html", view, live=part == "live")

    @router.post(kind.path + "/{number}/cancel")
    async def cancel(visit: Viewing, number: Number) -> Response:
        state_of(visit, kind, number)
        desk_of(visit).jobs.cancel(number)
        return RedirectResponse(f"{kind.path}/{number}", status_code=303)

    @router.get(kind.path + "/{number}/report.{form}")
    async def get_file(visit: Viewing, number: Number, form: FileForm) -> Response:
        return await file_response(visit, state_of(visit, kind, number), form, visit.words.language)

    if kind is ReportKind.SLA:
        _add_issuing(router)


def _add_issuing(router: APIRouter) -> None:
    @router.post("/sla/{number}/issue")
    async def issue(visit: Managing, number: Number, request: Request) -> Response:
        form = form_of(await request.body())
        await issue_report(visit, number, form.get("by", ""))
        return RedirectResponse(f"/sla/{number}", status_code=303)


def _form(visit: Visit, kind: ReportKind, place: Place, problem: str = "") -> ReportForm:
    desk, directory = desk_of(visit), visit.services.directory()
    lines = [_line(each) for each in desk.jobs.all() if each.order.kind is kind]
    return report_form(kind.value, place, directory, lines, visit.services.clock.now_ms(), visit.words, problem)


def _page(visit: Visit, state: ReportState) -> ReportPage:
    order, desk = state.order, desk_of(visit)
    facilities = visit.services.directory().facilities
    manages = all(visit.may(Role.MANAGER, each) for each in order.facilities if each in facilities)
    return report_page(
        order.kind.value,
        _line(state),
        progress=(state.done, state.of or len(order.facilities)),
        error=state.error,
        data=state.result,
        directory=visit.services.directory(),
        may_issue=order.kind is ReportKind.SLA and order.whole and manages,
        issued_by=desk.issued_by(state.number),
        words=visit.words,
    )


def _line(state: ReportState) -> OrderLine:
    order = state.order
    return OrderLine(state.number, order.place, order.start, order.end, order.zone, state.stage.value, order.by)

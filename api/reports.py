"""Reports over HTTP for programs: contract figures under ``/sla``, months under ``/reports``."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from api.report_orders import CONTENT_TYPES, desk_of, file_response, issue_report, order_of, state_of
from api.report_services import FileForm, ReportKind, ReportState
from api.visit import Managing, Viewing

Number = Annotated[int, Path(ge=1, lt=2**31)]
Text = Annotated[str, Field(max_length=300)]
Language = Annotated[str, Query(max_length=20, description="Of a PDF; left out: as the request asks")]
_GONE: dict[int | str, dict[str, Any]] = {404: {"description": "No such report, as far as you may see"}}
_NOT_DONE: dict[int | str, dict[str, Any]] = {409: {"description": "The report is not done"}}
_FILES: dict[int | str, dict[str, Any]] = {
    200: {"content": {kind.partition(";")[0]: {} for kind in CONTENT_TYPES.values()}},
    **_NOT_DONE,
}
_TITLES = {ReportKind.SLA: "contract figures", ReportKind.MONTHLY: "report on a month"}


class ReportWish(BaseModel):
    """What is to be reported on: a place, and a month or both ends of a period."""

    model_config = ConfigDict(extra="forbid")

    country: Text = ""
    region: Text = ""
    district: Text = ""
    facility: Text = ""
    month: Text = Field("", examples=["2026-11"])
    from_: Text = Field("", alias="from", examples=["2026-11-01", "2026-11-01T00:00:00Z"])
    """A date is the beginning of that day by the clocks of the place."""
    to: Text = ""
    """Not part of the period."""
    by: Text = Field("", description="In whose name a program acts")


class Signed(BaseModel):
    """Who issues a report."""

    model_config = ConfigDict(extra="forbid")

    by: Text = Field("", description="In whose name a program acts")


class ReportStateDocument(BaseModel):
    """How far a report is, and what it says once it is done: cut to a hundred facilities, the worst first."""

    number: int
    stage: str
    done: int
    """Facilities that are finished, of ``of``."""
    of: int
    error: str
    place: dict[str, str]
    from_: datetime = Field(serialization_alias="from")
    to: datetime
    timezone: str
    issued_by: str
    report: dict[str, Any] | None


def report_routes(kind: ReportKind) -> APIRouter:
    """Return the routes of one kind of report."""
    router = APIRouter(prefix=kind.path, tags=["reports"], responses=_GONE)
    title = _TITLES[kind]

    @router.post("", status_code=HTTPStatus.ACCEPTED, summary=f"Order {title}")
    async def order(visit: Viewing, wish: ReportWish, response: Response) -> ReportStateDocument:
        """Take an order and return at once; ``Location`` says where to ask how far it is."""
        desk = desk_of(visit)
        state = desk.jobs.start(order_of(visit, kind, wish.model_dump(by_alias=True)))
        response.headers["Location"] = f"/api/v1{kind.path}/{state.number}"
        return _document(state, desk.issued_by(state.number))

    @router.get("/{number}", summary=f"How far {title} are, and what they say")
    async def get_report(visit: Viewing, number: Number) -> ReportStateDocument:
        """Return how far an order is; the last twenty are remembered, until the service ends."""
        return _document(state_of(visit, kind, number), desk_of(visit).issued_by(number))

    @router.delete("/{number}", status_code=HTTPStatus.NO_CONTENT, summary=f"Cancel {title}")
    async def cancel(visit: Viewing, number: Number) -> None:
        """End an order that is not over."""
        state_of(visit, kind, number)
        desk_of(visit).jobs.cancel(number)

    @router.get("/{number}/report.{form}", summary=f"The {title} as a file", response_class=Response, responses=_FILES)
    async def get_file(visit: Viewing, number: Number, form: FileForm, language: Language = "") -> Response:
        """Return all of it as PDF, CSV or JSON."""
        return await file_response(visit, state_of(visit, kind, number), form, language or visit.words.language)

    if kind is ReportKind.SLA:

        @router.post("/{number}/issue", summary="Issue contract figures", responses=_NOT_DONE)
        async def issue(visit: Managing, number: Number, signed: Signed) -> ReportStateDocument:
            """Keep them as issued: the next ones on the same period and place say what changed since."""
            await issue_report(visit, number, signed.by)
            return _document(state_of(visit, kind, number), desk_of(visit).issued_by(number))

    return router


def _document(state: ReportState, issued_by: str) -> ReportStateDocument:
    order = state.order
    names = ("country", "region", "district", "facility")
    return ReportStateDocument(
        number=state.number,
        stage=state.stage.value,
        done=state.done,
        of=state.of or len(order.facilities),
        error=state.error,
        place={name: part for name in names if (part := getattr(order.place, name))},
        from_=order.start,
        to=order.end,
        timezone=order.zone,
        issued_by=issued_by,
        report=None if state.result is None else dict(state.result),
    )

"""From what somebody asks for to the order of a report, and to what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final

from starlette.responses import Response

from api.problems import NotFoundError, RequestError
from api.report_services import FileForm, ReportDesk, ReportKind, ReportOrder, ReportState
from api.visit import Visit
from dashboards.pages.wording import zone
from dashboards.pages.words import noop
from dashboards.report.month import month_of, zone_of
from domain.errors import OperatorError, VitalsError
from domain.instant import parse_rfc3339, to_datetime
from domain.places import Place

PLACE_FIELDS: Final = ("country", "region", "district", "facility")
WAIT_SECONDS: Final = 3.0
"""So long an order is waited for before it is said how far it is: most reports on one facility are done by then."""
CONTENT_TYPES: Final = {
    FileForm.PDF: "application/pdf",
    FileForm.CSV: "text/csv; charset=utf-8",
    FileForm.OUTAGES: "text/csv; charset=utf-8",
    FileForm.JSON: "application/json",
}
_ENDINGS: Final = {FileForm.OUTAGES: "-outages.csv"}
_A_DAY: Final = len("2026-11-01")


def desk_of(visit: Visit) -> ReportDesk:
    """Return the desk of reports; raise ``RequestError`` (503) in a process that makes none."""
    if visit.services.reports is None:
        raise RequestError(HTTPStatus.SERVICE_UNAVAILABLE, "This process makes no reports.")
    return visit.services.reports


def state_of(visit: Visit, kind: ReportKind, number: int) -> ReportState:
    """Return a report that is in sight; raise ``NotFoundError`` for any other."""
    found = desk_of(visit).jobs.get(number)
    if found is None or found.order.kind is not kind:
        raise NotFoundError("report", number)
    return found


def done(state: ReportState) -> ReportState:
    """Return a report that is done; raise ``RequestError`` (409) for one that is not."""
    if state.result is None:
        raise RequestError(HTTPStatus.CONFLICT, noop("This report is not done."))
    return state


def order_of(visit: Visit, kind: ReportKind, asked: Mapping[str, str]) -> ReportOrder:
    """Return the order of a report on a month, or from a moment to another; a day counts from the place's midnight.

    Raises ``RequestError`` for a place without facilities in sight (404), and for what is no period (422).
    """
    place = Place(*(asked.get(name, "").strip() for name in PLACE_FIELDS))
    facilities = [each for each in visit.services.directory().facilities.values() if place.covers(each)]
    if not facilities:
        raise RequestError(HTTPStatus.NOT_FOUND, noop("No facility is in sight."))
    zone_name = zone_of(facilities)
    start, end = _period(asked, zone_name)
    if start >= min(end, to_datetime(visit.services.clock.now_ms())):
        raise _refused(noop("The period has to begin before it ends, and in the past."))
    ids = frozenset(each.id for each in facilities)
    return ReportOrder(
        kind=kind, place=place, start=start, end=end, facilities=ids, zone=zone_name, by=visit.principal.name
    )


def _period(asked: Mapping[str, str], zone_name: str) -> tuple[datetime, datetime]:
    start, end = (asked.get(name, "").strip() for name in ("from", "to"))
    try:
        if start or end:
            return _moment(start, zone_name), _moment(end, zone_name)
        return month_of(asked.get("month", "").strip()).period(zone_name)
    except (OperatorError, ValueError, OverflowError):
        raise _refused(noop("Write a month as 2026-11, or both ends of a period as 2026-11-01.")) from None


def _moment(text: str, zone_name: str) -> datetime:
    if len(text) != _A_DAY:
        return parse_rfc3339(text).astimezone(UTC)
    return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=zone(zone_name)).astimezone(UTC)


def _refused(sentence: str) -> RequestError:
    return RequestError(HTTPStatus.UNPROCESSABLE_ENTITY, sentence)


def file_name(state: ReportState, form: FileForm) -> str:
    """Return the name under which a file is kept: letters, digits and dashes."""
    order = state.order
    named = order.place.facility or order.place.district or order.place.region or order.place.country or "all"
    plain = "".join(each if each.isascii() and each.isalnum() else "-" for each in named).strip("-").lower()
    ending = _ENDINGS.get(form, f".{form.value}")
    return "-".join(filter(None, (order.kind.value, plain, f"{order.end:%Y-%m-%d}"))) + ending


async def issue_report(visit: Visit, number: int, by: str) -> None:
    """Issue contract figures, once; raise ``RequestError`` for those that are not done, or not of a whole place."""
    state, desk = done(state_of(visit, ReportKind.SLA, number)), desk_of(visit)
    if not state.order.whole:
        raise _refused(noop("Only a report on all facilities of a place is issued."))
    if not desk.issued_by(number):
        await desk.issue(state, visit.signature(by))


async def file_response(visit: Visit, state: ReportState, form: FileForm, language: str) -> Response:
    """Return a report as a file that is kept and not shown."""
    finished = done(state)
    try:
        content = await desk_of(visit).file(finished, form, language)
    except VitalsError as error:  # what is not installed, or a process that ended: nothing about the request
        raise RequestError(HTTPStatus.SERVICE_UNAVAILABLE, str(error)) from error
    headers = {
        "Content-Disposition": f'attachment; filename="{file_name(state, form)}"',
        "Cache-Control": "private, no-cache",
    }
    return Response(content, media_type=CONTENT_TYPES[form], headers=headers)

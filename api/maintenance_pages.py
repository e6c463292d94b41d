"""Maintenance over HTTP: what is silent, announcing a window, ending one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic import ValidationError
from starlette.responses import RedirectResponse, Response

from alerts.silences import Silence, SilenceKind, is_active
from api.alert_desk import AlertDesk
from api.alerting_models import SilenceStatement
from api.page_parts import form_of, page
from api.problems import RequestError, field_sentences
from api.services import alert_desk_of
from api.visit import Managing, Viewing, Visit
from api.wall_clock import moment_of
from dashboards.pages.maintenance import MaintenancePage, Quiet, maintenance_form, maintenance_page
from dashboards.pages.render import Pages
from domain.access import Role
from domain.directory import Directory
from domain.instant import to_datetime

_SCOPES = ("country", "region", "district", "facility", "equipment", "rule")
Number = Annotated[int, Path(ge=1, lt=2**63)]


def add_maintenance_pages(router: APIRouter, pages: Pages) -> None:
    """Add the page and its forms."""

    @router.get("/maintenance")
    async def show_maintenance(
        visit: Viewing,
        facility: Annotated[str, Query(max_length=300)] = "",
        equipment: Annotated[str, Query(max_length=300)] = "",
    ) -> Response:
        filled = {"facility": facility, "equipment": equipment}
        return await page(visit, pages, "maintenance.html", await _view(visit, filled))

    @router.post("/maintenance")
    async def announce(visit: Managing, request: Request) -> Response:
        form = form_of(await request.body())
        try:
            await alert_desk_of(visit.services).silence(_silence(visit, form))
        except RequestError as error:
            view = await _view(visit, form, str(error))
            return await page(visit, pages, "maintenance.html", view, status=error.status)
        return RedirectResponse("/maintenance", status_code=303)

    @router.post("/maintenance/{number}/end")
    async def end(visit: Managing, number: Number, request: Request) -> Response:
        form, now = form_of(await request.body()), to_datetime(visit.services.clock.now_ms())
        await alert_desk_of(visit.services).cancel_silence(number, by=visit.signature(form.get("by", "")), now=now)
        return RedirectResponse("/maintenance", status_code=303)


async def _view(visit: Visit, filled: Mapping[str, str], problem: str = "") -> MaintenancePage:
    now_ms, directory = visit.services.clock.now_ms(), visit.services.directory()
    desk: AlertDesk = alert_desk_of(visit.services)
    now = to_datetime(now_ms)
    found = [_quiet(each, now) for each in await desk.silences(now)]
    manages = visit.principal.may_somewhere(Role.MANAGER)
    form = maintenance_form(_managed(visit), filled, now_ms, visit.words, problem) if manages else None
    return maintenance_page(found, directory, _rule_titles(visit), form, now_ms, visit.words)


def _managed(visit: Visit) -> Directory:
    """Return what the visitor manages, of what is in sight."""
    directory = visit.services.directory()
    if visit.principal.may_everywhere(Role.MANAGER):
        return directory
    return directory.within({each.id for each in directory.facilities.values() if visit.may(Role.MANAGER, each.id)})


def _rule_titles(visit: Visit) -> Mapping[str, str]:
    desk = visit.services.rules
    return {} if desk is None else {rule.id: rule.title for rule in desk.rules()}


def _quiet(silence: Silence, now: datetime) -> Quiet:
    return Quiet(
        id=silence.id,
        shelved=silence.kind is SilenceKind.SHELVING,
        reason=silence.reason,
        by=silence.created_by,
        start=silence.start,
        end=silence.end,
        holds=is_active(silence, now),
        country=silence.country,
        region=silence.region,
        district=silence.district,
        facility=silence.facility,
        equipment=silence.equipment,
        subject=silence.subject,
        rule=silence.rule,
        weekdays=silence.weekdays,
        from_time=silence.from_time,
        to_time=silence.to_time,
        timezone=silence.timezone,
    )


def _silence(visit: Visit, form: Mapping[str, str]) -> Silence:
    """Return what a form announces; raise ``RequestError`` with a sentence for the person who filled it in."""
    managed = _managed(visit)
    facility = managed.facilities.get(form.get("facility", "").strip())
    if facility is None and form.get("facility", "").strip():
        raise _refusal(visit.words("There is no facility with this id among those that you manage."))
    some = facility or next(iter(managed.facilities.values()), None)
    zone = some.timezone if some else "UTC"
    said: dict[str, Any] = {name: form[name].strip() for name in (*_SCOPES, "reason") if form.get(name, "").strip()}
    said |= {name: moment_of(form[name], zone, visit.words) for name in ("start", "end") if form.get(name, "").strip()}
    said |= {name: form[name] for name in ("from_time", "to_time") if form.get(name, "").strip()}
    days = [day for day in range(7) if f"day{day}" in form]
    try:
        checked = SilenceStatement.model_validate({**said, "weekdays": days, "timezone": zone})
    except ValidationError as error:
        raise _refusal("; ".join(each["sentence"] for each in field_sentences(error.errors()))) from None
    fields = checked.model_dump() | {"created_by": visit.signature(form.get("by", ""))}
    del fields["by"]
    now = to_datetime(visit.services.clock.now_ms())
    return Silence(kind=SilenceKind.MAINTENANCE, created_at=now, **fields)


def _refusal(sentence: str) -> RequestError:
    return RequestError(HTTPStatus.UNPROCESSABLE_ENTITY, sentence)

"""The forms of the visit log over HTTP: to note a visit, to correct an entry, to withdraw one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from api.facilities import facility_of
from api.page_parts import done, page
from api.problems import NotFoundError, RequestError
from api.registry_forms import desk_of, fields_of
from api.registry_pages import FacilityName
from api.visit import Acting, Visit
from dashboards.pages.forms import field_time, moment_of
from dashboards.pages.render import Pages
from dashboards.pages.visit_form import visit_form
from domain.instant import to_datetime, to_ms
from domain.upkeep import Visit as Entry

Number = Annotated[int, Path(ge=1, lt=2**31)]
LONGEST_TEXT: Final = 1_000


def add_visit_pages(router: APIRouter, pages: Pages) -> None:
    """Add the forms of the visit log."""

    @router.post("/registry/facilities/{facility}/visits")
    async def note_visit(visit: Acting, facility: FacilityName, request: Request) -> Response:
        facility_of(visit.services.directory(), facility)
        form = await fields_of(request)
        entry = _entry(visit, facility, form)
        await desk_of(visit.services).note(entry)
        return done(visit, form.get("by", ""), "", _page_of(entry))

    @router.get("/visits/{entry}/correct")
    async def show_correction(visit: Acting, entry: Number) -> Response:
        found = await _found(visit, entry)
        zone = facility_of(visit.services.directory(), found.facility).timezone
        view = visit_form(found, visit.services.directory(), field_time(to_ms(found.at), zone))
        return await page(visit, pages, "visit.html", view)

    @router.post("/visits/{entry}/correct")
    async def correct_visit(visit: Acting, entry: Number, request: Request) -> Response:
        before, form = await _found(visit, entry), await fields_of(request)
        corrected = _entry(visit, before.facility, form, entry)
        await desk_of(visit.services).note(corrected)
        return done(visit, form.get("by", ""), "", _page_of(corrected))


async def _found(visit: Visit, number: int) -> Entry:
    found = await desk_of(visit.services).visit(number)
    if found is None:
        raise NotFoundError("visit", number)
    return found


def _page_of(entry: Entry) -> str:
    return f"/equipment/{entry.equipment}" if entry.equipment else f"/registry/facilities/{entry.facility}"


def _entry(visit: Visit, facility: str, form: Mapping[str, str], corrects: int = 0) -> Entry:
    """Return the entry that a form says; raise ``RequestError`` where it says too little."""
    words, now = visit.words, to_datetime(visit.services.clock.now_ms())
    writer = visit.signature(form.get("by", "")[:80])
    texts = {name: form.get(name, "")[:LONGEST_TEXT] for name in ("found", "done", "note")}
    withdrawn = corrects > 0 and form.get("deed") == "withdraw"
    if not withdrawn and not any(texts.values()):
        raise RequestError(HTTPStatus.UNPROCESSABLE_ENTITY, words("Write what was found, or what was done."))
    return Entry(
        facility=facility,
        equipment=form.get("equipment", ""),
        at=_moment(visit, facility, form.get("at", ""), now),
        by=form.get("visitor", "")[:80] or writer,
        said_at=now,
        said_by=writer,
        corrects=corrects,
        withdrawn=withdrawn,
        found=texts["found"],
        done=texts["done"],
        note=texts["note"],
    )


def _moment(visit: Visit, facility: str, written: str, now: datetime) -> datetime:
    if not written:
        return now
    found = moment_of(written, facility_of(visit.services.directory(), facility).timezone)
    if found is None:
        raise RequestError(HTTPStatus.UNPROCESSABLE_ENTITY, visit.words("Write when it was as 2026-11-20T12:00."))
    return found

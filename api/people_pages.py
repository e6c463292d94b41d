"""People over HTTP: who is on call, who is told, standing in, and the form of a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Path, Request
from starlette.responses import RedirectResponse, Response

from alerts.oncall.roster import next_handover, on_call, override_at
from api.page_parts import done, page
from api.problems import NotFoundError, RequestError
from api.registry_forms import (
    desk_of,
    fields_of,
    occasion_of,
    refusal_of,
    said_fields,
    save,
    show_form,
)
from api.visit import Managing, Visit
from api.wall_clock import moment_of
from dashboards.pages.forms import Heading, Refusal, form_page
from dashboards.pages.people import (
    RosterPage,
    Turn,
    contact_fields,
    people_page,
    roster_card,
    turn_line,
)
from dashboards.pages.render import Pages, path_segment
from dashboards.pages.words import Words
from domain.document import Document
from domain.errors import DocumentError, VitalsError
from domain.instant import to_datetime
from domain.people import Contact, Override, Roster
from registry.guards import ChangedMeanwhileError, unchanged
from registry.people_export import exported_roster
from registry.rows import contact_row, mark_of

MOST_TURNS: Final = 12
_MOST_PROBLEMS: Final = 10
_FORM: Final = "the form"
PersonId = Annotated[str, Path(max_length=300)]


def add_people_pages(router: APIRouter, pages: Pages) -> None:
    """Add the pages of people and their forms."""

    @router.get("/people")
    async def show_people(visit: Managing) -> Response:
        directory = visit.services.directory()
        cards = [roster_card(each, turns_of(each, visit, 2), directory, _now_ms(visit), visit.words)
                 for each in directory.rosters.values()]  # fmt: skip
        view = people_page(directory, cards, directory.contacts.values(), visit.words)
        return await page(visit, pages, "people.html", view)

    _add_rosters(router, pages)
    _add_contacts(router, pages)


def _add_rosters(router: APIRouter, pages: Pages) -> None:
    @router.get("/people/rosters/{roster:path}")
    async def show_roster(visit: Managing, roster: PersonId) -> Response:
        return await page(visit, pages, "roster.html", _roster_page(visit, _roster(visit, roster), {}))

    @router.post("/people/rosters/{roster:path}")
    async def stand_in(visit: Managing, roster: PersonId, request: Request) -> Response:
        found, form = _roster(visit, roster), await fields_of(request)
        try:
            await _take_override(visit, found, form)
        except (RequestError, DocumentError, ChangedMeanwhileError) as error:
            view = _roster_page(visit, found, form, sentence_of(error, visit.words))
            return await page(visit, pages, "roster.html", view, status=_status_of(error))
        return RedirectResponse(request.url.path, status_code=303)


def _add_contacts(router: APIRouter, pages: Pages) -> None:
    @router.get("/people/contacts/new")
    async def new_contact(visit: Managing) -> Response:
        return await _form(visit, pages, None, {}, None)

    @router.get("/people/contacts/{contact}")
    async def show_contact(visit: Managing, contact: PersonId) -> Response:
        found = _contact(visit, contact)
        return await _form(visit, pages, found, contact_row(found), None)

    @router.post("/people/contacts/new")
    async def add_contact(visit: Managing, request: Request) -> Response:
        return await _save(visit, pages, None, request)

    @router.post("/people/contacts/{contact}")
    async def change_contact(visit: Managing, contact: PersonId, request: Request) -> Response:
        return await _save(visit, pages, _contact(visit, contact), request)


async def _save(visit: Visit, pages: Pages, known: Contact | None, request: Request) -> Response:
    """Take what a form says of a person, or show the form again with what is wrong."""
    form = await fields_of(request)
    row = said_fields(form)
    if known is not None:
        row["id"] = known.id
    refusal = await save(visit, "contacts", row.get("id", ""), row, form)
    return (
        done(visit, form.get("by", ""), "", "/people")
        if refusal is None
        else await _form(visit, pages, known, form, refusal)
    )


async def _form(
    visit: Visit, pages: Pages, known: Contact | None, values: Mapping[str, str], refusal: Refusal | None
) -> Response:
    words = visit.words
    title = known.name if known else words("Add a person")
    action = f"/people/contacts/{path_segment(known.id) if known else 'new'}"
    heading = Heading(title, action, words("Save"), "/people", words("People"), section="people")
    mark = values.get("seen", mark_of(contact_row(known)) if known else "")
    fields = contact_fields(visit.services.directory(), known, words)
    return await show_form(visit, pages, form_page(heading, fields, values, refusal, mark, words), refusal)


async def _take_override(visit: Visit, roster: Roster, form: Mapping[str, str]) -> None:
    start, end = (moment_of(form.get(name, ""), roster.timezone, visit.words) for name in ("start", "end"))
    override = Override(form.get("contact", ""), start, end, form.get("reason", "").strip())
    entry = exported_roster(replace(roster, overrides=(*roster.overrides, override)))
    document = Document(_FORM, {"rosters": [entry]})
    await desk_of(visit.services).change(
        document, occasion=occasion_of(visit, form), guard=unchanged("rosters", roster)
    )


def turns_of(roster: Roster, visit: Visit, most: int) -> list[Turn]:
    """Return who is on call from now on, one stretch of time after the other."""
    found: list[Turn] = []
    at = to_datetime(_now_ms(visit))
    while len(found) < most:
        override, end = override_at(roster, at), next_handover(roster, at)
        found.append(Turn(on_call(roster, at), at, end, override is not None, override.reason if override else ""))
        if end is None:
            break
        at = end
    return found


def _roster_page(visit: Visit, roster: Roster, filled: Mapping[str, str], problem: str = "") -> RosterPage:
    directory, now_ms, words = visit.services.directory(), _now_ms(visit), visit.words
    turns = turns_of(roster, visit, MOST_TURNS)
    return RosterPage(
        card=roster_card(roster, turns, directory, now_ms, words),
        turns=tuple(turn_line(each, roster, directory, now_ms, words) for each in turns),
        contacts=tuple((each.id, each.name) for each in directory.contacts.values()),
        zone=roster.timezone,
        calendar=f"/api/v1/rosters/{roster.id}.ics",
        filled=filled,
        problem=problem,
    )


def sentence_of(error: VitalsError, words: Words) -> str:
    """Return what is wrong, for the person who filled in a form."""
    if not isinstance(error, DocumentError):
        return error.said(words) if isinstance(error, RequestError) else str(error)
    refusal = refusal_of(error.problems, words)
    return "; ".join([*refusal.problems, *refusal.errors.values()])


def _status_of(error: VitalsError) -> HTTPStatus:
    return error.status if isinstance(error, RequestError) else HTTPStatus.UNPROCESSABLE_ENTITY


def _roster(visit: Visit, id_: str) -> Roster:
    found = visit.services.directory().rosters.get(id_)
    if found is None:
        raise NotFoundError("roster", id_)
    return found


def _contact(visit: Visit, id_: str) -> Contact:
    found = visit.services.directory().contacts.get(id_)
    if found is None:
        raise NotFoundError("contact", id_)
    return found


def _now_ms(visit: Visit) -> int:
    return visit.services.clock.now_ms()

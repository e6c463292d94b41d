"""People over HTTP: who is on call, who is told, standing in, and the form of a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Path, Request
from starlette.responses import RedirectResponse, Response

from alerts.oncall.roster import next_handover, on_call, override_at
from api.page_parts import form_of, page
from api.problems import NotAllowedError, NotFoundError, RequestError
from api.registry_services import RegistryDesk
from api.visit import Managing, Visit
from api.wall_clock import moment_of
from dashboards.pages.people import (
    ContactPage,
    RosterPage,
    Turn,
    contact_page,
    people_page,
    roster_card,
    turn_line,
)
from dashboards.pages.render import Pages
from domain.document import Document
from domain.errors import DocumentError, VitalsError
from domain.instant import to_datetime
from domain.people import Contact, Override, Roster
from registry.guards import ChangedMeanwhileError, seen, unchanged
from registry.history import Occasion
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
        found, form = _roster(visit, roster), form_of(await request.body())
        try:
            await _take_override(visit, found, form)
        except (RequestError, DocumentError, ChangedMeanwhileError) as error:
            view = _roster_page(visit, found, form, sentence_of(error))
            return await page(visit, pages, "roster.html", view, status=_status_of(error))
        return RedirectResponse(request.url.path, status_code=303)


def _add_contacts(router: APIRouter, pages: Pages) -> None:
    @router.get("/people/contacts/new")
    async def new_contact(visit: Managing) -> Response:
        return await page(visit, pages, "contact.html", _contact_view(visit, None, {}))

    @router.get("/people/contacts/{contact}")
    async def show_contact(visit: Managing, contact: PersonId) -> Response:
        found = _contact(visit, contact)
        return await page(visit, pages, "contact.html", _contact_view(visit, found, contact_row(found)))

    @router.post("/people/contacts/new")
    async def add_contact(visit: Managing, request: Request) -> Response:
        return await _save(visit, pages, None, form_of(await request.body()))

    @router.post("/people/contacts/{contact}")
    async def change_contact(visit: Managing, contact: PersonId, request: Request) -> Response:
        return await _save(visit, pages, _contact(visit, contact), form_of(await request.body()))


async def _save(visit: Visit, pages: Pages, known: Contact | None, form: Mapping[str, str]) -> Response:
    """Take what a form says of a person, or show the form again with what is wrong."""
    cells = {name: text.strip() for name, text in form.items() if text.strip() and name not in ("by", "mark")}
    cells["id"] = known.id if known else cells.get("id", "")
    guard = seen("contacts", cells["id"], form.get("mark", ""))
    try:
        await _desk(visit).change(Document(_FORM, [cells]), occasion=_occasion(visit, form), guard=guard)
    except DocumentError as error:
        view = _contact_view(visit, known, form, problems=_problems(error))
    except ChangedMeanwhileError as error:
        view = _contact_view(visit, known, form, now=error.now or {}, problems=(("", str(error)),))
    except NotAllowedError as error:
        view = _contact_view(visit, known, form, problems=(("", str(error)),))
        return await page(visit, pages, "contact.html", view, status=error.status)
    else:
        return RedirectResponse("/people", status_code=303)
    return await page(visit, pages, "contact.html", view, status=HTTPStatus.UNPROCESSABLE_ENTITY)


def _contact_view(
    visit: Visit,
    known: Contact | None,
    filled: Mapping[str, str],
    *,
    now: Mapping[str, str] | None = None,
    problems: tuple[tuple[str, str], ...] = (),
) -> ContactPage:
    row = contact_row(known) if known else {}
    mark = mark_of(now or row) if (now or row) else ""
    if problems and now is None:
        # What was seen when the form was opened is what it is still said against.
        mark = filled.get("mark", mark)
    return contact_page(
        visit.services.directory(), known, filled, visit.words, mark=mark, now=now or {}, problems=problems
    )


async def _take_override(visit: Visit, roster: Roster, form: Mapping[str, str]) -> None:
    start, end = (moment_of(form.get(name, ""), roster.timezone, visit.words) for name in ("start", "end"))
    override = Override(form.get("contact", ""), start, end, form.get("reason", "").strip())
    entry = exported_roster(replace(roster, overrides=(*roster.overrides, override)))
    document = Document(_FORM, {"rosters": [entry]})
    await _desk(visit).change(document, occasion=_occasion(visit, form), guard=unchanged("rosters", roster))


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


def sentence_of(error: VitalsError) -> str:
    """Return what is wrong, for the person who filled in a form."""
    if isinstance(error, DocumentError):
        return "; ".join(f"{field}: {sentence}" for field, sentence in _problems(error))
    return str(error)


def _status_of(error: VitalsError) -> HTTPStatus:
    return error.status if isinstance(error, RequestError) else HTTPStatus.UNPROCESSABLE_ENTITY


def _problems(error: DocumentError) -> tuple[tuple[str, str], ...]:
    found = error.problems[:_MOST_PROBLEMS]
    return tuple((each.field.rpartition(".")[2], f"{each.found}; {each.allowed}") for each in found)


def _occasion(visit: Visit, form: Mapping[str, str]) -> Occasion:
    return Occasion(_now_ms(visit), author=visit.signature(form.get("by", "")), origin=visit.origin("page"))


def _desk(visit: Visit) -> RegistryDesk:
    if visit.services.registry is None:
        raise RequestError(HTTPStatus.SERVICE_UNAVAILABLE, "This process has no registry of its own.")
    return visit.services.registry


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

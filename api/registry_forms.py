"""What every form that changes the registry does: one row, said against what was seen, and what is wrong beside it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Final

from fastapi import Request
from starlette.responses import Response

from api.page_parts import form_of, page
from api.problems import RequestError
from api.registry_services import RegistryDesk
from api.services import Services
from api.visit import Visit
from dashboards.pages.forms import FormPage, Refusal
from dashboards.pages.render import Pages
from dashboards.pages.wording import local_time
from dashboards.pages.words import Words
from domain.document import Document
from domain.errors import DocumentError, OperatorError, Problem
from registry.guards import ChangedMeanwhileError, seen
from registry.history import Occasion
from registry.rows import mark_of

MOST_FIELDS: Final = 60
LONGEST_REASON: Final = 500
_GROUPS: Final = {"limits": "limit", "addresses": "address"}
"""Fields of a document whose parts are columns of their own."""
_NO_FIELD: Final = frozenset({"seen", "by", "reason", "next"})


async def fields_of(request: Request) -> dict[str, str]:
    """Return what somebody filled in, without the blanks around it."""
    # No database keeps a NUL in a text.
    form = form_of(await request.body(), most=MOST_FIELDS)
    return {name: text.replace("\0", "").strip() for name, text in form.items()}


def desk_of(services: Services) -> RegistryDesk:
    """Return the registry's desk; raise ``RequestError`` (503) in a process without one."""
    if services.registry is None:
        raise RequestError(HTTPStatus.SERVICE_UNAVAILABLE, "This process has no registry of its own.")
    return services.registry


def document_of(kind: str, row: Mapping[str, str]) -> Document:
    """Return the document that says a row of a table; what is empty in it is not said."""
    said = {name: text for name, text in row.items() if text}
    return Document("the form", {"facilities": [said]} if kind == "facilities" else [said])


def occasion_of(visit: Visit, form: Mapping[str, str], limits_from_ms: int | None = None) -> Occasion:
    """Return when and by whom a change is made; raise ``RequestError`` where nobody signs it."""
    return Occasion(
        visit.services.clock.now_ms(),
        limits_from_ms,
        visit.signature(form.get("by", "")[:80]),
        form.get("reason", "")[:LONGEST_REASON],
        visit.origin("page"),
    )


async def save(
    visit: Visit, kind: str, id_: str, row: Mapping[str, str], form: Mapping[str, str], occasion: Occasion | None = None
) -> Refusal | None:
    """Store a row against what its form was made from; return why it was not taken, None where it was."""
    desk, guard = desk_of(visit.services), seen(kind, id_, form.get("seen", ""))
    occasion = occasion or occasion_of(visit, form)
    try:
        await desk.change(document_of(kind, row), occasion=occasion, guard=guard)
    except DocumentError as error:
        return refusal_of(error.problems, visit.words)
    except ChangedMeanwhileError as error:
        return await _overtaken(visit, desk, error)
    return None


def refusal_of(problems: Sequence[Problem], words: Words) -> Refusal:
    """Return what is wrong by the field in which it was written."""
    errors: dict[str, str] = {}
    for each in problems:
        errors.setdefault(_field_of(each.field), _sentence(each, words))
    whole = errors.pop("", "")
    return Refusal(errors, [whole] if whole else [])


async def _overtaken(visit: Visit, desk: RegistryDesk, error: ChangedMeanwhileError) -> Refusal:
    if error.now is None:
        return Refusal(problems=[visit.words("What you changed is not registered any more.")], now={})
    now_ms = visit.services.clock.now_ms()
    last = await desk.changes(limit=1, item=(error.kind, error.id))
    said_by = ""
    if last:
        at = local_time(last[0].at, "UTC", now_ms, visit.words)
        author = last[0].author or visit.words("A document")
        said_by = visit.words("{author}, {time} {zone}", author=author, time=at.text, zone=at.zone)
    return Refusal(now=error.now, mark=mark_of(error.now), said_by=said_by or error.id)


async def show_form(visit: Visit, pages: Pages, view: FormPage, refusal: Refusal | None) -> Response:
    """Return the page of a form; one that was not taken says so by its status, too."""
    status = HTTPStatus.OK
    if refusal is not None:
        status = HTTPStatus.UNPROCESSABLE_ENTITY if refusal.now is None else HTTPStatus.CONFLICT
    return await page(visit, pages, "form.html", view, status=status)


def said_fields(form: Mapping[str, str]) -> dict[str, str]:
    """Return what a form says of the thing itself."""
    return {name: text for name, text in form.items() if name not in _NO_FIELD}


def id_from(name: str, taken: Mapping[str, object], prefix: str = "") -> str:
    """Return an id that a name suggests and that is not taken: ``kasese-hc3``."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    made = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:50].strip("-")
    if not made:
        return ""
    number, found = 1, made
    while f"{prefix}{found}" in taken:
        number += 1
        found = f"{made}-{number}"
    return found


def limits_occasion(visit: Visit, form: Mapping[str, str], from_ms: int | None) -> Occasion | str:
    """Return the occasion of a change of limits, or a sentence where they cannot hold from then on."""
    try:
        return occasion_of(visit, form, from_ms)
    except OperatorError:
        return visit.words("A moment that is over; empty: from now on.")


def _field_of(path: str) -> str:
    """Return the name of the form's field: ``facilities.0.name`` is ``name``, ``0.limits.low`` is ``limit.low``."""
    steps = path.split(".")
    steps = steps[1:] if steps[0] == "facilities" else steps
    steps = steps[1:] if steps and steps[0].isdigit() else steps
    if steps and steps[0] in _GROUPS:
        return f"{_GROUPS[steps[0]]}.{steps[1]}" if len(steps) > 1 else ""
    return ".".join(steps)


def _sentence(problem: Problem, words: Words) -> str:
    if problem.found == "nothing":
        return words("This has to be filled in.")
    return words("Found {found}. Allowed: {allowed}.", found=problem.found[:200], allowed=problem.allowed[:600])

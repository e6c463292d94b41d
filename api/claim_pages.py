"""Claiming a node over HTTP: scan its label, say where it stands and what it measures, and see its first reading."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import RedirectResponse, Response

from api.facilities import facility_of
from api.page_parts import done, form_of, page
from api.problems import NotFoundError, RequestError
from api.registry_forms import desk_of, occasion_of
from api.services import Services
from api.visit import Acting, Visit
from collector.waiting import WaitingNode
from dashboards.pages.claim import (
    LEAVE_OUT,
    NEW,
    ClaimPage,
    Heard,
    Suggestion,
    claim_page,
    with_facility,
)
from dashboards.pages.render import Pages
from domain.document import Document
from domain.errors import DocumentError
from domain.places import Facility
from domain.quantities import QUANTITIES
from registry.claim import UNKNOWN, Guess, claim_document, distinct, guesses
from registry.guards import ChangedMeanwhileError, unclaimed

NodeName = Annotated[str, Path(max_length=64)]
PATTERN: Final = r"/claim/[^/]+"
MOST_BYTES: Final = 262_144
"""Of a form: a gateway of a hospital has some hundred channels."""
_MOST_FIELDS: Final = 2_000


def add_claim_pages(router: APIRouter, pages: Pages) -> None:
    """Add the page on which a node is claimed."""

    @router.get("/claim/{waiting}")
    async def show_claim(
        visit: Acting,
        waiting: NodeName,
        q: Annotated[str, Query(max_length=200)] = "",
        facility: Annotated[str, Query(max_length=64)] = "",
        part: Annotated[str, Query(max_length=10)] = "",
    ) -> Response:
        if waiting in visit.services.directory().nodes:
            return RedirectResponse(f"/registry/nodes/{waiting}", status_code=303)
        found = await waiting_of(visit.services, waiting)
        view = _asking(visit, waiting, found, q)
        if facility and found is not None:
            view = _mapping(visit, view, found, facility_of(visit.services.directory(), facility), {}, ())
        return await page(visit, pages, "claim.html", view, live=part == "live")

    @router.post("/claim/{waiting}")
    async def claim_node(visit: Acting, waiting: NodeName, request: Request) -> Response:
        form = {name: text.strip() for name, text in form_of(await request.body(), most=_MOST_FIELDS).items()}
        facility = visit.services.directory().facilities.get(form.get("facility", ""))
        if facility is None:
            raise RequestError(HTTPStatus.NOT_FOUND, visit.words("There is no such facility."))
        found = await waiting_of(visit.services, waiting)
        if found is None:
            raise NotFoundError("node that waits", waiting)
        problems = await _claim(visit, found, facility, form)
        if not problems:
            return done(visit, form.get("by", ""), "", f"/registry/nodes/{waiting}")
        view = _mapping(visit, _asking(visit, waiting, found, ""), found, facility, form, problems)
        return await page(visit, pages, "claim.html", view, status=HTTPStatus.UNPROCESSABLE_ENTITY)


async def waiting_of(services: Services, node: str) -> WaitingNode | None:
    """Return a node that waits by its name."""
    found = [] if services.intake is None else await services.intake.waiting()
    return next((each for each in found if each.node == node), None)


def heard_of(waiting: WaitingNode) -> Heard:
    """Return what is known of a node that waits."""
    return Heard(waiting.first_ms, waiting.last_ms, waiting.messages, waiting.samples)


def _asking(visit: Visit, node: str, waiting: WaitingNode | None, search: str) -> ClaimPage:
    facilities = list(visit.services.directory().facilities.values())
    heard = None if waiting is None else heard_of(waiting)
    return claim_page(node, heard, facilities, search, visit.services.clock.now_ms(), visit.words)


def _mapping(
    visit: Visit,
    view: ClaimPage,
    waiting: WaitingNode,
    facility: Facility,
    form: Mapping[str, str],
    problems: Sequence[str],
) -> ClaimPage:
    directory = visit.services.directory()
    suggestions = [
        Suggestion(
            each.name,
            each.quantity,
            each.equipment,
            each.kind,
            each.equipment_name,
            f"{facility.id}/{each.equipment}/{each.channel}",
        )
        for each in guesses(waiting.samples, facility, directory)
    ]
    return with_facility(view, facility, suggestions, directory, form, problems, visit.words)


async def _claim(visit: Visit, waiting: WaitingNode, facility: Facility, form: Mapping[str, str]) -> list[str]:
    """Register a node as a form says; return what is wrong with it, nothing where it is registered."""
    words, directory = visit.words, visit.services.directory()
    chosen = distinct(_chosen(guesses(waiting.samples, facility, directory), form))
    if not chosen:
        return [words("Choose for one channel at least what it measures.")]
    if any(UNKNOWN in (each.quantity, each.kind) for each in chosen):
        return [words("Choose what each channel measures, and the kind of all new equipment.")]
    said = claim_document(waiting.node, chosen, facility, directory, form.get("interval", ""))
    try:
        await desk_of(visit.services).change(
            Document("the form", said), occasion=occasion_of(visit, form), guard=unclaimed(waiting.node)
        )
    except DocumentError as error:
        return [
            words("{field}: found {found}; allowed: {allowed}", field=each.field.rpartition(".")[2], found=each.found,
                  allowed=each.allowed)
            for each in error.problems[:10]
        ]  # fmt: skip
    except ChangedMeanwhileError as error:
        if error.kind == "nodes":
            return [words("Somebody else has just claimed this node.")]
        return [words("{name} was changed by somebody else meanwhile; look at it again.", name=error.id)]
    return []


def _chosen(found: Sequence[Guess], form: Mapping[str, str]) -> list[Guess]:
    """Return how the channels fit as somebody chose it; those that are left out are not among them."""
    kept = []
    for each in found:
        of, quantity = form.get(f"of-{each.name}", LEAVE_OUT), form.get(f"is-{each.name}", "")
        if of == LEAVE_OUT:
            continue
        equipment = of.removeprefix(NEW)
        kept.append(
            Guess(
                name=each.name,
                quantity=quantity if quantity in QUANTITIES else UNKNOWN,
                equipment=equipment,
                kind=form.get(f"kind-{equipment}") or UNKNOWN if of.startswith(NEW) else "",
                equipment_name=form.get(f"name-{equipment}", ""),
                # Its own id goes with its own place alone.
                suffix=each.suffix if (equipment, quantity) == (each.equipment, each.quantity) else "",
            )
        )
    return kept

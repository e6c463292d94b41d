"""The pages of the registry over HTTP: the list of facilities, one of them, its form, and who changed what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from api.facilities import facility_of
from api.page_parts import done, page
from api.registry_forms import desk_of, fields_of, id_from, said_fields, save, show_form
from api.visit import Managing, Viewing, Visit
from dashboards.pages.forms import Choice, Heading, Refusal, field_time, form_page
from dashboards.pages.registry import (
    FacilityRegistryPage,
    NodeRow,
    equipment_rows,
    lack_nouns,
    lacks_of,
    node_row,
    place_of,
    registry_page,
)
from dashboards.pages.registry_fields import facility_fields
from dashboards.pages.registry_log import ChangeFacts, ChangeLine, change_line
from dashboards.pages.render import Pages
from dashboards.pages.status import silent_after_ms
from dashboards.pages.upkeep import VisitLine, visit_line
from dashboards.pages.wording import local_time
from domain.access import Role
from domain.instant import to_datetime
from domain.places import Facility
from registry.changes import RegistryChange
from registry.rows import facility_row, mark_of

FacilityName = Annotated[str, Path(max_length=64)]
VISITS_SHOWN: Final = timedelta(days=3 * 365)
MOST_VISITS: Final = 20
MOST_CHANGES: Final = 10
MOST_LOGGED: Final = 100


def add_registry_pages(router: APIRouter, pages: Pages) -> None:
    """Add the list, the page of a facility, and who changed what."""

    @router.get("/registry")
    async def show_registry(
        visit: Viewing, q: Annotated[str, Query(max_length=200)] = "", lacks: Annotated[str, Query(max_length=20)] = ""
    ) -> Response:
        may_add = visit.principal.may_somewhere(Role.MANAGER)
        view = registry_page(visit.services.directory(), q, lacks, may_add=may_add, words=visit.words)
        return await page(visit, pages, "registry.html", view)

    @router.get("/registry/changes")
    async def show_changes(visit: Viewing, facility: Annotated[str | None, Query(max_length=64)] = None) -> Response:
        found = await desk_of(visit.services).changes(limit=MOST_LOGGED, facility=facility or None)
        return await page(visit, pages, "registry_changes.html", change_lines(visit, found))

    _add_facility_forms(router, pages)

    @router.get("/registry/facilities/{facility}")
    async def show_facility(visit: Viewing, facility: FacilityName) -> Response:
        found = facility_of(visit.services.directory(), facility)
        changes = await desk_of(visit.services).changes(limit=MOST_CHANGES, facility=facility)
        view = _facility_page(visit, found, await visit_lines(visit, facility), change_lines(visit, changes))
        return await page(visit, pages, "registry_facility.html", view)


def _add_facility_forms(router: APIRouter, pages: Pages) -> None:
    @router.get("/registry/facilities/new")
    async def new_facility(visit: Managing) -> Response:
        return await _facility_form(visit, pages, None, {}, None)

    @router.post("/registry/facilities/new")
    async def add_facility(visit: Managing, request: Request) -> Response:
        form = await fields_of(request)
        said = said_fields(form)
        id_ = said.get("id") or id_from(said.get("name", ""), visit.services.directory().facilities)
        refusal = await save(visit, "facilities", id_, {**said, "id": id_}, {**form, "seen": ""})
        if refusal is None:
            return done(visit, form.get("by", ""), "", f"/registry/facilities/{id_}")
        if refusal.now is not None:
            refusal = Refusal({"id": visit.words("There is a facility with this short name already.")})
        return await _facility_form(visit, pages, None, form, refusal)

    @router.get("/registry/facilities/{facility}/edit")
    async def edit_facility(visit: Managing, facility: FacilityName) -> Response:
        found = facility_of(visit.services.directory(), facility)
        return await _facility_form(visit, pages, found, facility_row(found), None)

    @router.post("/registry/facilities/{facility}/edit")
    async def change_facility(visit: Managing, facility: FacilityName, request: Request) -> Response:
        found, form = facility_of(visit.services.directory(), facility), await fields_of(request)
        refusal = await save(visit, "facilities", facility, {**said_fields(form), "id": facility}, form)
        if refusal is None:
            return done(visit, form.get("by", ""), "", f"/registry/facilities/{facility}")
        return await _facility_form(visit, pages, found, form, refusal)


async def _facility_form(
    visit: Visit, pages: Pages, found: Facility | None, values: Mapping[str, str], refusal: Refusal | None
) -> Response:
    words = visit.words
    if found is None:
        heading = Heading(
            words("Add a facility"), "/registry/facilities/new", words("Add"), "/registry", words("Registry")
        )
    else:
        address = f"/registry/facilities/{found.id}"
        heading = Heading(words("Edit {name}", name=found.name), f"{address}/edit", words("Save"), address, found.name)
    fields = facility_fields(visit.services.directory(), words, new=found is None)
    mark = values.get("seen", mark_of(facility_row(found)) if found else "")
    return await show_form(visit, pages, form_page(heading, fields, values, refusal, mark, words), refusal)


async def visit_lines(visit: Visit, facility: str, equipment: str | None = None) -> tuple[VisitLine, ...]:
    """Return the last visits of a facility, or those of it that concern one piece of equipment."""
    now_ms, directory = visit.services.clock.now_ms(), visit.services.directory()
    now = to_datetime(now_ms)
    most = MOST_VISITS if equipment is None else 10 * MOST_VISITS
    found = await visit.services.visits(facility, now - VISITS_SHOWN, now + timedelta(minutes=1), limit=most)
    wanted = [each for each in found if equipment is None or each.equipment in ("", equipment)]
    return tuple(visit_line(each, directory, now_ms, visit.words) for each in wanted[:MOST_VISITS])


def change_lines(visit: Visit, changes: Sequence[RegistryChange]) -> tuple[ChangeLine, ...]:
    """Return changes in words."""
    directory, now_ms = visit.services.directory(), visit.services.clock.now_ms()
    return tuple(
        change_line(
            ChangeFacts(
                each.at,
                each.author,
                each.reason,
                each.kind,
                each.item,
                each.facility,
                each.added,
                each.before,
                each.after,
            ),
            directory,
            now_ms,
            visit.words,
        )
        for each in changes
    )


def node_rows(visit: Visit, nodes: Sequence[str]) -> tuple[NodeRow, ...]:
    """Return nodes with when each was heard last, by the newest reading of its channels."""
    directory, now_ms = visit.services.directory(), visit.services.clock.now_ms()
    rows = []
    for node in nodes:
        channels = list((directory.channels_of_node(node) or {}).values())
        readings = [reading for each in channels if (reading := visit.services.latest(each.id))]
        heard_ms = max((each.received_at_ms for each in readings), default=None)
        patience_ms = min((silent_after_ms(each) for each in channels), default=0)
        silent = heard_ms is None or now_ms - heard_ms > patience_ms
        rows.append(node_row(node, directory, heard_ms, now_ms, visit.words, silent=silent))
    return tuple(rows)


def _facility_page(
    visit: Visit, facility: Facility, visits: tuple[VisitLine, ...], changes: tuple[ChangeLine, ...]
) -> FacilityRegistryPage:
    directory, now_ms, words = visit.services.directory(), visit.services.clock.now_ms(), visit.words
    missing = lacks_of(facility, directory)
    there = facility.latitude is not None and facility.longitude is not None
    return FacilityRegistryPage(
        facility=facility,
        place=place_of(facility),
        local_now=local_time(now_ms, facility.timezone, now_ms, words),
        coordinates=f"{facility.latitude:.5f}, {facility.longitude:.5f}" if there else "",
        contacts=tuple(each.name for each in directory.contacts_for(facility)[:10]),
        lacks=lack_nouns(missing, words),
        equipment=equipment_rows(facility.id, directory, now_ms, words),
        nodes=node_rows(visit, [node.id for node in directory.nodes_of(facility.id)]),
        visits=visits,
        changes=changes,
        may_change=visit.may(Role.MANAGER, facility.id),
        may_act=visit.may(Role.TECHNICIAN, facility.id),
        choices=tuple(Choice(each.id, each.name) for each in directory.equipment_of(facility.id)),
        now_local=field_time(now_ms, facility.timezone),
    )

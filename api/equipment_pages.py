"""The page of a piece of equipment over HTTP, and its forms: what it is, how it is, and who looked after it."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from api.facilities import facility_of
from api.page_parts import done, page
from api.problems import NotAllowedError, NotFoundError, RequestError
from api.registry_forms import desk_of, fields_of, id_from, said_fields, save, show_form
from api.registry_pages import MOST_CHANGES, FacilityName, change_lines, visit_lines
from api.services import Services
from api.visit import Acting, Managing, Viewing, Visit
from dashboards.pages.equipment import ChannelFacts, LimitSaid, LimitSource, equipment_page
from dashboards.pages.forms import Heading, Refusal, form_page, moment_of
from dashboards.pages.registry_fields import equipment_fields
from dashboards.pages.render import Pages
from domain.access import Role
from domain.instant import to_datetime
from domain.places import Channel, Equipment, Facility
from domain.upkeep import Upkeep, UpkeepState
from registry.changes import RegistryChange
from registry.in_force import Source, sources
from registry.rows import equipment_row, mark_of

EquipmentName = Annotated[str, Path(max_length=64)]
LONGEST_WHY: Final = 500
_LOOKED_THROUGH: Final = 300
"""Of the changes at a facility."""
_FIRST_LIMITS: Final = ("low", "high")


def add_equipment_pages(router: APIRouter, pages: Pages) -> None:
    """Add the page of a piece of equipment and its forms."""

    @router.get("/equipment/{facility}/{equipment}")
    async def show_equipment(visit: Viewing, facility: FacilityName, equipment: EquipmentName) -> Response:
        item = equipment_of(visit.services, facility, equipment)
        directory, desk = visit.services.directory(), desk_of(visit.services)
        view = equipment_page(
            item,
            [await _channel_facts(visit, each) for each in channels_at(visit.services, item)],
            await desk.history(item.id),
            await visit_lines(visit, facility, item.id),
            change_lines(visit, await _changes(visit, item)),
            directory,
            visit.services.clock.now_ms(),
            visit.words,
            may_change=visit.may(Role.MANAGER, facility),
            may_act=visit.may(Role.TECHNICIAN, facility),
        )
        return await page(visit, pages, "equipment.html", view)

    @router.post("/equipment/{facility}/{equipment}/state")
    async def say_state(visit: Acting, facility: FacilityName, equipment: EquipmentName, request: Request) -> Response:
        item, form = equipment_of(visit.services, facility, equipment), await fields_of(request)
        await desk_of(visit.services).say(_upkeep(visit, item, form))
        return done(visit, form.get("by", ""), "", f"/equipment/{item.id}")

    _add_forms(router, pages)


def _add_forms(router: APIRouter, pages: Pages) -> None:
    @router.get("/registry/facilities/{facility}/equipment/new")
    async def new_equipment(visit: Managing, facility: FacilityName) -> Response:
        return await _form(visit, pages, facility_of(visit.services.directory(), facility), None, {}, None)

    @router.post("/registry/facilities/{facility}/equipment/new")
    async def add_equipment(visit: Managing, facility: FacilityName, request: Request) -> Response:
        found, form = facility_of(visit.services.directory(), facility), await fields_of(request)
        said = said_fields(form)
        id_ = said.get("id") or id_from(said.get("name", ""), visit.services.directory().equipment, f"{facility}/")
        row = {**said, "id": id_, "facility": facility}
        refusal = await save(visit, "equipment", f"{facility}/{id_}", row, {**form, "seen": ""})
        if refusal is None:
            return done(visit, form.get("by", ""), "", f"/equipment/{facility}/{id_}")
        if refusal.now is not None:
            refusal = Refusal({"id": visit.words("There is a piece of equipment with this short name here already.")})
        return await _form(visit, pages, found, None, form, refusal)

    @router.get("/equipment/{facility}/{equipment}/edit")
    async def edit_equipment(visit: Managing, facility: FacilityName, equipment: EquipmentName) -> Response:
        item = equipment_of(visit.services, facility, equipment)
        return await _form(
            visit, pages, facility_of(visit.services.directory(), facility), item, equipment_row(item), None
        )

    @router.post("/equipment/{facility}/{equipment}/edit")
    async def change_equipment(
        visit: Managing, facility: FacilityName, equipment: EquipmentName, request: Request
    ) -> Response:
        item, form = equipment_of(visit.services, facility, equipment), await fields_of(request)
        row = {**said_fields(form), "id": equipment, "facility": facility}
        refusal = await save(visit, "equipment", item.id, row, form)
        if refusal is None:
            return done(visit, form.get("by", ""), "", f"/equipment/{item.id}")
        return await _form(visit, pages, facility_of(visit.services.directory(), facility), item, form, refusal)


def equipment_of(services: Services, facility: str, equipment: str) -> Equipment:
    """Return a piece of equipment in sight; raise ``NotFoundError``."""
    found = services.directory().equipment.get(f"{facility}/{equipment}")
    if found is None:
        raise NotFoundError("equipment", f"{facility}/{equipment}")
    return found


def channels_at(services: Services, item: Equipment) -> list[Channel]:
    """Return the channels of a piece of equipment."""
    return [each for each in services.directory().channels_of(item.facility) if each.equipment == item.id]


async def _form(
    visit: Visit,
    pages: Pages,
    facility: Facility,
    item: Equipment | None,
    values: Mapping[str, str],
    refusal: Refusal | None,
) -> Response:
    words = visit.words
    if item is None:
        back = f"/registry/facilities/{facility.id}"
        heading = Heading(words("Add equipment"), f"{back}/equipment/new", words("Add"), back, facility.name)
    else:
        back = f"/equipment/{item.id}"
        heading = Heading(words("Edit {name}", name=item.name), f"{back}/edit", words("Save"), back, item.name)
    fields = equipment_fields(visit.services.directory(), words, new=item is None)
    mark = values.get("seen", mark_of(equipment_row(item)) if item else "")
    return await show_form(visit, pages, form_page(heading, fields, values, refusal, mark, words), refusal)


def _upkeep(visit: Visit, item: Equipment, form: Mapping[str, str]) -> Upkeep:
    """Return what a form says of the state of equipment; raise ``RequestError`` or ``NotAllowedError``."""
    words, now = visit.words, to_datetime(visit.services.clock.now_ms())
    try:
        state = UpkeepState(form.get("state", ""))
    except ValueError:
        raise RequestError(HTTPStatus.UNPROCESSABLE_ENTITY, words("Choose how it is.")) from None
    if state is UpkeepState.OUT_OF_SERVICE and not visit.may(Role.MANAGER, item.facility):
        sentence = words("Only a manager takes equipment out of service, for then nobody is told of its alerts.")
        raise NotAllowedError(sentence)
    why = form.get("why", "")[:LONGEST_WHY]
    if not why and state is not UpkeepState.FUNCTIONING:
        raise RequestError(HTTPStatus.UNPROCESSABLE_ENTITY, words("Say what is wrong with it."))
    zone = visit.services.directory().facilities[item.facility].timezone
    since = moment_of(form["since"], zone) if form.get("since") else now
    if since is None:
        raise RequestError(HTTPStatus.UNPROCESSABLE_ENTITY, words("Write since when as 2026-11-20T12:00."))
    return Upkeep(item.id, state, min(since, now), now, visit.signature(form.get("by", "")[:80]), why)


async def _changes(visit: Visit, item: Equipment) -> list[RegistryChange]:
    """Return the last changes of a piece of equipment and of what is measured at it."""
    found = await desk_of(visit.services).changes(limit=_LOOKED_THROUGH, facility=item.facility)
    return [each for each in found if f"{each.item}/".startswith(f"{item.id}/")][:MOST_CHANGES]


async def _channel_facts(visit: Visit, channel: Channel) -> ChannelFacts:
    desk, directory = desk_of(visit.services), visit.services.directory()
    shared = await desk.shared_limit_changes()
    found = []
    for name, source in sorted(sources(channel, directory).items(), key=_in_order):
        change = shared.get(source.scope) if source.scope else None
        said = (to_datetime(change.recorded_at_ms), change.author, change.reason) if change else ()
        found.append(LimitSource(name, source.value, source.scope, *said))
    changes = await desk.limit_changes(channel.id)
    first_ms = changes[0].recorded_at_ms if changes else 0
    said_lines = [
        LimitSaid(
            each.valid_from_ms,
            each.limits,
            # What was so from the start was not said on this occasion.
            None if each.valid_from_ms == 0 and each.recorded_at_ms == first_ms else to_datetime(each.recorded_at_ms),
            each.author,
            each.reason,
        )
        for each in changes
    ]
    return ChannelFacts(channel, visit.services.latest(channel.id), found, said_lines)


def _in_order(entry: tuple[str, Source]) -> tuple[bool, int, str]:
    """Order the lowest that is allowed before the highest, and both before others."""
    known = entry[0] in _FIRST_LIMITS
    return not known, _FIRST_LIMITS.index(entry[0]) if known else 0, entry[0]

"""The forms of a channel over HTTP: who reports it under which name, and its limits with their history."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from api.equipment_pages import EquipmentName, equipment_of
from api.page_parts import done
from api.problems import NotFoundError
from api.registry_forms import fields_of, limits_occasion, said_fields, save, show_form
from api.registry_pages import FacilityName
from api.services import Services
from api.visit import Managing, Visit
from dashboards.pages.equipment import limit_name, source_text
from dashboards.pages.forms import Heading, Refusal, form_page, moment_of
from dashboards.pages.registry_fields import channel_fields, limit_fields
from dashboards.pages.render import Pages
from dashboards.pages.wording import quantity_word, value_text
from domain.instant import to_ms
from domain.places import Channel, Equipment, Node
from registry.history import Occasion
from registry.in_force import sources
from registry.rows import channel_row, mark_of

ChannelName = Annotated[str, Path(max_length=64)]
_ADDRESS = "/equipment/{facility}/{equipment}/channels"


def add_channel_pages(router: APIRouter, pages: Pages) -> None:
    """Add the forms of channels."""
    _add_new(router, pages)

    @router.get(f"{_ADDRESS}/{{quantity}}/edit")
    async def edit_channel(
        visit: Managing, facility: FacilityName, equipment: EquipmentName, quantity: ChannelName
    ) -> Response:
        found = _channel_of(visit.services, facility, equipment, quantity)
        return await _form(visit, pages, _item(visit, found), found, channel_row(found), None)

    @router.post(f"{_ADDRESS}/{{quantity}}/edit")
    async def change_channel(
        visit: Managing, facility: FacilityName, equipment: EquipmentName, quantity: ChannelName, request: Request
    ) -> Response:
        found, form = _channel_of(visit.services, facility, equipment, quantity), await fields_of(request)
        said = {name: form.get(name, "") for name in ("node", "name", "interval")}
        refusal = await save(visit, "channels", found.id, {**channel_row(found), **said}, form)
        if refusal is None:
            return done(visit, form.get("by", ""), "", f"/equipment/{found.equipment}")
        return await _form(visit, pages, _item(visit, found), found, form, refusal)

    _add_limits(router, pages)


def _add_new(router: APIRouter, pages: Pages) -> None:
    @router.get(f"{_ADDRESS}/new")
    async def new_channel(visit: Managing, facility: FacilityName, equipment: EquipmentName) -> Response:
        item = equipment_of(visit.services, facility, equipment)
        return await _form(visit, pages, item, None, {}, None)

    @router.post(f"{_ADDRESS}/new")
    async def add_channel(
        visit: Managing, facility: FacilityName, equipment: EquipmentName, request: Request
    ) -> Response:
        item, form = equipment_of(visit.services, facility, equipment), await fields_of(request)
        row = {**said_fields(form), "facility": facility, "equipment": equipment}
        id_ = f"{item.id}/{row.get('id') or row.get('quantity', '')}"
        refusal = await save(visit, "channels", id_, row, {**form, "seen": ""})
        if refusal is None:
            return done(visit, form.get("by", ""), "", f"/equipment/{item.id}")
        if refusal.now is not None:
            refusal = Refusal({"id": visit.words("It is measured here already; give the second one a short name.")})
        return await _form(visit, pages, item, None, form, refusal)


def _add_limits(router: APIRouter, pages: Pages) -> None:
    @router.get(f"{_ADDRESS}/{{quantity}}/limits")
    async def edit_limits(
        visit: Managing, facility: FacilityName, equipment: EquipmentName, quantity: ChannelName
    ) -> Response:
        found = _channel_of(visit.services, facility, equipment, quantity)
        return await _limits_form(visit, pages, found, channel_row(found), None)

    @router.post(f"{_ADDRESS}/{{quantity}}/limits")
    async def change_limits(
        visit: Managing, facility: FacilityName, equipment: EquipmentName, quantity: ChannelName, request: Request
    ) -> Response:
        found, form = _channel_of(visit.services, facility, equipment, quantity), await fields_of(request)
        refusal = await _save_limits(visit, found, form)
        if refusal is None:
            return done(visit, form.get("by", ""), "", f"/equipment/{found.equipment}")
        return await _limits_form(visit, pages, found, form, refusal)


async def _save_limits(visit: Visit, channel: Channel, form: Mapping[str, str]) -> Refusal | None:
    words = visit.words
    if not form.get("reason"):
        return Refusal({"reason": words("This has to be filled in.")})
    from_ms = None
    if form.get("from"):
        since = moment_of(form["from"], visit.services.directory().facilities[channel.facility].timezone)
        if since is None:
            return Refusal({"from": words("A moment such as {example}.", example="2026-11-20T12:00")})
        from_ms = to_ms(since)
    occasion = limits_occasion(visit, form, from_ms)
    if not isinstance(occasion, Occasion):
        return Refusal({"from": occasion})
    own = {name: cell for name, cell in channel_row(channel).items() if not name.startswith("limit.")}
    said = {name: text for name, text in form.items() if name.startswith("limit.")}
    return await save(visit, "channels", channel.id, {**own, **said}, form, occasion)


def _channel_of(services: Services, facility: str, equipment: str, channel: str) -> Channel:
    item = equipment_of(services, facility, equipment)
    found = services.directory().channels.get(f"{item.id}/{channel}")
    if found is None:
        raise NotFoundError("channel", f"{item.id}/{channel}")
    return found


def _item(visit: Visit, channel: Channel) -> Equipment:
    return visit.services.directory().equipment[channel.equipment]


async def _form(
    visit: Visit,
    pages: Pages,
    item: Equipment,
    channel: Channel | None,
    values: Mapping[str, str],
    refusal: Refusal | None,
) -> Response:
    words, back = visit.words, f"/equipment/{item.id}"
    if channel is None:
        heading = Heading(words("Add a channel"), f"{back}/channels/new", words("Add"), back, item.name)
    else:
        title = words("Edit {name}", name=f"{item.name}: {quantity_word(channel.quantity.name, words)}")
        heading = Heading(title, f"/equipment/{_path(channel)}/edit", words("Save"), back, item.name)
    directory = visit.services.directory()
    nodes = {node.id: node for node in directory.nodes_of(item.facility)}
    if channel is not None:
        nodes.setdefault(channel.node, directory.nodes.get(channel.node, Node(channel.node, "")))
    fields = channel_fields(list(nodes.values()), words, new=channel is None)
    mark = values.get("seen", mark_of(channel_row(channel)) if channel else "")
    return await show_form(visit, pages, form_page(heading, fields, values, refusal, mark, words), refusal)


async def _limits_form(
    visit: Visit, pages: Pages, channel: Channel, values: Mapping[str, str], refusal: Refusal | None
) -> Response:
    words, item = visit.words, _item(visit, channel)
    inherited = {
        name: words(
            "{name} is {value} now, {source}.",
            name=limit_name(name, words),
            value=words("none") if source.value is None else value_text(channel.quantity, source.value, words),
            source=source_text(source.scope, words),
        )
        for name, source in sources(channel, visit.services.directory()).items()
    }
    heading = Heading(
        words("Limits of {name}", name=f"{item.name}: {quantity_word(channel.quantity.name, words)}"),
        f"/equipment/{_path(channel)}/limits",
        words("Save"),
        f"/equipment/{item.id}",
        item.name,
        words("This holds for this channel alone; an empty field leaves it to the kind, the model or the facility."),
    )
    mark = values.get("seen", mark_of(channel_row(channel)))
    fields = limit_fields(channel, inherited, words)
    return await show_form(visit, pages, form_page(heading, fields, values, refusal, mark, words), refusal)


def _path(channel: Channel) -> str:
    return f"{channel.equipment}/channels/{channel.id.removeprefix(f'{channel.equipment}/')}"

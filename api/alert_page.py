"""The page of one alert over HTTP, and its forms: take, need help, put aside, bring back, close."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, TypeVar

from fastapi import APIRouter, Path, Query, Request
from pydantic import ValidationError
from starlette.responses import Response

from alerts.allowed import AllowedAction, Standing, allowed_actions
from alerts.notification import Notification
from alerts.store import AlertStore
from api.alerting_models import ClosingStatement, Shelving
from api.alerts import AlertId, acknowledge, client_of
from api.deeds import Deeds
from api.models import Acknowledgement
from api.page_parts import done, form_of, html_page, person_of, scene_of, waiting_count
from api.problems import NotFoundError, RequestError, field_sentences
from api.services import Services
from dashboards.pages.alert import Background, Closed, Told, alert_page
from dashboards.pages.render import Pages
from domain.alert import Alert
from domain.directory import Directory

Said = TypeVar("Said", bound=Acknowledgement)
Number = Annotated[int, Path(ge=1, lt=2**63)]
Part = Annotated[str, Query(max_length=10)]


def add_alert_page(router: APIRouter, services: Services, pages: Pages) -> None:
    """Add the page of an alert and its forms."""

    @router.get("/alerts/{alert_id}")
    async def show_alert(request: Request, alert_id: AlertId, part: Part = "") -> Response:
        found = await services.alert(alert_id)
        if found is None:
            raise NotFoundError("alert", alert_id)
        view = alert_page(found, await _background(services, found), scene_of(services))
        waiting = await waiting_count(services)
        return html_page(pages.alert(view, live=part == "live", waiting=waiting, person=person_of(request)))

    @router.post("/alerts/{alert_id}/acknowledge")
    async def take_alert(request: Request, alert_id: Number) -> Response:
        form = form_of(await request.body())
        said = _said(Acknowledgement, form, ("by", "note"))
        await acknowledge(services, alert_id, said, f"page {client_of(request)}")
        return done(request, said.by, form.get("next", ""), f"/alerts/{alert_id}")

    if services.alert_store is not None:
        _add_deeds(router, services, services.alert_store)


def _add_deeds(router: APIRouter, services: Services, store: AlertStore) -> None:
    deeds = Deeds(services, store)

    def back(request: Request, said: Acknowledgement, alert_id: int) -> Response:
        return done(request, said.by, "", f"/alerts/{alert_id}")

    @router.post("/alerts/{alert_id}/help")
    async def call_help(request: Request, alert_id: Number) -> Response:
        said = _said(Acknowledgement, form_of(await request.body()), ("by", "note"))
        await deeds.ask_for_help(alert_id, said, f"page {client_of(request)}")
        return back(request, said, alert_id)

    @router.post("/alerts/{alert_id}/shelve")
    async def put_aside(request: Request, alert_id: Number) -> Response:
        said = _said(Shelving, form_of(await request.body()), ("by", "hours", "reason"))
        await deeds.shelve(alert_id, said, f"page {client_of(request)}")
        return back(request, said, alert_id)

    @router.post("/alerts/{alert_id}/unshelve")
    async def bring_back(request: Request, alert_id: Number) -> Response:
        said = _said(Acknowledgement, form_of(await request.body()), ("by",))
        await deeds.unshelve(alert_id, said, f"page {client_of(request)}")
        return back(request, said, alert_id)

    @router.post("/alerts/{alert_id}/close")
    async def close(request: Request, alert_id: Number) -> Response:
        form = {name: text for name, text in form_of(await request.body()).items() if text.strip() or name == "by"}
        said = _said(ClosingStatement, form, ("by", "reason", "action", "doses_affected"))
        await deeds.close(alert_id, said, f"page {client_of(request)}")
        return back(request, said, alert_id)


async def _background(services: Services, alert: Alert) -> Background:
    store = services.alert_store
    standing = (await services.standings([alert.id])).get(alert.id, Standing())
    actions = frozenset(action.value for action in allowed_actions(alert, standing))
    if store is None:
        return Background(actions=actions & {AllowedAction.ACKNOWLEDGE.value})
    incidents = await store.reading.incidents(facility=alert.facility)
    incident = next((each for each in incidents if any(one.id == alert.id for one in each.alerts)), None)
    closed = standing.closed
    return Background(
        together=incident.alerts if incident else (),
        told=[_told(each, services.directory()) for each in await store.notifications(alert.id)],
        actions=actions,
        next_step_at=incident.next_step_at if incident else None,
        closed=None if closed is None else Closed(closed.by, closed.at, closed.closing.in_words),
        reasons=store.actions.closing.reasons,
    )


def _told(sent: Notification, directory: Directory) -> Told:
    contact = directory.contacts.get(sent.contact)
    return Told(
        name=contact.name if contact else sent.contact,
        channel=sent.channel,
        kind=sent.kind.value,
        state=sent.state.value,
        at=sent.settled_at or sent.queued_at,
    )


def _said(model: type[Said], form: Mapping[str, str], fields: tuple[str, ...]) -> Said:
    """Return what a form says; raise ``RequestError`` with a sentence for the person who filled it in."""
    try:
        return model.model_validate({name: form[name] for name in fields if name in form})
    except ValidationError as error:
        sentences = "; ".join(f"{each['field']}: {each['sentence']}" for each in field_sentences(error.errors()))
        wanting = "Write your name, so that others know. " if not form.get("by", "").strip() else ""
        raise RequestError(HTTPStatus.UNPROCESSABLE_ENTITY, f"{wanting}({sentences})") from None

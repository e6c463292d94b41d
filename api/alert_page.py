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
from api.alert_past import read_alert_past
from api.alerting_models import ClosingStatement, Shelving
from api.alerts import AlertId, acknowledge
from api.deeds import Deeds
from api.models import Acknowledgement
from api.page_parts import done, form_of, page, scene_of
from api.problems import NotFoundError, RequestError
from api.services import Services
from api.visit import Acting, Viewing, Visit
from dashboards.pages.alert import Background, Closed, Told, alert_page
from dashboards.pages.render import Pages
from dashboards.pages.words import Words, noop
from domain.alert import Alert
from domain.directory import Directory

Said = TypeVar("Said", bound=Acknowledgement)
Number = Annotated[int, Path(ge=1, lt=2**63)]
_LABELS = {
    "by": noop("Your name"),
    "note": noop("Note"),
    "hours": noop("For how long?"),
    "reason": noop("Reason"),
    "action": noop("What was done?"),
    "doses_affected": noop("Vaccine doses affected"),
}
"""What a person calls the fields of the forms."""
Part = Annotated[str, Query(max_length=10)]


def add_alert_page(router: APIRouter, pages: Pages) -> None:
    """Add the page of an alert and its forms."""

    @router.get("/alerts/{alert_id}")
    async def show_alert(visit: Viewing, alert_id: AlertId, part: Part = "") -> Response:
        found = await visit.services.alert(alert_id)
        if found is None:
            raise NotFoundError("alert", alert_id)
        background, past = await _background(visit.services, found), await read_alert_past(visit.services, found)
        view = alert_page(found, background, past, scene_of(visit.services, visit.words))
        return await page(visit, pages, "alert.html", view, live=part == "live")

    @router.post("/alerts/{alert_id}/acknowledge")
    async def take_alert(visit: Acting, request: Request, alert_id: Number) -> Response:
        form = form_of(await request.body())
        said = _said(Acknowledgement, form, ("by", "note"), visit.words)
        await acknowledge(visit, alert_id, said, "page")
        return done(visit, said.by, form.get("next", ""), f"/alerts/{alert_id}")

    _add_deeds(router)


def _add_deeds(router: APIRouter) -> None:
    def back(visit: Visit, said: Acknowledgement, alert_id: int) -> Response:
        return done(visit, said.by, "", f"/alerts/{alert_id}")

    @router.post("/alerts/{alert_id}/help")
    async def call_help(visit: Acting, request: Request, alert_id: Number) -> Response:
        said = _said(Acknowledgement, form_of(await request.body()), ("by", "note"), visit.words)
        await Deeds(visit, "page").ask_for_help(alert_id, said)
        return back(visit, said, alert_id)

    @router.post("/alerts/{alert_id}/shelve")
    async def put_aside(visit: Acting, request: Request, alert_id: Number) -> Response:
        said = _said(Shelving, form_of(await request.body()), ("by", "hours", "reason"), visit.words)
        await Deeds(visit, "page").shelve(alert_id, said)
        return back(visit, said, alert_id)

    @router.post("/alerts/{alert_id}/unshelve")
    async def bring_back(visit: Acting, request: Request, alert_id: Number) -> Response:
        said = _said(Acknowledgement, form_of(await request.body()), ("by",), visit.words)
        await Deeds(visit, "page").unshelve(alert_id, said)
        return back(visit, said, alert_id)

    @router.post("/alerts/{alert_id}/close")
    async def close(visit: Acting, request: Request, alert_id: Number) -> Response:
        form = {name: text for name, text in form_of(await request.body()).items() if text.strip() or name == "by"}
        said = _said(ClosingStatement, form, ("by", "reason", "action", "doses_affected"), visit.words)
        await Deeds(visit, "page").close(alert_id, said)
        return back(visit, said, alert_id)


async def _background(services: Services, alert: Alert) -> Background:
    desk = services.alert_desk
    standing = (await services.standings([alert.id])).get(alert.id, Standing())
    may_act = services.may_act(alert.facility)
    actions = frozenset(action.value for action in allowed_actions(alert, standing) if may_act)
    if desk is None:
        return Background(actions=actions & {AllowedAction.ACKNOWLEDGE.value})
    incidents = await desk.incidents(alert.facility)
    incident = next((each for each in incidents if any(one.id == alert.id for one in each.alerts)), None)
    closed = standing.closed
    return Background(
        together=incident.alerts if incident else (),
        told=[_told(each, services.directory()) for each in await desk.notifications(alert.id)],
        actions=actions,
        next_step_at=incident.next_step_at if incident else None,
        closed=None if closed is None else Closed(closed.by, closed.at, closed.closing.in_words),
        reasons=desk.reasons,
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


def _said(model: type[Said], form: Mapping[str, str], fields: tuple[str, ...], words: Words) -> Said:
    """Return what a form says; raise ``RequestError`` with a sentence for the person who filled it in."""
    try:
        return model.model_validate({name: form[name] for name in fields if name in form})
    except ValidationError as error:
        wrong = dict.fromkeys(words(_LABELS[str(each["loc"][0])]) for each in error.errors())
        sentence = words("Missing, too long or not possible: {fields}.", fields=words(", ").join(wrong))
        raise RequestError(HTTPStatus.UNPROCESSABLE_ENTITY, sentence) from None

"""Signing in and out over HTTP."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from api.access.cookies import device_token, drop_session, keep_session, session_token
from api.access.desk import AccessDesk, Device, Refused, SignedIn
from api.access.recognise import Recogniser
from api.page_parts import form_of, local_path
from dashboards.pages.render import Frame, Pages
from dashboards.pages.sign_in import SignInView, refusal
from dashboards.pages.words import Words
from domain.access import NOBODY


def sign_in_routes(pages: Pages, desk: AccessDesk, recogniser: Recogniser) -> APIRouter:
    """Return ``/sign-in`` and ``/sign-out``."""
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

    @router.get("/sign-in")
    async def ask_name(request: Request, next_: Annotated[str, Query(alias="next", max_length=1000)] = "") -> Response:
        wanted = local_path(next_, "/")
        if await recogniser.session(request) is not None:
            return RedirectResponse(wanted, HTTPStatus.SEE_OTHER)
        view = SignInView(next=wanted, nobody_yet=not await desk.accounts.any_yet())
        return _form(request, pages, view)

    @router.post("/sign-in")
    async def sign_in(request: Request) -> Response:
        form = form_of(await request.body())
        name, wanted = form.get("name", ""), local_path(form.get("next", ""), "/")
        outcome = await desk.sign_in(name, form.get("password", ""), device_of(request))
        if isinstance(outcome, SignedIn):
            return signed_in(request, desk, outcome, wanted)
        view = SignInView(next=wanted, name=name, trouble=refusal(outcome.wait_seconds, words_for(request)))
        return _form(request, pages, view, outcome)

    @router.post("/sign-out")
    async def sign_out(request: Request) -> Response:
        await desk.sign_out(session_token(request))
        response = RedirectResponse("/sign-in", HTTPStatus.SEE_OTHER)
        drop_session(response, request)
        return response

    return router


def device_of(request: Request) -> Device:
    """Return from where somebody signs in."""
    address = request.client.host if request.client else "unknown"
    return Device(device_token(request), address, request.headers.get("user-agent", ""))


def signed_in(request: Request, desk: AccessDesk, outcome: SignedIn, wanted: str) -> Response:
    """Let the browser hold the session, and lead on."""
    chooses = outcome.account.change_by is not None
    first = f"/account/password?next={quote(wanted, safe='')}"
    response = RedirectResponse(first if chooses else wanted, HTTPStatus.SEE_OTHER)
    keep_session(response, request, outcome.token, outcome.device, desk.settings.longest)
    return response


def refused_status(outcome: Refused) -> tuple[HTTPStatus, dict[str, str]]:
    """Return how a refusal is answered."""
    if outcome.wait_seconds:
        return HTTPStatus.TOO_MANY_REQUESTS, {"Retry-After": str(outcome.wait_seconds)}
    return HTTPStatus.FORBIDDEN, {}


def words_for(request: Request) -> Words:
    """Return the words for somebody who is not recognised yet."""
    words: Words = request.app.state.door.words(request, None)
    return words


def _form(request: Request, pages: Pages, view: SignInView, refused: Refused | None = None) -> Response:
    status, headers = (HTTPStatus.OK, {}) if refused is None else refused_status(refused)
    here = f"/sign-in?next={quote(view.next)}"
    text = pages.write("sign_in.html", view, Frame(words=words_for(request), address=here, principal=NOBODY))
    return HTMLResponse(text.encode("utf-8", "replace"), status, headers)

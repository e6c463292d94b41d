"""Signing in and out over HTTP."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from api.access.cookies import device_token, drop_session, keep_session, session_token
from api.access.desk import AccessDesk, Device, SignedIn
from api.access.recognise import Recogniser
from api.page_parts import form_of, local_path
from dashboards.pages.render import Frame, Pages
from dashboards.pages.sign_in import SignInView, refusal
from dashboards.pages.words import Words
from domain.access import NOBODY


class SignInForm:
    """The form as it is shown, and shown again."""

    def __init__(self, pages: Pages, provider: str) -> None:
        """Take what the single sign-on is called as ``provider``; empty for none."""
        self._pages, self._provider = pages, provider

    async def show(self, request: Request, wanted: str, *, nobody_yet: bool = False) -> Response:
        """Show the form; it leads to the page that was wanted."""
        return self._answer(request, SignInView(next=wanted, provider=self._provider, nobody_yet=nobody_yet))

    async def refuse(
        self, request: Request, wanted: str, trouble: str, status: HTTPStatus, name: str = "", wait_seconds: int = 0
    ) -> Response:
        """Show the form again, with why nobody was let in."""
        response = self._answer(request, SignInView(next=wanted, provider=self._provider, name=name, trouble=trouble))
        response.status_code = status
        if wait_seconds:
            response.headers["Retry-After"] = str(wait_seconds)
        return response

    def _answer(self, request: Request, view: SignInView) -> Response:
        here = f"/sign-in?next={quote(view.next)}"
        frame = Frame(words=words_for(request), address=here, principal=NOBODY)
        return HTMLResponse(self._pages.write("sign_in.html", view, frame).encode("utf-8", "replace"))


def sign_in_routes(form: SignInForm, desk: AccessDesk, recogniser: Recogniser) -> APIRouter:
    """Return ``/sign-in`` and ``/sign-out``."""
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

    @router.get("/sign-in")
    async def ask_name(request: Request, next_: Annotated[str, Query(alias="next", max_length=1000)] = "") -> Response:
        wanted = local_path(next_, "/")
        if await recogniser.session(request) is not None:
            return RedirectResponse(wanted, HTTPStatus.SEE_OTHER)
        return await form.show(request, wanted, nobody_yet=not await desk.accounts.any_yet())

    @router.post("/sign-in")
    async def sign_in(request: Request) -> Response:
        filled = form_of(await request.body())
        name, wanted = filled.get("name", ""), local_path(filled.get("next", ""), "/")
        outcome = await desk.sign_in(name, filled.get("password", ""), device_of(request))
        if isinstance(outcome, SignedIn):
            return signed_in(request, desk, outcome, wanted)
        trouble = refusal(outcome.wait_seconds, words_for(request))
        return await form.refuse(request, wanted, trouble, outcome.status, name, outcome.wait_seconds)

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


def words_for(request: Request) -> Words:
    """Return the words for somebody who is not recognised yet."""
    words: Words = request.app.state.door.words(request, None)
    return words

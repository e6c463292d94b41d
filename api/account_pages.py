"""The pages of somebody who is signed in: the account, its sessions, its language and its password."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from api.access.desk import AccessDesk, Refused
from api.access.recognise import Recogniser, principal_of
from api.languages import LANGUAGE_COOKIE
from api.page_parts import form_of, local_path, page
from api.problems import RequestError
from api.sight import services_for
from api.sign_in_page import device_of, signed_in
from api.visit import Door, SignInNeededError, Visit
from dashboards.pages.account import AccountView, PasswordView, SignedInAt, role_lines, session_lines, weakness_text
from dashboards.pages.render import Pages
from dashboards.pages.sign_in import refusal
from domain.access import Principal, Role
from registry.account_deeds import WeakPasswordError
from registry.accounts import Account
from registry.sessions import Session


class Own(NamedTuple):
    """Somebody's own visit, whatever they may do."""

    visit: Visit
    session: Session
    account: Account


class AccountPages:
    """The routes; each is for everybody who is signed in."""

    def __init__(self, pages: Pages, desk: AccessDesk, recogniser: Recogniser) -> None:
        self._pages, self._desk, self._recogniser = pages, desk, recogniser

    def routes(self) -> APIRouter:
        """Return the routes under ``/account``."""
        router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
        router.get("/account")(self.show)
        router.post("/account/language")(self.choose_language)
        router.post("/account/sessions/end")(self.end_others)
        router.post("/account/sessions/{number}/end")(self.end_one)
        router.get("/account/password")(self.ask_password)
        router.post("/account/password")(self.change_password)
        return router

    async def show(self, request: Request) -> Response:
        """Show who is signed in, and where."""
        visit, session, account = await self._own(request)
        lasting, now = self._desk.settings.lasting, self._desk.now
        signed = [
            SignedInAt(each.id, each.browser, each.address, each.seen_at, each.id == session.id)
            for each in await self._desk.sessions.of(account.id)
            if each.valid(now, lasting)
        ]
        view = AccountView(
            id=account.id,
            name=account.name,
            roles=role_lines(account.grants, visit.services.directory(), visit.words),
            sessions=session_lines(signed, self._desk.clock.now_ms(), visit.words),
            language=account.language,
            has_password=bool(account.secret),
        )
        return await page(visit, self._pages, "account.html", view)

    async def choose_language(self, request: Request) -> Response:
        """Keep the language for every device; what was chosen on this one gives way."""
        own = await self._own(request)
        language = form_of(await request.body()).get("language", "")
        if language and language not in self._pages.language_codes:
            raise RequestError(HTTPStatus.UNPROCESSABLE_ENTITY, "The pages do not speak this language.")
        await self._desk.accounts.set_language(own.account.id, language)
        response = RedirectResponse("/account", HTTPStatus.SEE_OTHER)
        response.delete_cookie(LANGUAGE_COOKIE)
        return response

    async def end_others(self, request: Request) -> Response:
        """Sign out on every other device."""
        own = await self._own(request)
        await self._desk.sessions.end_all(own.account.id, self._desk.now, but=own.session.mark)
        return RedirectResponse("/account", HTTPStatus.SEE_OTHER)

    async def end_one(self, request: Request, number: Annotated[int, Path(ge=1, lt=2**31)]) -> Response:
        """Sign out on one device."""
        own = await self._own(request)
        await self._desk.sessions.end_one(own.account.id, number, self._desk.now)
        return RedirectResponse("/account", HTTPStatus.SEE_OTHER)

    async def ask_password(
        self, request: Request, next_: Annotated[str, Query(alias="next", max_length=1000)] = ""
    ) -> Response:
        """Show the form for a new password."""
        own = await self._own(request, also_unchanged=True)
        return await self._form(own, local_path(next_, "/account"))

    async def change_password(self, request: Request) -> Response:
        """Take the new password, or say why not."""
        own = await self._own(request, also_unchanged=True)
        form = form_of(await request.body())
        wanted, new = local_path(form.get("next", ""), "/account"), form.get("new", "")
        if new != form.get("again", ""):
            return await self._form(own, wanted, own.visit.words("The two new passwords are not the same."))
        if new == form.get("old", ""):
            return await self._form(own, wanted, own.visit.words("The new password is the old one."))
        try:
            outcome = await self._desk.change_password(own.account, form.get("old", ""), new, device_of(request))
        except WeakPasswordError as error:
            return await self._form(own, wanted, weakness_text(error.weakness, own.visit.words))
        if isinstance(outcome, Refused):
            words = own.visit.words
            wrong = words("The password until now is another one.")
            said = refusal(outcome.wait_seconds, words) if outcome.wait_seconds else wrong
            return await self._form(own, wanted, said, outcome)
        return signed_in(request, self._desk, outcome, wanted)

    async def _form(self, own: Own, wanted: str, trouble: str = "", refused: Refused | None = None) -> Response:
        view = PasswordView(
            id=own.account.id, next=wanted, must=own.account.change_by is not None, trouble=trouble
        )  # fmt: skip
        response = await page(own.visit, self._pages, "password.html", view)
        if trouble:
            response.status_code = refused.status if refused else HTTPStatus.UNPROCESSABLE_ENTITY
            if refused and refused.wait_seconds:
                response.headers["Retry-After"] = str(refused.wait_seconds)
        return response

    async def _own(self, request: Request, *, also_unchanged: bool = False) -> Own:
        """Return whose session it is; raise ``SignInNeededError`` for nobody's.

        ``also_unchanged``: also who has to choose a password first, and then may do nothing else.
        """
        if not also_unchanged and await self._recogniser(request) is None:
            raise SignInNeededError
        found = None if "authorization" in request.headers else await self._recogniser.session(request)
        if found is None:
            raise SignInNeededError
        session, account = found
        principal = principal_of(account)
        if account.change_by is not None:
            principal = Principal(principal.id, principal.name, frozenset(), principal.language)
        request.state.principal = principal
        door: Door = request.app.state.door
        services = services_for(principal, Role.VIEWER, door.services)
        return Own(Visit(principal, services, door.words(request, principal), request), session, account)

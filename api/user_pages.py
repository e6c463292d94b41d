"""The pages on which an administrator looks after those who sign in."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from api.access.desk import AccessDesk
from api.page_parts import form_of, page
from api.problems import NotAllowedError, NotFoundError
from api.visit import Administering, Visit
from dashboards.pages.render import Pages
from dashboards.pages.users import (
    UserFacts,
    UsersView,
    UserView,
    grant_form,
    grant_lines,
    place_meant,
    user_line,
)
from dashboards.pages.words import Words
from domain.access import Grant, Role
from domain.directory import Directory
from domain.places import Place
from registry.account_deeds import CHANGE_WITHIN
from registry.accounts import Account, AccountError, sign_in_name
from registry.passwords import speakable

logger = logging.getLogger(__name__)

UserId = Annotated[str, Path(max_length=64)]
NO_STORE = {"Cache-Control": "no-store"}


class UserPages:
    """The routes; each takes an administrator of the whole country."""

    def __init__(self, pages: Pages, desk: AccessDesk) -> None:
        self._pages, self._desk = pages, desk

    def routes(self) -> APIRouter:
        """Return the routes under ``/users``."""
        router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
        router.get("/users")(self.show_all)
        router.post("/users")(self.add)
        router.get("/users/{user}")(self.show)
        router.post("/users/{user}/grant")(self.grant)
        router.post("/users/{user}/revoke")(self.revoke)
        router.post("/users/{user}/password")(self.make_password)
        router.post("/users/{user}/sign-out")(self.sign_out)
        router.post("/users/{user}/disable")(self.disable)
        router.post("/users/{user}/enable")(self.enable)
        return router

    async def show_all(self, visit: Administering) -> Response:
        """Show who there is."""
        visit.require_everywhere(Role.ADMINISTRATOR)
        return await self._list(visit, {}, "")

    async def add(self, visit: Administering, request: Request) -> Response:
        """Let somebody new sign in, with a first password that is shown this once."""
        visit.require_everywhere(Role.ADMINISTRATOR)
        form = form_of(await request.body())
        try:
            grant = grant_of(form, visit.services.directory(), visit.words)
            id_ = sign_in_name(form.get("id", ""))
            name = form.get("name", "").strip()[:80] or id_
            password, now = speakable(self._desk.random()), self._desk.now
            new = Account(id_, name, frozenset({grant}), now, change_by=now + CHANGE_WITHIN)
            await self._desk.deeds.add(new, password)
        except AccountError as error:
            return await self._list(visit, form, str(error))
        self._log(visit, "added", id_)
        return await self._one(visit, new, password=password)

    async def show(self, visit: Administering, user: UserId) -> Response:
        """Show one user."""
        visit.require_everywhere(Role.ADMINISTRATOR)
        return await self._one(visit, await self._known(user))

    async def grant(self, visit: Administering, request: Request, user: UserId) -> Response:
        """Give a role."""
        known = await self._other(visit, user)
        try:
            new = grant_of(form_of(await request.body()), visit.services.directory(), visit.words)
        except AccountError as error:
            return await self._one(visit, known, trouble=str(error))
        await self._desk.deeds.grant(known.id, new)
        self._log(visit, "role given to", known.id)
        return _back(known)

    async def revoke(self, visit: Administering, request: Request, user: UserId) -> Response:
        """Take a role away; one that was taken meanwhile is no trouble."""
        known, form = await self._other(visit, user), form_of(await request.body())
        place = Place(*(form.get(part, "") for part in ("country", "region", "district", "facility")))
        if any(each.place == place for each in known.grants):
            await self._desk.deeds.revoke(known.id, place)
            self._log(visit, "role taken from", known.id)
        return _back(known)

    async def make_password(self, visit: Administering, user: UserId) -> Response:
        """Make up a password that lets in to choose another one."""
        known = await self._other(visit, user)
        password, now = speakable(self._desk.random()), self._desk.now
        await self._desk.deeds.give_password(known.id, password, now, change_by=now + CHANGE_WITHIN)
        self._log(visit, "password made up for", known.id)
        return await self._one(visit, await self._known(user), password=password)

    async def sign_out(self, visit: Administering, user: UserId) -> Response:
        """Sign somebody out everywhere."""
        known = await self._other(visit, user)
        await self._desk.deeds.sign_out(known.id, self._desk.now)
        self._log(visit, "signed out", known.id)
        return _back(known)

    async def disable(self, visit: Administering, user: UserId) -> Response:
        """Shut somebody out."""
        known = await self._other(visit, user)
        await self._desk.deeds.disable(known.id, self._desk.now)
        self._log(visit, "shut out", known.id)
        return _back(known)

    async def enable(self, visit: Administering, user: UserId) -> Response:
        """Let somebody in again."""
        known = await self._other(visit, user)
        await self._desk.accounts.enable(known.id)
        self._log(visit, "let in again", known.id)
        return _back(known)

    async def _list(self, visit: Visit, filled: Mapping[str, str], trouble: str) -> Response:
        directory, now_ms = visit.services.directory(), self._desk.clock.now_ms()
        seen = await self._desk.sessions.last_seen()
        everybody = [facts_of(each, seen) for each in await self._desk.accounts.all()]
        lines = [user_line(each, directory, now_ms, visit.words) for each in everybody]
        view = UsersView(
            lines=lines, form=grant_form(directory, visit.words), trouble=trouble, filled=dict(filled)
        )  # fmt: skip
        status = HTTPStatus.UNPROCESSABLE_ENTITY if trouble else HTTPStatus.OK
        return await page(visit, self._pages, "users.html", view, status=status)

    async def _one(self, visit: Visit, user: Account, *, password: str = "", trouble: str = "") -> Response:
        directory, now_ms = visit.services.directory(), self._desk.clock.now_ms()
        facts = facts_of(user, await self._desk.sessions.last_seen(user.id))
        view = UserView(
            line=user_line(facts, directory, now_ms, visit.words),
            grants=grant_lines(user.grants, directory, visit.words),
            form=grant_form(directory, visit.words),
            disabled=user.disabled,
            own=_is_own(visit, user.id),
            password=password,
            trouble=trouble,
        )
        status = HTTPStatus.UNPROCESSABLE_ENTITY if trouble else HTTPStatus.OK
        response = await page(visit, self._pages, "user.html", view, status=status)
        if password:
            response.headers.update(NO_STORE)
        return response

    async def _known(self, user: str) -> Account:
        found = await self._desk.accounts.get(user)
        if found is None:
            raise NotFoundError("user", user)
        return found

    async def _other(self, visit: Visit, user: str) -> Account:
        """Return who is to be changed: nobody locks the last administrator out who cannot change himself."""
        visit.require_everywhere(Role.ADMINISTRATOR)
        if _is_own(visit, user):
            raise NotAllowedError("Another administrator changes what you may do yourself.")
        return await self._known(user)

    def _log(self, visit: Visit, deed: str, user: str) -> None:
        logger.info("user %s: %s, by %s", deed, user, visit.origin("page"))


def facts_of(account: Account, seen: Mapping[str, datetime]) -> UserFacts:
    """Return what the list shows of an account."""
    return UserFacts(
        id=account.id,
        name=account.name,
        grants=account.grants,
        disabled=account.disabled,
        has_password=bool(account.secret),
        must_choose=account.change_by is not None,
        seen_at=seen.get(account.id),
    )


def grant_of(form: Mapping[str, str], directory: Directory, words: Words) -> Grant:
    """Return the role in a place that a form says; raise ``AccountError`` in words for who filled it in."""
    role = next((each for each in Role if each.word == form.get("role")), None)
    if role is None:
        raise AccountError(words("Choose a role."))
    scope, written = form.get("scope", ""), form.get("place", "").strip()
    place = place_meant(scope, written, directory)
    if place is not None:
        return Grant(role, place)
    if not scope:
        raise AccountError(words("Choose what kind of place {name} is.", name=written))
    raise AccountError(words("There is no such place, or more than one: {name}", name=written))


def _is_own(visit: Visit, user: str) -> bool:
    return visit.principal.id == f"user:{user}"


def _back(user: Account) -> Response:
    return RedirectResponse(f"/users/{user.id}", HTTPStatus.SEE_OTHER)

"""The page on which an administrator looks after the tokens of programs."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from api.access.desk import AccessDesk
from api.page_parts import form_of, page
from api.problems import NotFoundError
from api.user_pages import NO_STORE, grant_of
from api.visit import Administering, Visit
from dashboards.pages.render import Pages
from dashboards.pages.users import TokenFacts, TokensView, grant_form, token_lines
from dashboards.pages.words import Words
from domain.access import Role
from registry.accounts import AccountError
from registry.api_tokens import PREFIX, ApiToken
from registry.credentials import token_mark

logger = logging.getLogger(__name__)


class TokenPages:
    """The routes; each takes an administrator of the whole country."""

    def __init__(self, pages: Pages, desk: AccessDesk) -> None:
        self._pages, self._desk = pages, desk

    def routes(self) -> APIRouter:
        """Return the routes under ``/tokens``."""
        router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
        router.get("/tokens")(self.show)
        router.post("/tokens")(self.add)
        router.post("/tokens/{number}/revoke")(self.revoke)
        return router

    async def show(self, visit: Administering) -> Response:
        """Show the tokens."""
        visit.require_everywhere(Role.ADMINISTRATOR)
        return await self._page(visit)

    async def add(self, visit: Administering, request: Request) -> Response:
        """Make a token and show it, this once."""
        visit.require_everywhere(Role.ADMINISTRATOR)
        form = form_of(await request.body())
        try:
            name, days = _name_and_days(form, visit.words)
            grant = grant_of(form, visit.services.directory(), visit.words)
        except AccountError as error:
            return await self._page(visit, filled=form, trouble=str(error))
        token, now = PREFIX + self._desk.random(), self._desk.now
        ends = None if days is None else now + timedelta(days=days)
        new = ApiToken(token_mark(token), name, frozenset({grant}), now, visit.principal.name, ends)
        number = await self._desk.tokens.issue(new)
        logger.info("token %s issued, by %s", number, visit.origin("page"))
        return await self._page(visit, token=token)

    async def revoke(self, visit: Administering, number: Annotated[int, Path(ge=1, lt=2**31)]) -> Response:
        """Let a token in no more."""
        visit.require_everywhere(Role.ADMINISTRATOR)
        if not await self._desk.tokens.revoke(number, self._desk.now):
            raise NotFoundError("token", number)
        logger.info("token %s revoked, by %s", number, visit.origin("page"))
        return RedirectResponse("/tokens", HTTPStatus.SEE_OTHER)

    async def _page(
        self, visit: Visit, *, token: str = "", filled: Mapping[str, str] | None = None, trouble: str = ""
    ) -> Response:
        directory, now = visit.services.directory(), self._desk.now
        tokens = [
            TokenFacts(each.id, each.name, each.grants, each.expires_at, each.issued_by, each.valid(now))
            for each in await self._desk.tokens.all()
        ]
        view = TokensView(
            lines=token_lines(tokens, directory, self._desk.clock.now_ms(), visit.words),
            form=grant_form(directory, visit.words),
            token=token,
            trouble=trouble,
            filled=dict(filled or {}),
        )
        status = HTTPStatus.UNPROCESSABLE_ENTITY if trouble else HTTPStatus.OK
        response = await page(visit, self._pages, "tokens.html", view, status=status)
        if token:
            response.headers.update(NO_STORE)
        return response


def _name_and_days(form: Mapping[str, str], words: Words) -> tuple[str, int | None]:
    name, days = form.get("name", "").strip()[:80], form.get("days", "").strip()
    if not name:
        raise AccountError(words("Write the name of the program."))
    if days and not (days.isascii() and days.isdecimal() and 0 < int(days) <= 9999):
        raise AccountError(words("Days are a number from 1 to 9999."))
    return name, int(days) if days else None

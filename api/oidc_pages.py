"""The way to the provider and back, over HTTP."""

from __future__ import annotations

import hmac
import logging
from http import HTTPStatus
from typing import Annotated
from urllib.parse import quote, unquote

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from api.access.cookies import errand_kept, keep_errand
from api.access.desk import AccessDesk
from api.access.oidc import Errand, Provider, SingleSignOnError
from api.access.oidc_people import account_meant, name_claimed
from api.page_parts import local_path
from api.sign_in_page import SignInForm, device_of, signed_in, words_for
from dashboards.pages.words import Words, noop
from registry.accounts import Account

logger = logging.getLogger(__name__)

BACK = "/sign-in/oidc/back"
_TROUBLE = noop("The single sign-on does not work at the moment. Try again later, or tell whoever runs the service.")
_LOST = noop("This took too long, or was not begun in this browser. Try again.")
_UNKNOWN = noop("The single sign-on knows you, but nobody has let you in here yet. Ask an administrator.")
_REFUSED = noop("The single sign-on did not let you in.")


def oidc_routes(form: SignInForm, desk: AccessDesk, provider: Provider) -> APIRouter:
    """Return the routes under ``/sign-in/oidc``."""
    router = APIRouter(include_in_schema=False)

    @router.get("/sign-in/oidc")
    async def leave(request: Request, next_: Annotated[str, Query(alias="next", max_length=1000)] = "") -> Response:
        errand, wanted = Errand(desk.random(), desk.random(), desk.random()), local_path(next_, "/")
        try:
            address = await provider.address(errand, _back(request))
        except SingleSignOnError as error:
            logger.warning("single sign-on failed: %s", error)
            return await form.refuse(request, wanted, _said(request, _TROUBLE), HTTPStatus.SERVICE_UNAVAILABLE)
        response = RedirectResponse(address, HTTPStatus.SEE_OTHER)
        keep_errand(response, request, ".".join((*errand, quote(wanted, safe=""))))
        return response

    @router.get(BACK)
    async def come_back(
        request: Request,
        state: Annotated[str, Query(max_length=200)] = "",
        code: Annotated[str, Query(max_length=4000)] = "",
    ) -> Response:
        errand, wanted = _errand(errand_kept(request))
        if errand is None or not hmac.compare_digest(errand.state.encode(), state.encode()):
            response = await form.refuse(request, wanted, _said(request, _LOST), HTTPStatus.BAD_REQUEST)
        elif not code:
            logger.warning("single sign-on refused: %.200r", request.query_params.get("error", ""))
            response = await form.refuse(request, wanted, _said(request, _REFUSED), HTTPStatus.FORBIDDEN)
        else:
            response = await arrive(request, errand, code, wanted)
        keep_errand(response, request, "")
        return response

    async def arrive(request: Request, errand: Errand, code: str, wanted: str) -> Response:
        try:
            account = await _meant(desk, provider, errand, code, _back(request))
        except SingleSignOnError as error:
            logger.warning("single sign-on failed: %s", error)
            return await form.refuse(request, wanted, _said(request, _TROUBLE), HTTPStatus.SERVICE_UNAVAILABLE)
        if account is None:
            return await form.refuse(request, wanted, _said(request, _UNKNOWN), HTTPStatus.FORBIDDEN)
        return signed_in(request, desk, await desk.admit(account, device_of(request)), wanted)

    return router


async def _meant(desk: AccessDesk, provider: Provider, errand: Errand, code: str, back: str) -> Account | None:
    """Return who came back, kept as they are to be from now on; None for nobody who may sign in."""
    claims = await provider.claims(errand, code, back)
    name = name_claimed(claims, provider.settings)
    if name is None:
        logger.warning("single sign-on refused: the claim %s is no sign-in name", provider.settings.claim)
        return None
    known = await desk.accounts.get(name)
    account = account_meant(known, name, claims, provider.settings, desk.now)
    if account is None or account.disabled:
        logger.warning("single sign-on refused: %s", name)
        return None
    if known is None:
        await desk.accounts.add(account)
    elif known.grants != account.grants:
        await desk.accounts.set_grants(account.id, account.grants)
    return account


def _errand(kept: str) -> tuple[Errand | None, str]:
    """Return what the browser kept, and where it was going."""
    parts = kept.split(".")
    if len(parts) != 4 or not all(parts):
        return None, "/"
    return Errand(*parts[:3]), local_path(unquote(parts[3]), "/")


def _back(request: Request) -> str:
    return str(request.url.replace(path=BACK, query="", fragment=""))


def _said(request: Request, sentence: str) -> str:
    words: Words = words_for(request)
    return words(sentence)

"""The link in a message: it opens one alert, for the person to whom it was sent, without signing in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Path, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from api.access.cookies import keep_link, link_kept
from api.services import Services
from api.visit import Recognise
from dashboards.pages.render import Frame, Pages
from dashboards.pages.words import Words
from domain.access import NOBODY, Grant, Principal, Role
from domain.alert_link import Opened, open_link
from domain.instant import to_datetime
from domain.places import Place

PREFIX: Final = "/a/"
Token = Annotated[str, Path(max_length=60)]


@dataclass(frozen=True, slots=True)
class LinkView:
    """The page of a link that opens nothing; its words are the template's."""


@dataclass(frozen=True)
class AlertLinks:
    """Knows the links that this service wrote."""

    key: bytes
    services: Services
    """Not narrowed: whoever comes by a link is only recognised here."""

    def opened(self, token: str) -> Opened | None:
        """Return what a token opens now."""
        contacts = self.services.directory().contacts
        return open_link(self.key, token, contacts, to_datetime(self.services.clock.now_ms()))

    async def principal(self, token: str) -> Principal | None:
        """Return who came by a link: the contact, as technician of the one facility of its alert."""
        opened = self.opened(token)
        alert = None if opened is None else await self.services.alert(opened.alert)
        if opened is None or alert is None or alert.facility not in self.services.directory().facilities:
            return None
        contact = self.services.directory().contacts[opened.contact]
        grants = frozenset({Grant(Role.TECHNICIAN, Place(facility=alert.facility))})
        return Principal(f"link:{contact.id}", contact.name, grants, contact.language)

    def recognise(self, otherwise: Recognise) -> Recognise:
        """Return what recognises those who signed in, and else those who came by a link."""

        async def recognise(request: Request) -> Principal | None:
            found = await otherwise(request)
            token = link_kept(request)
            return found if found is not None or not token else await self.principal(token)

        return recognise


def link_routes(pages: Pages, links: AlertLinks, words: Callable[[Request, Principal | None], Words]) -> APIRouter:
    """Return ``/a/{token}``, which is for everybody: the token says who it is."""
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

    @router.get("/a/{token}")
    async def follow(request: Request, token: Token) -> Response:
        opened = links.opened(token)
        if opened is None or await links.principal(token) is None:
            frame = Frame(words=words(request, None), principal=NOBODY)
            text = pages.write("link_over.html", LinkView(), frame)
            return HTMLResponse(text.encode("utf-8", "replace"), HTTPStatus.GONE)
        response = RedirectResponse(f"/alerts/{opened.alert}", HTTPStatus.SEE_OTHER)
        left = opened.until - to_datetime(links.services.clock.now_ms())
        keep_link(response, request, token, left)
        return response

    return router

"""One request and who asks: every route that is not for everybody says here which role it takes.

``async def show(visit: Viewing)`` gets the services narrowed to what that person may see.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Request

from api.problems import NotAllowedError, RequestError
from api.services import Services
from api.sight import services_for
from dashboards.pages.words import Words, noop
from domain.access import EVERYBODY, Principal, Role


class SignInNeededError(RequestError):
    """Nobody is signed in, and this is not for everybody."""

    page = "/sign-in"

    def __init__(self, sentence: str = "Sign in first, or send an API token as Authorization: Bearer TOKEN.") -> None:
        super().__init__(HTTPStatus.UNAUTHORIZED, sentence, {"WWW-Authenticate": 'Bearer realm="vitals"'})


@dataclass(frozen=True, slots=True)
class Visit:
    """Who asks, and what they are shown."""

    principal: Principal
    services: Services
    """Narrowed to the facilities for which the role of the route is given."""
    words: Words
    request: Request

    def may(self, role: Role, facility: str) -> bool:
        """Tell whether this role is given for a facility that is in sight."""
        return self.principal.may(role, self.services.directory().facilities.get(facility))

    def sees(self, facility: str) -> bool:
        """Tell whether a facility is in sight now; one that is not registered any more only for those who see all."""
        return self.principal.may_everywhere(Role.VIEWER) or facility in self.services.directory().facilities

    async def goes_on(self) -> bool:
        """Tell whether the same one would still be recognised, with the same grants."""
        door: Door = self.request.app.state.door
        try:
            now = await door.recognise(self.request)
        except RequestError:
            return False
        return now is not None and (now.id, now.grants) == (self.principal.id, self.principal.grants)

    def require_everywhere(self, role: Role) -> None:
        """Raise ``NotAllowedError`` unless the role is given for all there is."""
        if not self.principal.may_everywhere(role):
            raise NotAllowedError(noop("This takes the role {role} for the whole country."), role=role.word)

    def signature(self, by: str) -> str:
        """Return in whose name a deed is recorded: whoever is signed in, or who a program or an open page says it is.

        Raises ``RequestError`` where that is nobody.
        """
        principal = self.principal
        name = by.strip() if principal.is_program or not principal.name else ""
        if not name and not principal.name:
            raise RequestError(HTTPStatus.UNPROCESSABLE_ENTITY, noop("Write your name, so that others know."))
        return name or principal.name

    def origin(self, way: str) -> str:
        """Return where a deed comes from, for the record of who did what: ``page 10.0.0.7 user:amina``."""
        client = self.request.client.host if self.request.client else "unknown"
        return " ".join(filter(None, (way, client, self.principal.id)))


Recognise = Callable[[Request], Awaitable[Principal | None]]
"""Returns who asks; None for somebody who did not say so."""


async def open_to_all(_: Request) -> Principal:
    """Take everybody for somebody who may do everything: where only this machine can ask."""
    return EVERYBODY


@dataclass(frozen=True, slots=True)
class Door:
    """What recognises those who ask; one stands in ``app.state.door``."""

    services: Services
    recognise: Recognise
    words: Callable[[Request, Principal | None], Words]
    """Returns in which language to answer."""

    async def visit(self, request: Request, role: Role) -> Visit:
        """Return the visit; raise ``SignInNeededError``, or ``NotAllowedError`` where the role is given nowhere."""
        principal = await self.recognise(request)
        # Errors on the way are told in the language of the visit, too.
        request.state.words = words = self.words(request, principal)
        if principal is None:
            raise SignInNeededError
        request.state.principal = principal
        if not principal.may_somewhere(role):
            raise NotAllowedError(noop("This takes the role {role}."), role=role.word)
        services = services_for(principal, role, self.services)
        return Visit(principal, services, words, request)


class Needs:
    """A dependency of a route: the visit of somebody who has a role somewhere."""

    def __init__(self, role: Role) -> None:
        self.role = role

    async def __call__(self, request: Request) -> Visit:
        """Return the visit; raises what ``Door.visit`` raises."""
        door: Door = request.app.state.door
        return await door.visit(request, self.role)


Viewing = Annotated[Visit, Depends(Needs(Role.VIEWER))]
Acting = Annotated[Visit, Depends(Needs(Role.TECHNICIAN))]
Managing = Annotated[Visit, Depends(Needs(Role.MANAGER))]
Administering = Annotated[Visit, Depends(Needs(Role.ADMINISTRATOR))]

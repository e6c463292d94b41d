"""Who asks: a program by its token, a person by the session that their browser holds."""

from __future__ import annotations

import logging
from http import HTTPStatus

from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request

from api.access.cookies import session_token
from api.access.desk import AccessDesk
from api.problems import RequestError
from api.visit import SignInNeededError
from domain.access import Principal
from registry.accounts import Account
from registry.api_tokens import PREFIX
from registry.credentials import token_mark
from registry.sessions import Session

logger = logging.getLogger(__name__)


class PasswordChangeNeededError(RequestError):
    """Somebody is signed in with a password that somebody else made up."""

    page = "/account/password"

    def __init__(self) -> None:
        super().__init__(HTTPStatus.FORBIDDEN, "Choose a password of your own first, at /account/password.")


class Recogniser:
    """Recognises whoever asks; ``await recogniser(request)``."""

    def __init__(self, desk: AccessDesk) -> None:
        self._desk = desk

    async def __call__(self, request: Request) -> Principal | None:
        """Return who asks, None for nobody; raise ``SignInNeededError`` for a token that is worth nothing.

        A request that carries a token is that program's, whatever cookies come with it.
        """
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return await self._program(token.strip())
        found = await self.session(request)
        if found is None:
            return None
        _, account = found
        if account.change_by is not None:
            raise PasswordChangeNeededError
        return principal_of(account)

    async def session(self, request: Request) -> tuple[Session, Account] | None:
        """Return the valid session of a request and whose it is, also where only the password may be changed."""
        token = session_token(request)
        found = await self._desk.sessions.find(token_mark(token)) if token else None
        if found is None:
            return None
        session, account = found
        now = self._desk.now
        if account.disabled or account.password_over(now) or not session.valid(now, self._desk.settings.lasting):
            return None
        if session.to_be_noted(now):
            await self._note(session)
        return session, account

    async def _note(self, session: Session) -> None:
        try:
            await self._desk.sessions.saw(session.mark, self._desk.now)
        except SQLAlchemyError as error:
            logger.warning("a session's use could not be noted: %s", error)

    async def _program(self, token: str) -> Principal:
        found = await self._desk.tokens.find(token_mark(token)) if token.startswith(PREFIX) else None
        if found is None or not found.valid(self._desk.now):
            raise SignInNeededError("This token is not known, is over or was revoked.")
        return Principal(f"token:{found.id}", found.name, found.grants, is_program=True)


def principal_of(account: Account) -> Principal:
    """Return somebody who signed in."""
    return Principal(f"user:{account.id}", account.name, account.grants, account.language)

"""Signing in and out: what is checked, kept and written to the log, without HTTP."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from http import HTTPStatus
from typing import Final, NamedTuple

from api.access.settings import AccessSettings
from api.access.throttle import Throttle, keys_of
from domain.instant import Clock, to_datetime
from registry.account_deeds import AccountDeeds, require_strong
from registry.accounts import Account, AccountError, AccountStore, sign_in_name
from registry.api_tokens import ApiTokenStore
from registry.credentials import token_mark
from registry.passwords import Passwords
from registry.sessions import Session, SessionStore

logger = logging.getLogger(__name__)

REFUSED: Final = "This name and password do not go together."
"""The same for a wrong name, a wrong password and somebody who is shut out: a stranger learns nothing."""


class Device(NamedTuple):
    """From where somebody signs in."""

    token: str = ""
    """What the browser was given when somebody signed in with it before."""
    address: str = ""
    browser: str = ""


class SignedIn(NamedTuple):
    """Somebody signed in: what the browser has to hold."""

    account: Account
    token: str
    device: str


class Refused(NamedTuple):
    """Somebody was not let in."""

    wait_seconds: int = 0
    """So long no further try is looked at; 0 where name and password did not go together."""

    @property
    def status(self) -> HTTPStatus:
        """Return how this is answered."""
        return HTTPStatus.TOO_MANY_REQUESTS if self.wait_seconds else HTTPStatus.FORBIDDEN


@dataclass(frozen=True)
class AccessDesk:
    """Who signs in, and what is known of them."""

    settings: AccessSettings
    clock: Clock
    accounts: AccountStore
    sessions: SessionStore
    tokens: ApiTokenStore
    random: Callable[[], str]
    """Returns a new token of 256 random bits."""
    passwords: Passwords = field(default_factory=Passwords)
    throttle: Throttle = field(default_factory=Throttle)

    @property
    def now(self) -> datetime:
        """Return the moment."""
        return to_datetime(self.clock.now_ms())

    async def sign_in(self, written: str, password: str, device: Device) -> SignedIn | Refused:
        """Let somebody in by name and password."""
        name = _folded(written)
        account = await self.accounts.get(name) if name else None
        known = account is not None and bool(device.token)
        known = known and await self.sessions.knows_device(name, token_mark(device.token))
        keys = keys_of(name, device.address, token_mark(device.token) if known else "")
        if wait_ms := self.throttle.begin(keys, self.clock.now_ms()):
            logger.warning("sign-in refused, too many tries: %s from %s", _who(account), device.address)
            return Refused(-(-wait_ms // 1000))
        if account is None or not await self._is_right(account, password):
            logger.warning("sign-in refused: %s from %s", _who(account), device.address)
            if account is None:
                await self.passwords.check(None, password)
            return Refused()
        self.throttle.succeeded(keys)
        return await self.admit(account, device)

    async def admit(self, account: Account, device: Device) -> SignedIn:
        """Begin a session of somebody who has shown who they are, always under a new token."""
        now, token, again = self.now, self.random(), device.token or self.random()
        new = Session(token_mark(token), account.id, token_mark(again), now, now, device.address, device.browser)
        await self.sessions.begin(new)
        logger.info("signed in: %s from %s", account.id, device.address)
        return SignedIn(account, token, again)

    async def sign_out(self, token: str) -> None:
        """End the session of a token."""
        await self.sessions.end(token_mark(token), self.now)

    @property
    def deeds(self) -> AccountDeeds:
        """Return what can be done to accounts."""
        return AccountDeeds(self.accounts, self.sessions, self.passwords)

    async def change_password(self, account: Account, old: str, new: str, device: Device) -> SignedIn | Refused:
        """Give somebody who is signed in another password; every session ends, and this device gets a new one.

        Raises ``WeakPasswordError`` for one that is refused.
        """
        require_strong(new, account)
        keys = keys_of(account.id, device.address, token_mark(device.token))
        if wait_ms := self.throttle.begin(keys, self.clock.now_ms()):
            return Refused(-(-wait_ms // 1000))
        if not (await self.passwords.check(account.secret, old)).right:
            logger.warning("change of password refused: %s from %s", account.id, device.address)
            return Refused()
        self.throttle.succeeded(keys)
        await self.deeds.give_password(account.id, new, self.now)
        logger.info("password changed: %s from %s", account.id, device.address)
        return await self.admit(replace(account, change_by=None), device)

    async def _is_right(self, account: Account, password: str) -> bool:
        checked = await self.passwords.check(account.secret, password)
        if not checked.right or account.disabled or account.password_over(self.now):
            return False
        if checked.newer:
            await self.accounts.rehash(account.id, account.secret, checked.newer)
        return True


def _folded(written: str) -> str:
    try:
        return sign_in_name(written)
    except AccountError:
        return ""


def _who(account: Account | None) -> str:
    # What was written is not logged: people type their password into the wrong field.
    return "an unknown name" if account is None else account.id

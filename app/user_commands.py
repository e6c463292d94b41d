"""The commands on those who sign in and on the tokens of programs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

from app.access import new_token
from app.check import planned_directory
from app.config import ServiceConfig
from app.database import make_folder, open_database
from domain.access import Grant
from domain.directory import misplaced
from domain.errors import OperatorError
from domain.instant import format_rfc3339
from domain.places import EVERYWHERE, Place
from domain.suggest import allowed_words
from registry.account_deeds import AccountDeeds, place_in_words
from registry.account_tables import create_account_tables
from registry.accounts import Account, AccountError, AccountStore, sign_in_name
from registry.api_tokens import PREFIX, ApiToken, ApiTokenStore
from registry.credentials import token_mark
from registry.passwords import Passwords
from registry.sessions import SessionStore

Say = Callable[[str], None]


@dataclass(frozen=True)
class UserCommands:
    """What can be done to users, each said in a line."""

    deeds: AccountDeeds
    now: datetime
    say: Say

    async def add(self, new: Account, password: str | None) -> None:
        """Make a user."""
        await self.deeds.add(new, password)
        self.say(f"{new.id} can sign in: {grants_in_words(new.grants)}")

    async def list(self) -> None:
        """Say who there is."""
        everybody = await self.deeds.accounts.all()
        if not everybody:
            self.say("nobody can sign in yet")
        for each in everybody:
            self.say(await self._line(each))

    async def password(self, written: str, password: str) -> None:
        """Give somebody another password."""
        known = await self._known(written)
        await self.deeds.give_password(known.id, password, self.now)
        self.say(f"{known.id} has a new password, and is signed out everywhere")

    async def grant(self, written: str, new: Grant) -> None:
        """Give somebody a role in a place."""
        known = await self._known(written)
        await self.deeds.grant(known.id, new)
        self.say(f"{known.id}: {grants_in_words((await self.deeds.known(known.id)).grants)}")

    async def revoke(self, written: str, place: Place) -> None:
        """Take a role in a place away."""
        known = await self._known(written)
        await self.deeds.revoke(known.id, place)
        self.say(f"{known.id}: {grants_in_words((await self.deeds.known(known.id)).grants)}")

    async def disable(self, written: str) -> None:
        """Shut somebody out."""
        known = await self._known(written)
        await self.deeds.disable(known.id, self.now)
        self.say(f"{known.id} cannot sign in any more, and is signed out everywhere")

    async def enable(self, written: str) -> None:
        """Let somebody in again."""
        known = await self._known(written)
        await self.deeds.accounts.enable(known.id)
        self.say(f"{known.id} can sign in again")

    async def sign_out(self, written: str) -> None:
        """End every session of somebody."""
        known = await self._known(written)
        self.say(f"{known.id} is signed out; sessions ended: {await self.deeds.sign_out(known.id, self.now)}")

    async def _known(self, written: str) -> Account:
        name = sign_in_name(written)
        found = await self.deeds.accounts.get(name)
        if found is None:
            others = [each.id for each in await self.deeds.accounts.all()]
            raise AccountError(f"there is no user {name!r}; allowed: {allowed_words(name, others)}")
        return found

    async def _line(self, account: Account) -> str:
        states = [
            "disabled" if account.disabled else "",
            "" if account.secret else "no password",
            "has to choose a password" if account.change_by else "",
        ]
        seen = (await self.deeds.sessions.last_seen(account.id)).get(account.id)
        last = "" if seen is None else f"last seen {format_rfc3339(seen)}"
        said = (f"{account.id} ({account.name})", grants_in_words(account.grants), *states, last)
        return "  ".join(each for each in said if each)


@dataclass(frozen=True)
class TokenCommands:
    """What can be done to the tokens of programs."""

    tokens: ApiTokenStore
    now: datetime
    say: Say

    async def add(self, name: str, grant: Grant, lasting: timedelta | None) -> None:
        """Make a token and say it, this once."""
        token = PREFIX + new_token()
        ends = None if lasting is None else self.now + lasting
        new = ApiToken(token_mark(token), name, frozenset({grant}), self.now, "command line", ends)
        number = await self.tokens.issue(new)
        self.say(f"token {number} of {name}: {grants_in_words(new.grants)}, {_until(ends)}")
        self.say(f"It is shown this once:\n{token}")

    async def list(self) -> None:
        """Say which tokens there are."""
        found = await self.tokens.all()
        if not found:
            self.say("no token was issued")
        for each in found:
            state = "" if each.valid(self.now) else "revoked" if each.revoked_at else "over"
            said = (f"{each.id}  {each.name}", grants_in_words(each.grants), _until(each.expires_at), state)
            self.say("  ".join(part for part in said if part))

    async def revoke(self, number: int) -> None:
        """Let a token in no more."""
        if not await self.tokens.revoke(number, self.now):
            valid = [str(each.id) for each in await self.tokens.all() if each.revoked_at is None]
            raise OperatorError(f"there is no token {number} to revoke; allowed: {allowed_words(str(number), valid)}")
        self.say(f"token {number} lets nobody in any more")


@asynccontextmanager
async def users_of(config: ServiceConfig, now: datetime, say: Say) -> AsyncIterator[UserCommands]:
    """Give the commands on the users of a service."""
    async with _accounts(config, say) as database:
        yield UserCommands(AccountDeeds(AccountStore(database), SessionStore(database), Passwords()), now, say)


@asynccontextmanager
async def tokens_of(config: ServiceConfig, now: datetime, say: Say) -> AsyncIterator[TokenCommands]:
    """Give the commands on the tokens of a service."""
    async with _accounts(config, say) as database:
        yield TokenCommands(ApiTokenStore(database), now, say)


async def require_place(config: ServiceConfig, place: Place) -> None:
    """Raise ``OperatorError`` for a place where nothing is registered, with what was probably meant."""
    if sentence := misplaced(place, await planned_directory(config)):
        raise OperatorError(sentence)


def grants_in_words(grants: Iterable[Grant]) -> str:
    """Return ``technician for district Kasese; viewer everywhere``."""
    said = (
        f"{each.role.word} {'everywhere' if each.place == EVERYWHERE else f'for {place_in_words(each.place)}'}"
        for each in grants
    )
    return "; ".join(sorted(said)) or "may do nothing"


@asynccontextmanager
async def _accounts(config: ServiceConfig, say: Say) -> AsyncIterator[AsyncEngine]:
    make_folder(config.data)
    if config.access.open:
        say("note: access.open stands in the configuration, so at present nobody has to sign in")
    async with open_database(config.database_url) as database:
        await create_account_tables(database)
        yield database


def _until(end: datetime | None) -> str:
    return "for ever" if end is None else f"until {format_rfc3339(end)}"

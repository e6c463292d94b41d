"""A world in which people sign in, on a real database, and browsers that go there."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

import httpx
from argon2 import PasswordHasher
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from api.access.desk import AccessDesk
from api.access.settings import AccessSettings
from api.create import create_api
from api.services import Services
from app.database import open_database
from domain.access import Grant, Role
from domain.instant import to_datetime
from domain.places import Place
from registry.accounts import Account, AccountStore
from registry.api_tokens import ApiToken, ApiTokenStore
from registry.credentials import token_mark
from registry.passwords import Passwords
from registry.sessions import SessionStore
from tests.api.world import World

PROGRAM = "vt_program"
PASSWORD = "seven green kettles"
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
KASESE = Grant(Role.TECHNICIAN, Place(facility="kasese-hc3"))
ADMINISTRATOR = Grant(Role.ADMINISTRATOR)
BROWSER = {"accept": "text/html", "sec-fetch-site": "same-origin"}


def counted() -> Iterator[int]:
    """Return what the tokens of a test are numbered by."""
    return itertools.count(1)


@dataclass
class Town:
    """A world whose visitors sign in."""

    world: World
    desk: AccessDesk
    services: Services
    api: FastAPI = field(init=False)

    def __post_init__(self) -> None:
        self.api = create_api(self.services, access=self.desk)

    @property
    def now(self) -> datetime:
        """Return the moment."""
        return to_datetime(self.world.clock.now_ms())

    def browser(self, address: str = "192.0.2.1", base_url: str = "http://127.0.0.1") -> httpx.AsyncClient:
        """Return a browser with cookies of its own, which says where its requests come from."""
        transport = httpx.ASGITransport(self.api, raise_app_exceptions=False, client=(address, 4711))
        return httpx.AsyncClient(transport=transport, base_url=base_url, headers=BROWSER)

    def program(self, token: str = "") -> httpx.AsyncClient:
        """Return a program that asks with a token, or without one."""
        transport = httpx.ASGITransport(self.api, raise_app_exceptions=False)
        headers = {"authorization": f"Bearer {token}"} if token else {}
        return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=headers)

    async def add(self, id_: str, *grants: Grant, name: str = "", password: str = PASSWORD, language: str = "") -> None:
        """Let somebody sign in."""
        secret = await self.desk.passwords.hash(password)
        await self.desk.accounts.add(
            Account(id_, name or id_.title(), frozenset(grants), self.now, language=language, secret=secret)
        )

    async def token(self, *grants: Grant, expires_at: datetime | None = None) -> int:
        """Let a program in."""
        new = ApiToken(token_mark(PROGRAM), "Grafana", frozenset(grants), self.now, expires_at=expires_at)
        return await self.desk.tokens.issue(new)


async def sign_in(browser: httpx.AsyncClient, name: str, password: str = PASSWORD, next_: str = "") -> httpx.Response:
    """Fill in the form."""
    return await browser.post("/sign-in", data={"name": name, "password": password, "next": next_})


async def a_town(engine: AsyncEngine, settings: AccessSettings | None = None) -> Town:
    """Return a world whose accounts are in a database."""
    world, numbers = World(), counted()
    accounts = AccountStore(engine)
    await accounts.create_tables()
    desk = AccessDesk(
        settings or AccessSettings(), world.clock, accounts, SessionStore(engine), ApiTokenStore(engine),
        random=lambda: f"secret-{next(numbers)}", passwords=Passwords(QUICK),
    )  # fmt: skip
    return Town(world, desk, world.services())


@asynccontextmanager
async def a_sqlite_town(path: str, settings: AccessSettings | None = None) -> AsyncIterator[Town]:
    """Give a world whose accounts are in a fresh file."""
    async with open_database(f"sqlite+aiosqlite:///{path}") as engine:
        yield await a_town(engine, settings)

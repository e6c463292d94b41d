"""Signing in, put together."""

from __future__ import annotations

import secrets

from sqlalchemy.ext.asyncio import AsyncEngine

from api.access.desk import AccessDesk
from api.access.settings import AccessSettings
from domain.instant import Clock
from registry.accounts import AccountStore
from registry.api_tokens import ApiTokenStore
from registry.sessions import SessionStore

FIRST_USER = "vitals user add NAME --role administrator --config vitals.yaml"
"""How the first one who can sign in is made."""


def new_token() -> str:
    """Return 256 random bits as text."""
    return secrets.token_urlsafe(32)


async def open_access(database: AsyncEngine, settings: AccessSettings, clock: Clock) -> AccessDesk | None:
    """Return where people sign in; None where nobody does."""
    if settings.open:
        return None
    accounts = AccountStore(database)
    await accounts.create_tables()
    return AccessDesk(settings, clock, accounts, SessionStore(database), ApiTokenStore(database), new_token)

"""The tokens that are valid now, in memory: an HTTP sender's node is known without a look into the database."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from sqlalchemy.exc import SQLAlchemyError

from domain.instant import Clock, to_datetime
from registry.credentials import CredentialStore, token_mark, tokens_of

log = logging.getLogger(__name__)

LOOK_SECONDS = 3.0
"""So long a revoked token may still be taken."""


class TokenView:
    """Looks again and again, also for what other processes issue and revoke."""

    def __init__(self, store: CredentialStore, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._nodes: Mapping[str, str] = {}

    async def refresh(self) -> None:
        """Read which tokens are valid at this moment."""
        self._nodes = tokens_of(await self._store.all(), to_datetime(self._clock.now_ms()))

    def node_of(self, token: str) -> str | None:
        """Return whose token it is; None for one that lets nobody in.

        Compared are hashes of random tokens: how long the look-up takes tells nothing about them.
        """
        return self._nodes.get(token_mark(token))

    async def run(self) -> None:
        """Look until cancelled; while the database is away, what was known stays in force."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.refresh()
            except (SQLAlchemyError, OSError) as error:
                log.warning("tokens could not be looked at: %s", error)

"""Warns before a certificate runs out: in the log at the start and daily, and in the metrics all the time."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from sqlalchemy.exc import SQLAlchemyError

from app.config import ServiceConfig
from app.issuing.expiry import Expiry, expiries, warnings
from domain.errors import OperatorError
from domain.instant import DAY_MS, Clock, to_datetime
from registry.credentials import CredentialStore

log = logging.getLogger(__name__)

LOOK_SECONDS = 600.0


class CertificateWatch:
    """Looks again and again, also for what other processes issue."""

    def __init__(self, config: ServiceConfig, store: CredentialStore, clock: Clock) -> None:
        self._config, self._store, self._clock = config, store, clock
        self._warned_at_ms: int | None = None
        self.found: Sequence[Expiry] = ()
        """When every certificate in use runs out, as of the last look."""

    async def run(self) -> None:
        """Look until cancelled; what cannot be looked at is looked at again."""
        while True:
            try:
                await self.look()
            except (OperatorError, SQLAlchemyError, OSError) as error:
                log.warning("certificates could not be looked at: %s", error)
            await self._clock.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """See what there is, and warn where the last warning is a day old."""
        now_ms = self._clock.now_ms()
        now = to_datetime(now_ms)
        self.found = expiries(self._config, await self._store.all())
        if self._warned_at_ms is not None and now_ms - self._warned_at_ms < DAY_MS:
            return
        self._warned_at_ms = now_ms
        for sentence in warnings(self.found, now):
            log.warning("%s", sentence)

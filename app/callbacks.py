"""From a gateway's request to what it says: the channel it is for, its secret, and everything kept before we answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from pydantic import BaseModel

from alerts.notifiers.callbacks import CallbackSettings
from alerts.notifiers.notifier import Callback, DeliveryReport, Heard, IncomingText
from alerts.notifiers.signing import same
from alerts.notifiers.table import NOTIFIERS, Row
from api.services import HearCallback


def hear_callbacks(
    configured: BaseModel, heard: Callable[[DeliveryReport | IncomingText], Awaitable[None]]
) -> HearCallback | None:
    """Return what takes the requests of the gateways of configured notifiers; None where none is let in.

    ``heard`` returns once an event is kept and raises where it could not be: then the gateway is not told that we have
    it, and tells us again.
    """
    listening = {row.name: (row, settings) for row in NOTIFIERS if (settings := _let_in(row, configured)) is not None}
    if not listening:
        return None

    async def hear(channel: str, token: str, callback: Callback) -> Heard | None:
        row, settings = listening.get(channel, (None, None))
        secret = settings.callback_token if settings else None
        if row is None or row.hear is None or secret is None or not same(token, secret.get_secret_value()):
            return None
        said = row.hear(settings, callback)
        for event in said.events:
            await heard(event)
        return said

    return hear


def _let_in(row: Row, configured: BaseModel) -> CallbackSettings | None:
    settings = getattr(configured, row.name)
    if row.hear is None or not isinstance(settings, CallbackSettings) or settings.callback_token is None:
        return None
    return settings

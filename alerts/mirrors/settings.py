"""Which mirrors there are, and what opens them."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
from pydantic import BaseModel, ConfigDict

from alerts.mirrors.alertmanager import AlertmanagerMirror, AlertmanagerSettings
from alerts.mirrors.mirror import Mirror
from alerts.mirrors.topic import TopicMirror, TopicSettings


class MirrorsSettings(BaseModel):
    """Places that show the state of the alerts; each is off where nothing is said."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    alertmanager: AlertmanagerSettings | None = None
    topic: TopicSettings | None = None


@asynccontextmanager
async def open_mirrors(
    settings: MirrorsSettings,
    *,
    facilities: Callable[[], Iterable[str]],
    unix_seconds: Callable[[], float] = time.time,
) -> AsyncIterator[Sequence[Mirror]]:
    """Open what the settings turn on and close it at the end; ``facilities`` returns the ids of all facilities."""
    mirrors: list[Mirror] = []
    async with AsyncExitStack() as stack:
        if settings.alertmanager is not None:
            timeout = aiohttp.ClientTimeout(total=settings.alertmanager.timeout_real_seconds)
            session = await stack.enter_async_context(aiohttp.ClientSession(timeout=timeout))
            mirrors += [
                AlertmanagerMirror(settings.alertmanager, str(url), session, unix_seconds)
                for url in settings.alertmanager.urls
            ]
        if settings.topic is not None:
            topic = TopicMirror(settings.topic, facilities)
            stack.push_async_callback(topic.close)
            mirrors.append(topic)
        yield mirrors

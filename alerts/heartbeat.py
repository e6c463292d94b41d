"""Dead man's switch: pings an address outside while the alerting path lives, so that its silence raises an alarm there.

Whoever watches from outside (a check of healthchecks.io's kind, another site's monitor) tells people when pings stop.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Literal, NamedTuple

import aiohttp
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from domain.instant import Clock

log = logging.getLogger(__name__)

_SENTENCE = 500


class HeartbeatSettings(BaseModel):
    """Where to ping, and how often."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: SecretStr
    """Whoever knows it can pretend to be us, so it is a secret."""
    every_seconds: float = Field(default=60.0, gt=0, le=86400)
    method: Literal["GET", "HEAD", "POST"] = "GET"
    timeout_real_seconds: float = Field(default=10.0, gt=0, le=300)
    fail_suffix: str = ""
    """Appended to ``url`` to say at once that something is wrong (``/fail``); empty: silence says it."""

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, url: SecretStr) -> SecretStr:
        if not url.get_secret_value().startswith(("http://", "https://")):
            raise ValueError("write it as https://host/path")
        return url


class Vitality(NamedTuple):
    """What is known of the alerting path at one moment."""

    judged_ago: timedelta | None
    """Since the rules last had a look; None: not yet."""
    database_error: str
    """Empty: it can be written."""
    oldest_due_ago: timedelta
    """For how long the oldest notification that is due has waited; zero where none is."""


def ailment(vitality: Vitality, *, longest_silence: timedelta, longest_wait: timedelta) -> str:
    """Return what is wrong with the alerting path, for a person; empty where it lives."""
    if vitality.database_error:
        return f"the database cannot be written: {vitality.database_error}"
    if vitality.judged_ago is None:
        return "the rules have not judged yet"
    if vitality.judged_ago > longest_silence:
        return f"the rules have not judged for {vitality.judged_ago.total_seconds():.0f} s"
    if vitality.oldest_due_ago > longest_wait:
        return f"a notification has been due for {vitality.oldest_due_ago.total_seconds():.0f} s"
    return ""


class Ping(NamedTuple):
    """A request to make."""

    method: str
    url: str
    body: bytes


def ping_for(settings: HeartbeatSettings, ill: str) -> Ping | None:
    """Return what to send for this ailment (empty: none); None where silence says it."""
    url = settings.url.get_secret_value()
    if not ill:
        return Ping(settings.method, url, b"")
    if settings.fail_suffix:
        return Ping("POST", url.rstrip("/") + settings.fail_suffix, ill[:_SENTENCE].encode())
    return None


async def beat(settings: HeartbeatSettings, healthy: Callable[[], Awaitable[str]], clock: Clock) -> None:
    """Ping until cancelled; ``healthy`` returns what is wrong, or nothing."""
    timeout = aiohttp.ClientTimeout(total=settings.timeout_real_seconds)
    said = ""
    async with aiohttp.ClientSession(timeout=timeout) as session:
        while True:
            ill = await _examined(healthy, settings.timeout_real_seconds)
            problem = await _sent(session, ping_for(settings, ill)) or ill
            if problem != said:
                log.warning("heartbeat: %s", problem or "well again")
            said = problem
            await clock.sleep(settings.every_seconds)


async def _examined(healthy: Callable[[], Awaitable[str]], limit_seconds: float) -> str:
    try:
        async with asyncio.timeout(limit_seconds):
            return await healthy()
    except TimeoutError:
        return f"the examination took longer than {limit_seconds:g} s"
    except Exception as error:
        # Who cannot say that all is well must not claim it.
        log.exception("heartbeat: the examination failed")
        return f"the examination failed: {type(error).__name__}"


async def _sent(session: aiohttp.ClientSession, ping: Ping | None) -> str:
    """Return why the ping did not arrive, without its address; empty where it did."""
    if ping is None:
        return ""
    try:
        async with session.request(ping.method, ping.url, data=ping.body or None) as response:
            return "" if response.ok else f"the ping was answered with {response.status}"
    except TimeoutError:
        return "the ping was not answered in time"
    except aiohttp.ClientError as error:
        return f"the ping did not arrive: {type(error).__name__}"

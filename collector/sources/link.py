"""A connection to the broker that is made again and again."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable
from typing import Protocol

import aiomqtt

from collector import backoff
from collector.settings import MqttSourceSettings
from collector.sources.paho_socket import FastClient
from domain.errors import OperatorError, PeerError

log = logging.getLogger(__name__)


class User(Protocol):
    """Who uses a link."""

    async def ready(self) -> None:
        """Return when a connection is worth making."""

    def on_message(self, topic: str, payload: bytes, retained: bool) -> None:
        """Take a message."""

    def on_published(self, message_id: int) -> None:
        """Learn that the broker has what was published under this id."""

    async def connected(self, client: aiomqtt.Client, fast: FastClient) -> None:
        """Learn that there is a connection; may subscribe."""

    def disconnected(self) -> None:
        """Learn that there is none any more, or that none came about."""


class Link:
    """Keeps one user connected under one client id, with growing pauses between attempts."""

    def __init__(
        self,
        settings: MqttSourceSettings,
        name: str,
        user: User,
        *,
        keeps_session: bool,
        tls: ssl.SSLContext | None,
        jitter: Callable[[], float],
    ) -> None:
        """``keeps_session``: the broker keeps subscriptions and messages while the link is down."""
        self._settings, self._name, self._user = settings, name, user
        self._keeps_session, self._tls, self._jitter = keeps_session, tls, jitter

    async def run(self) -> None:
        """Stay connected until cancelled."""
        waits = self._fresh_waits()
        while True:
            await self._user.ready()
            try:
                await self._session(self._user.connected)
            except _LostError as lost:
                waits = self._fresh_waits()
                log.warning("MQTT %s: lost %s:%d: %s", self._name, self._settings.host, self._settings.port, lost)
            except (aiomqtt.MqttError, PeerError, OSError) as error:
                log.warning("MQTT %s: %s:%d: %s", self._name, self._settings.host, self._settings.port, error)
            stop_if_cancelled()
            await asyncio.sleep(next(waits))

    async def _session(self, connected: Callable[[aiomqtt.Client, FastClient], Awaitable[None]]) -> None:
        """Connect and stay until the connection ends, which raises ``_LostError``, or does not come about."""
        client = new_client(self._settings, self._name, keeps_session=self._keeps_session, tls=self._tls)
        fast = FastClient(client, self._user.on_message, self._user.on_published)
        try:
            async with client:
                stop_if_cancelled()
                await connected(client, fast)
                stop_if_cancelled()
                log.info("MQTT %s: connected to %s:%d", self._name, self._settings.host, self._settings.port)
                try:
                    async for _ in client.messages:  # ends with the connection; messages go to on_message instead
                        log.error("MQTT %s: a message came past its reader", self._name)
                except aiomqtt.MqttError as error:
                    raise _LostError(str(error)) from error
        finally:
            self._user.disconnected()

    def _fresh_waits(self) -> backoff.Waits:
        return backoff.waits(self._settings.reconnect_first, self._settings.reconnect_longest, self._jitter)


class _LostError(PeerError):
    """A connection that had been made came to its end."""


def stop_if_cancelled() -> None:
    """Be cancelled now, where ``asyncio.wait_for`` inside aiomqtt has swallowed it (Python 3.11, bpo-37658).

    It does so when what it waits for completes in the same turn of the event loop, as many things do under load.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def new_client(
    settings: MqttSourceSettings, name: str, *, keeps_session: bool, tls: ssl.SSLContext | None
) -> aiomqtt.Client:
    """Return a client for one connection: used for a second one it would deliver its old queue again."""
    username, password = settings.credentials
    return aiomqtt.Client(
        settings.host,
        settings.port,
        username=username,
        password=password,
        identifier=f"{settings.client_id}-{name}",
        clean_session=not keeps_session,
        keepalive=max(1, round(settings.keepalive.total_seconds())),
        tls_context=tls,
    )


def tls_context(settings: MqttSourceSettings) -> ssl.SSLContext | None:
    """Return the TLS context that the settings ask for; raise ``OperatorError`` where its files cannot be used."""
    if not settings.tls:
        return None
    try:
        context = ssl.create_default_context(cafile=settings.ca_file)
        if settings.certificate_file is not None:
            context.load_cert_chain(settings.certificate_file, settings.key_file)
    except OSError as error:
        raise OperatorError(f"the certificate files of the broker connection cannot be used: {error}") from error
    return context

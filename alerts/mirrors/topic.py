"""Show the alerts of each facility as a retained MQTT message: for sirens, lamps and displays on site."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import aiomqtt
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from alerts.mirrors.mirror import Shown
from domain.errors import OperatorError, PeerError
from domain.instant import format_rfc3339
from domain.topics import FACILITY_ROOT

PREFIX = FACILITY_ROOT
"""Everything that displays may read."""
STATUS_TOPIC = f"{PREFIX}/status"
"""``online``, or ``offline`` (the last will): whether what the other topics say is kept up to date."""
_PORTS = {"mqtt": 1883, "mqtts": 8883}
_ONLINE, _OFFLINE = b'{"status":"online"}', b'{"status":"offline"}'


class TopicSettings(BaseModel):
    """Which broker, and as whom."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = "mqtt://127.0.0.1:1883"
    """``mqtt://host:port``, or ``mqtts://host:port`` for TLS."""
    username: str | None = None
    password: SecretStr | None = None
    ca_file: Path | None = None
    """Certificate authority of the broker, where the system does not know it."""
    client_id: str = Field(default="vitals-mirror", min_length=1, max_length=60)
    repeat_real_seconds: float = Field(default=15.0, gt=0, le=600)
    """How often to make sure that the broker is still there."""
    timeout_real_seconds: float = Field(default=10.0, gt=0, le=300)
    displays: tuple[str, ...] = ()
    """Nodes that ``vitals broker config`` lets read the alerts of all facilities: sirens, lamps, screens."""

    @field_validator("url")
    @classmethod
    def _is_a_broker(cls, url: str) -> str:
        if urlsplit(url).scheme not in _PORTS or not urlsplit(url).hostname:
            raise ValueError("write the broker as mqtt://host:port or mqtts://host:port")
        return url


class TopicMirror:
    """Publishes what changed; all of it after a connection was made."""

    name = "topic"

    def __init__(self, settings: TopicSettings, facilities: Callable[[], Iterable[str]]) -> None:
        """``facilities`` returns the ids of all that are registered: a well one has an empty list, not no message."""
        self._settings, self._facilities = settings, facilities
        self.repeat_real_seconds = settings.repeat_real_seconds
        self._client: aiomqtt.Client | None = None
        self._published: dict[str, bytes] = {}

    async def show(self, state: Sequence[Shown]) -> None:
        """Bring the broker up to date."""
        wanted = documents(state, self._facilities())
        try:
            client = self._client or await self._connect()
            for topic in self._published.keys() - wanted.keys():
                await client.publish(topic, b"", qos=1, retain=True)
                del self._published[topic]
            for topic, payload in wanted.items():
                if self._published.get(topic) != payload:
                    await client.publish(topic, payload, qos=1, retain=True)
                    self._published[topic] = payload
            await client.publish(STATUS_TOPIC, _ONLINE, qos=1, retain=True)
        except (aiomqtt.MqttError, OSError) as error:
            await self._drop()
            raise PeerError(f"{self._settings.url}: {error}") from error

    async def close(self) -> None:
        """Say goodbye; without a goodbye the broker says it for us."""
        if self._client is not None:
            with suppress(aiomqtt.MqttError, OSError):
                await self._client.publish(STATUS_TOPIC, _OFFLINE, qos=1, retain=True)
        await self._drop()

    async def _connect(self) -> aiomqtt.Client:
        settings = self._settings
        parts = urlsplit(settings.url)
        client = aiomqtt.Client(
            parts.hostname or "",
            parts.port or _PORTS[parts.scheme],
            username=settings.username,
            password=settings.password.get_secret_value() if settings.password else None,
            identifier=settings.client_id,
            tls_context=_tls(settings) if parts.scheme == "mqtts" else None,
            timeout=settings.timeout_real_seconds,
            will=aiomqtt.Will(STATUS_TOPIC, _OFFLINE, qos=1, retain=True),
        )
        await client.__aenter__()
        self._client = client
        self._published = {}
        return client

    async def _drop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            with suppress(aiomqtt.MqttError, OSError):
                await client.__aexit__(None, None, None)


def topic_of(facility: str) -> str:
    """Return the topic of a facility; signs that mean something in topics are written as in a URL."""
    return f"{PREFIX}/{quote(facility, safe='')}/alerts"


def documents(state: Sequence[Shown], facilities: Iterable[str]) -> dict[str, bytes]:
    """Return the message of every facility, by topic."""
    alerts: dict[str, list[Shown]] = {facility: [] for facility in facilities}
    for each in state:
        alerts.setdefault(each.facility, []).append(each)
    return {topic_of(facility): _document(found) for facility, found in alerts.items()}


def _document(alerts: Sequence[Shown]) -> bytes:
    worst = max((alert.severity for alert in alerts), default=None)
    found = {
        "worst": worst.label if worst else None,
        "count": len(alerts),
        "unacknowledged": sum(not alert.acknowledged_by for alert in alerts),
        "alerts": [_line(alert) for alert in alerts],
    }
    return json.dumps(found, ensure_ascii=False, separators=(",", ":")).encode()


def _line(alert: Shown) -> dict[str, Any]:
    return {
        "reference": alert.reference,
        "title": alert.title,
        "severity": alert.severity.label,
        "subject": alert.subject,
        "equipment": alert.equipment,
        "since": format_rfc3339(alert.since),
        "state": alert.state.value,
    }


def _tls(settings: TopicSettings) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=settings.ca_file)
    except OSError as error:
        raise OperatorError(f"ca_file {settings.ca_file} cannot be used: {error}") from error

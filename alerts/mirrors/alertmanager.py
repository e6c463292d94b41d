"""Show the alerts in Prometheus's Alertmanager, through version 2 of its API.

It wants to hear of a firing alert again and again, each time with an end in the future: what is no longer repeated
resolves there by itself. We repeat, and say at once what is over. Each server of a cluster gets everything from us and
is followed alone, as its authors advise: a load balancer before them would break their agreement on who notifies.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

import aiohttp
from pydantic import BaseModel, ConfigDict, Field, HttpUrl, SecretStr

from alerts.mirrors.mirror import Shown
from domain.errors import PeerError
from domain.instant import format_rfc3339

_LASTS_REPEATS = 4
_AT_A_TIME = 500
_SENTENCE = 200


class AlertmanagerSettings(BaseModel):
    """Which servers, and as whom."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    urls: tuple[HttpUrl, ...] = Field(min_length=1)
    """Every server of the cluster, without ``/api``."""
    username: str | None = None
    password: SecretStr | None = None
    token: SecretStr | None = None
    """Sent as ``Authorization: Bearer``, instead of username and password."""
    repeat_real_seconds: float = Field(default=60.0, gt=0, le=3600)
    """An alert that was not repeated four times in a row resolves there by itself."""
    timeout_real_seconds: float = Field(default=10.0, gt=0, le=300)
    public_url: HttpUrl | None = None
    """The service's own pages: links in Alertmanager lead to the alert there."""
    labels: Mapping[str, str] = Field(default_factory=dict)
    """Put on every alert: ``{service: vitals}``."""


Labels = tuple[tuple[str, str], ...]
"""What an alert is, for Alertmanager."""


class AlertmanagerMirror:
    """Follows one server; remembers what fires there for all it knows."""

    def __init__(
        self, settings: AlertmanagerSettings, url: str, session: aiohttp.ClientSession, now: Callable[[], float]
    ) -> None:
        """``now`` is real time in Unix seconds, which the server compares with its own."""
        self._settings, self._session, self._now = settings, session, now
        self._address = f"{url.rstrip('/')}/api/v2/alerts"
        self._firing: dict[Labels, Shown] = {}
        self.name = f"alertmanager {url}"
        self.repeat_real_seconds = settings.repeat_real_seconds

    async def show(self, state: Sequence[Shown]) -> None:
        """Send what fires, and what did until now as resolved."""
        now = datetime.fromtimestamp(self._now(), UTC)
        until = now + timedelta(seconds=_LASTS_REPEATS * self._settings.repeat_real_seconds)
        firing = {labels_of(each, self._settings.labels): each for each in state}
        over = {labels: each for labels, each in self._firing.items() if labels not in firing}
        # Remembered before it is sent: what a failed request may have told the server must be resolved one day.
        self._firing = {**over, **firing}
        link = self._settings.public_url
        documents = [document(labels, each, ends=now, link=link) for labels, each in over.items()]
        documents += [document(labels, each, ends=until, link=link) for labels, each in firing.items()]
        for start in range(0, len(documents), _AT_A_TIME):
            await self._post(documents[start : start + _AT_A_TIME])
        self._firing = firing

    async def _post(self, documents: Sequence[Mapping[str, Any]]) -> None:
        headers = {"Content-Type": "application/json", **_authorization(self._settings)}
        body = json.dumps(documents).encode()
        try:
            async with self._session.post(self._address, data=body, headers=headers, allow_redirects=False) as response:
                if response.status != HTTPStatus.OK:
                    said = (await response.text(errors="replace"))[:_SENTENCE]
                    raise PeerError(f"Alertmanager answered {response.status}: {said}")
        except TimeoutError as error:
            limit = self._settings.timeout_real_seconds
            raise PeerError(f"Alertmanager did not answer within {limit:g} s") from error
        except aiohttp.ClientError as error:
            raise PeerError(f"Alertmanager cannot be reached: {error}") from error


def labels_of(alert: Shown, more: Mapping[str, str]) -> Labels:
    """Return what tells this alert from others; nothing here changes while it goes on, but its severity."""
    found = {
        **more,
        "alertname": alert.rule,
        "severity": alert.severity.label,
        "country": alert.country,
        "region": alert.region,
        "district": alert.district,
        "facility": alert.facility,
        "subject": alert.subject,
        "reference": str(alert.reference),
    }
    # An empty label is none, for Alertmanager.
    return tuple((name, value) for name, value in sorted(found.items()) if value)


def document(labels: Labels, alert: Shown, *, ends: datetime, link: HttpUrl | None) -> dict[str, Any]:
    """Return the alert as the API takes it."""
    annotations = {
        "summary": " ".join(part for part in (alert.facility_name, alert.equipment) if part) + f": {alert.title}",
        "description": alert.action,
        "state": alert.state.value,
        "acknowledged_by": alert.acknowledged_by,
    }
    found: dict[str, Any] = {
        "labels": dict(labels),
        "annotations": {name: value for name, value in annotations.items() if value},
        # A start in the future is refused; it may come from a clock that is ahead.
        "startsAt": format_rfc3339(min(alert.since, ends)),
        "endsAt": format_rfc3339(ends),
    }
    if link is not None:
        found["generatorURL"] = f"{str(link).rstrip('/')}/alerts/{alert.reference}"
    return found


def _authorization(settings: AlertmanagerSettings) -> dict[str, str]:
    if settings.token is not None:
        return {"Authorization": f"Bearer {settings.token.get_secret_value()}"}
    if settings.username is not None:
        password = settings.password.get_secret_value() if settings.password else ""
        return {"Authorization": aiohttp.BasicAuth(settings.username, password, "utf-8").encode()}
    return {}

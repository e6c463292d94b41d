"""Tell by ntfy: a push message to a topic that a person's phone subscribes to."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, SecretStr

from alerts.notification import NotificationKind
from alerts.notifiers.http import Peer, open_peer
from alerts.notifiers.notifier import Delivery, OutgoingMessage, Workplace
from domain.people import Contact

_NAME = "ntfy"
_TOPIC = re.compile(r"[-_A-Za-z0-9]{1,64}")
_PRIORITIES = {"critical": 5, "warning": 4}
_USUAL = 3


class NtfySettings(BaseModel):
    """The ntfy server; a topic is as secret as a password, unless the server asks for one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: HttpUrl = HttpUrl("https://ntfy.sh")
    token: SecretStr | None = None
    """An access token of the server."""
    link: HttpUrl | None = None
    """The address of this service's pages: a tap on the message opens its alert there."""
    timeout_seconds: float = Field(default=10.0, gt=0, le=300)


class NtfyNotifier:
    """Publishes each message by a request of its own."""

    def __init__(self, settings: NtfySettings, peer: Peer) -> None:
        self._settings, self._peer = settings, peer

    async def send(self, message: OutgoingMessage) -> Delivery:
        """Publish the short text under the subject; the server's acceptance is all that it can tell."""
        if not _TOPIC.fullmatch(message.address):
            sentence = f"{message.address!r} is not a topic of ntfy; allowed: 1 to 64 letters, digits, - or _"
            return self._peer.failed(sentence, recoverable=False)
        document: dict[str, object] = {
            "topic": message.address,
            "title": message.subject,
            "message": message.short_text,
            "priority": priority_of(message),
        }
        if self._settings.link and message.reference:
            document["click"] = f"{str(self._settings.link).rstrip('/')}/alerts/{message.reference}"
        token = self._settings.token
        headers = {"Authorization": f"Bearer {token.get_secret_value()}"} if token else {}
        answer = await self._peer.post_json(str(self._settings.url), document, headers)
        if isinstance(answer, Delivery):
            return answer
        if not answer.accepted:
            return self._peer.judged(answer)
        published = answer.document()
        if not isinstance(published, dict) or "id" not in published:
            return self._peer.unreadable(answer)
        return Delivery.delivered(str(published["id"]))


def priority_of(message: OutgoingMessage) -> int:
    """Return ntfy's priority, 5 being the loudest; good news is not loud."""
    if message.kind not in {NotificationKind.ALARM, NotificationKind.WORSE}:
        return _USUAL
    return _PRIORITIES.get(str(message.facts.get("severity")), _USUAL)


def address_of(contact: Contact) -> str:
    """Return the person's topic."""
    return contact.addresses.get("ntfy", "")


@asynccontextmanager
async def open_ntfy(settings: NtfySettings, workplace: Workplace) -> AsyncIterator[NtfyNotifier]:
    """Give the notifier with an HTTP session of its own."""
    secrets = (settings.token.get_secret_value(),) if settings.token else ()
    async with open_peer(_NAME, timeout_seconds=settings.timeout_seconds, secrets=secrets) as peer:
        yield NtfyNotifier(settings, peer)

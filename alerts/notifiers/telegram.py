"""Tell by a Telegram bot, and hear what people write to it: long polling needs no public address."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, SecretStr

from alerts.notifiers.callbacks import items_of, text_of
from alerts.notifiers.http import Answer, Peer, excerpt, open_peer
from alerts.notifiers.notifier import Delivery, DeliveryReport, IncomingText, OutgoingMessage, Workplace
from domain.people import Contact

log = logging.getLogger(__name__)

CHANNEL = "telegram"
_NAME = "Telegram"
_MOST_TEXT = 4096
_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 60.0
_BLOCKED = "this person has blocked the bot; they have to unblock it"
_UNKNOWN_CHAT = "the person has to write to the bot first, and `addresses.telegram` must be the id of that chat"


class TelegramSettings(BaseModel):
    """The bot."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    token: SecretStr
    """As BotFather gave it."""
    url: HttpUrl = HttpUrl("https://api.telegram.org")
    listen: bool = True
    """Whether to fetch what people write; only one program may do that for a bot."""
    poll_seconds: int = Field(default=25, ge=0, le=50)
    """How long Telegram keeps a question open while nobody writes."""
    timeout_seconds: float = Field(default=10.0, gt=0, le=300)


class TelegramNotifier:
    """Sends each message by a request of its own."""

    def __init__(self, settings: TelegramSettings, peer: Peer) -> None:
        self._settings, self._peer = settings, peer

    async def send(self, message: OutgoingMessage) -> Delivery:
        """Send the short text to the person's chat."""
        document = {
            "chat_id": message.address,
            "text": message.short_text[:_MOST_TEXT],
            "link_preview_options": {"is_disabled": True},
        }
        answer = await self._peer.post_json(method_url(self._settings, "sendMessage"), document)
        if isinstance(answer, Delivery):
            return answer
        result = result_of(answer)
        if isinstance(result, dict):
            return Delivery.delivered(f"{message.address}/{result.get('message_id', '')}")
        return refused(self._peer, answer)


class TelegramEar:
    """Fetches what people write, and forgets nothing that could not be kept."""

    def __init__(
        self,
        settings: TelegramSettings,
        peer: Peer,
        heard: Callable[[DeliveryReport | IncomingText], Awaitable[None]],
        *,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._settings, self._peer, self._heard, self._pause = settings, peer, heard, pause
        self._offset = 0
        """Telegram forgets all updates before this one; what is not confirmed it keeps for a day."""

    async def run(self) -> None:
        """Listen until cancelled; after trouble pause for longer and longer."""
        pause = _FIRST_PAUSE_SECONDS
        while True:
            trouble = await self._listened()
            if trouble is None:
                pause = _FIRST_PAUSE_SECONDS
                continue
            log.warning("what people write to the Telegram bot is not heard now: %s", trouble)
            await self._pause(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    async def _listened(self) -> str | None:
        try:
            return await self.listen()
        except Exception as error:  # the task's outer boundary: whoever keeps texts may fail in any way
            log.debug("a text could not be kept", exc_info=True)
            return f"a text could not be kept: {type(error).__name__}"

    async def listen(self) -> str | None:
        """Wait for the next texts and hand them on; return what went wrong, if anything did."""
        question = {"offset": self._offset, "timeout": self._settings.poll_seconds, "allowed_updates": ["message"]}
        answer = await self._peer.post_json(
            method_url(self._settings, "getUpdates"),
            question,
            timeout_seconds=self._settings.poll_seconds + self._settings.timeout_seconds,
        )
        if isinstance(answer, Delivery):
            return answer.sentence
        updates = result_of(answer)
        if not isinstance(updates, list):
            return refused(self._peer, answer).sentence
        for update in items_of(updates):
            if (text := text_in(update)) is not None:
                await self._heard(text)
            self._offset = int(update.get("update_id", 0)) + 1
        return None


def text_in(update: dict[str, Any]) -> IncomingText | None:
    """Return what somebody wrote; None for a picture, a location and the like."""
    message = update.get("message")
    chat = message.get("chat") if isinstance(message, dict) else None
    if not isinstance(message, dict) or not isinstance(chat, dict) or not isinstance(message.get("text"), str):
        return None
    return IncomingText(CHANNEL, str(chat.get("id", "")), text_of(message["text"]), str(update.get("update_id", "")))


def result_of(answer: Answer) -> Any:
    """Return the result of an answer of success; None for any other."""
    document = answer.document()
    return document.get("result") if answer.accepted and isinstance(document, dict) and document.get("ok") else None


def refused(peer: Peer, answer: Answer) -> Delivery:
    """Return what a refusal means; Telegram says how long to wait in the document."""
    document = answer.document()
    if not isinstance(document, dict) or "description" not in document:
        return peer.unreadable(answer) if answer.accepted else peer.judged(answer)
    said = f"{_NAME} answered {answer.status}: {excerpt(str(document['description']))}"
    parameters = document.get("parameters")
    parameters = parameters if isinstance(parameters, dict) else {}
    if answer.status == 429:
        wait = parameters.get("retry_after")
        seconds = float(wait) if isinstance(wait, int) else None
        return peer.failed(said, recoverable=True, retry_after_seconds=seconds)
    if "migrate_to_chat_id" in parameters:
        return peer.failed(f"{said}; the chat is now {parameters['migrate_to_chat_id']}", recoverable=False)
    if answer.status in {401, 404}:
        return peer.failed(f"{said}; check `token` in the settings", recoverable=True)
    if answer.status == 409:
        return peer.failed(
            f"{said}; another program listens for this bot: stop it or set `listen: false`", recoverable=True
        )
    hint = {400: _UNKNOWN_CHAT, 403: _BLOCKED}.get(answer.status, "")
    return peer.failed("; ".join(filter(None, (said, hint))), recoverable=answer.status >= 500)


def method_url(settings: TelegramSettings, method: str) -> str:
    """Return the address of a method; it holds the token."""
    return f"{str(settings.url).rstrip('/')}/bot{settings.token.get_secret_value()}/{method}"


def address_of(contact: Contact) -> str:
    """Return the id of the person's chat with the bot."""
    return contact.addresses.get("telegram", "")


@asynccontextmanager
async def open_telegram(settings: TelegramSettings, workplace: Workplace) -> AsyncIterator[TelegramNotifier]:
    """Give the notifier, and listen meanwhile."""
    secrets = (settings.token.get_secret_value(),)
    async with open_peer(_NAME, timeout_seconds=settings.timeout_seconds, secrets=secrets) as peer:
        ear = TelegramEar(settings, peer, workplace.heard)
        listening = asyncio.create_task(ear.run()) if settings.listen else None
        try:
            yield TelegramNotifier(settings, peer)
        finally:
            if listening is not None:
                listening.cancel()
                with suppress(asyncio.CancelledError):
                    await listening

"""The notifiers as rows. A new one costs a file and a row here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from alerts.notifiers import (
    africastalking,
    apprise,
    console,
    email,
    ntfy,
    smpp,
    sms_gateway,
    sms_modem,
    telegram,
    voice,
    webhook,
    whatsapp,
)
from alerts.notifiers.apprise_addresses import AppriseSettings
from alerts.notifiers.notifier import Callback, Heard, Notifier, Workplace
from alerts.notifiers.smpp_settings import SmppSettings
from alerts.notifiers.sms_gateway_settings import SmsGatewaySettings
from alerts.routing import Audience, Route
from domain.people import Contact


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of notifier; its name is the channel's name everywhere."""

    name: str
    audience: Audience
    settings: type[BaseModel]
    open: Callable[[Any, Workplace], AbstractAsyncContextManager[Notifier]]
    address_of: Callable[[Contact], str]
    medium: str
    """See ``routing.Route``; people name media where they do not care which gateway carries a message."""
    answerable: bool = False
    on_request: bool = False
    default: BaseModel | None = None
    """What holds where the configuration says nothing; None: off."""
    hear: Callable[[Any, Callback], Heard] | None = None
    """Reads what a gateway posts to us, with the settings of this row; raises ``CallbackRefusedError``."""


# Of one medium the first that is configured carries a message, the next ones what it could not deliver.
NOTIFIERS = (
    Row(
        "console", Audience.PERSON, console.ConsoleSettings, console.open_console, console.address_of, "console",
        default=console.ConsoleSettings(),
    ),
    Row("email", Audience.PERSON, email.EmailSettings, email.open_email, email.address_of, "email"),
    Row("webhook", Audience.SYSTEM, webhook.WebhookSettings, webhook.open_webhook, webhook.address_of, "webhook"),
    Row(
        "africastalking", Audience.PERSON, africastalking.AfricasTalkingSettings, africastalking.open_africastalking,
        africastalking.address_of, "sms", answerable=True, hear=africastalking.hear,
    ),
    Row(
        "sms_gateway", Audience.PERSON, SmsGatewaySettings, sms_gateway.open_sms_gateway,
        sms_gateway.address_of, "sms", answerable=True, hear=sms_gateway.hear,
    ),
    Row("smpp", Audience.PERSON, SmppSettings, smpp.open_smpp, smpp.address_of, "sms", answerable=True),
    Row(
        "sms_modem", Audience.PERSON, sms_modem.SmsModemSettings, sms_modem.open_sms_modem, sms_modem.address_of, "sms",
        answerable=True,
    ),
    Row(
        "telegram", Audience.PERSON, telegram.TelegramSettings, telegram.open_telegram, telegram.address_of, "telegram",
        answerable=True,
    ),
    Row(
        "whatsapp", Audience.PERSON, whatsapp.WhatsAppSettings, whatsapp.open_whatsapp, whatsapp.address_of, "whatsapp",
        answerable=True, hear=whatsapp.hear,
    ),
    Row("ntfy", Audience.PERSON, ntfy.NtfySettings, ntfy.open_ntfy, ntfy.address_of, "ntfy"),
    Row("apprise", Audience.PERSON, AppriseSettings, apprise.open_apprise, apprise.address_of, "apprise"),
    Row(
        "voice", Audience.PERSON, voice.VoiceSettings, voice.open_voice, voice.address_of, "voice",
        answerable=True, on_request=True, hear=voice.hear,
    ),
)  # fmt: skip


def routes_of(configured: BaseModel) -> tuple[Route, ...]:
    """Return the channels that the settings (one field per row) turn on, in the order of the table."""
    return tuple(
        Route(row.name, row.audience, row.address_of, row.medium, row.answerable, row.on_request)
        for row in NOTIFIERS
        if getattr(configured, row.name) is not None
    )


@asynccontextmanager
async def open_notifiers(configured: BaseModel, workplace: Workplace) -> AsyncIterator[Mapping[str, Notifier]]:
    """Open what the settings turn on and close it at the end."""
    async with AsyncExitStack() as stack:
        opened = {}
        for row in NOTIFIERS:
            settings = getattr(configured, row.name)
            if settings is not None:
                opened[row.name] = await stack.enter_async_context(row.open(settings, workplace))
        yield opened

"""Tell by Apprise: the long tail of chat and push services, each person's by a URL of their own."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from importlib import import_module
from typing import Any

from alerts.notification import NotificationKind
from alerts.notifiers.apprise_addresses import (
    AppriseSettings,
    UnusableAddressError,
    check_host,
    check_options,
    check_path,
    check_recipients,
    schema_of,
)
from alerts.notifiers.http import judged
from alerts.notifiers.notifier import Delivery, OutgoingMessage, Workplace
from alerts.notifiers.threads import PatientThreads, ThreadsBusyError
from domain.errors import OperatorError
from domain.people import Contact
from domain.suggest import allowed_words

log = logging.getLogger(__name__)

_NAME = "apprise"
_MOST_THREADS = 16
_STATUS = re.compile(r"\berror=(\d{3})\b")
"""How Apprise's services tell the HTTP status of a refusal, which they tell in their log only."""
_TALKATIVE = (
    "charset_normalizer", "requests", "urllib3.connection", "urllib3.connectionpool", "urllib3.poolmanager",
    "urllib3.response", "urllib3.util.retry",
)  # fmt: skip
"""Loggers that quote addresses, below Apprise."""


@dataclass(frozen=True, slots=True)
class Library:
    """What is used of Apprise."""

    module: Any
    services: Any
    """Its services by schema."""
    asset: Any
    """What holds for every message."""


class AppriseNotifier:
    """Sends each message through a service object of its own."""

    def __init__(self, settings: AppriseSettings, library: Library) -> None:
        self._settings, self._library = settings, library
        self._threads = PatientThreads(_NAME, _MOST_THREADS)

    async def send(self, message: OutgoingMessage) -> Delivery:
        """Send the short text under the subject; the service's acceptance is all that it can tell."""
        seconds = self._settings.timeout_seconds
        try:
            return await self._threads.run(lambda: self._sent(message), seconds=seconds)
        except UnusableAddressError as error:
            return Delivery.failed(str(error), recoverable=False)
        except ThreadsBusyError:
            return Delivery.failed("apprise still waits for earlier messages", recoverable=True)
        except TimeoutError:
            return Delivery.failed(f"the service of apprise did not answer within {seconds:g} s", recoverable=True)
        except Exception as error:  # noqa: BLE001 - logged whole it would show the address that it may quote
            log.error(  # noqa: TRY400 - likewise
                "apprise failed on %s with %s", message.key, type(error).__name__
            )
            return Delivery.failed(f"defect in apprise: {type(error).__name__}", recoverable=True)

    def _sent(self, message: OutgoingMessage) -> Delivery:
        service = usable_service(self._library, message.address, self._settings)
        sender = self._library.module.Apprise(asset=self._library.asset)
        sender.add(service)
        types = self._library.module.NotifyType
        result = sender.notify(
            message.short_text,
            title=message.subject,
            notify_type=types(tone_of(message)),
            body_format=self._library.module.NotifyFormat.TEXT,
        )
        if result:
            return Delivery.delivered()
        return refused(str(service.service_name), (entry.message for entry in result.logs()))


def usable_service(library: Library, address: str, settings: AppriseSettings) -> Any:
    """Return Apprise's object for an address, with nothing left to the address that is not its to say.

    Raises ``UnusableAddressError``.
    """
    schema = schema_of(address, settings.schemas)
    kind = library.services[schema]
    unknown = f"Apprise cannot read the {schema}:// address; see {kind.setup_url} for its form"
    # As Apprise itself does: a channel's # begins no fragment.
    parsed = kind.parse_url(address.replace("/#", "/%23"))
    if not parsed or parsed.get("schema") != schema:
        raise UnusableAddressError(unknown)
    check_options(schema, parsed)
    service = library.module.Apprise.instantiate(parsed, asset=library.asset)
    if service is None:
        raise UnusableAddressError(unknown)
    if "host" in kind.template_tokens:
        check_host(schema, service.host or "", service.port, settings.hosts)
    check_path(schema, getattr(service, "fullpath", None))
    check_recipients(schema, len(service))
    # A text that is too long loses its end; several pieces would be several alarms.
    service.overflow_mode = library.module.OverflowMode.TRUNCATE
    service.socket_connect_timeout = service.socket_read_timeout = settings.timeout_seconds / 2
    return service


def tone_of(message: OutgoingMessage) -> str:
    """Return Apprise's type of a message, which services show as a colour."""
    if message.kind is NotificationKind.ALL_CLEAR:
        return "success"
    if message.kind not in {NotificationKind.ALARM, NotificationKind.WORSE}:
        return "info"
    return {"critical": "failure", "warning": "warning"}.get(str(message.facts.get("severity")), "info")


def refused(name: str, lines: Iterable[str]) -> Delivery:
    """Return what a failure means by the HTTP status in Apprise's log; the log itself may quote secrets."""
    statuses = [int(status) for line in lines for status in _STATUS.findall(line)]
    failed = [status for status in statuses if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES]
    if failed:
        return judged(name, failed[-1], "")
    return Delivery.failed(f"{name} cannot be reached, or did not take it", recoverable=True)


def apprise_library(module: str = "apprise") -> Library:
    """Return the library, with its logs kept from everybody; raises ``OperatorError`` where it is missing."""
    try:
        found = import_module(module)
    except ModuleNotFoundError as error:
        raise OperatorError(f"{error.name} is not installed; run: pip install 'vitals[server,apprise]'") from error
    _hush()
    asset = found.AppriseAsset(
        app_id="Vitals",
        app_desc="",
        app_url="",
        image_url_mask="",
        http_redirects=False,
        plugin_paths=[],
        storage_mode=found.PersistentStoreMode.MEMORY,
        allow_templates=False,
        service_timeout=0,
        pgp_autogen=False,
        pem_autogen=False,
    )
    return Library(found, import_module(f"{module}.manager_plugins").NotificationManager(), asset)


def _hush() -> None:
    """Let nothing that may quote an address out of the library; what it says of a message we read from the result."""
    own = logging.getLogger("apprise")
    own.propagate = False
    own.setLevel(logging.WARNING)
    for name in _TALKATIVE:
        logger = logging.getLogger(name)
        if _of_others not in logger.filters:
            logger.addFilter(_of_others)


def _of_others(record: logging.LogRecord) -> bool:
    return record.threadName != _NAME


def check_schemas(library: Library, schemas: Iterable[str]) -> None:
    """Refuse settings that allow what Apprise cannot do here; raises ``OperatorError``."""
    for schema in schemas:
        if schema not in library.services:
            known = allowed_words(schema, sorted(library.services.schemas()))
            raise OperatorError(f"alerts.notifiers.apprise.schemas: Apprise has no such service: {known}")
        if not library.services[schema].enabled:
            manual = library.services[schema].setup_url
            raise OperatorError(f"alerts.notifiers.apprise.schemas: {schema} lacks what it needs here; see {manual}")


def address_of(contact: Contact) -> str:
    """Return the person's Apprise URL."""
    return contact.addresses.get("apprise", "")


@asynccontextmanager
async def open_apprise(settings: AppriseSettings, workplace: Workplace) -> AsyncIterator[AppriseNotifier]:
    """Give the notifier; connections live as long as one message."""
    library = await asyncio.to_thread(apprise_library)
    # The first look loads all of its services.
    await asyncio.to_thread(check_schemas, library, settings.schemas)
    yield AppriseNotifier(settings, library)

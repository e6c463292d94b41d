"""Which Apprise URLs of contacts are used: what they may name, and what they may not switch."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from domain.errors import OperatorError
from domain.suggest import allowed_words

_HEAD = re.compile(r"([a-z0-9]{1,32})://", re.IGNORECASE)
_PRINTABLE = re.compile(r"[!-~]+")
_OPTIONS = frozenset({"priority", "sound", "thread"})
"""How loud, and where in the chat. Others turn off certificates (``verify``), follow redirects, call a failure a
success (``optional``), read files (``template``), or replace the server and the text."""
_OPTION_GROUPS = ("qsd", "qsd+", "qsd-", "qsd:")
"""Where Apprise keeps the options of a URL: plain ones, headers, parameters, fields."""

Schema = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]{1,32}$")]
Host = Annotated[str, StringConstraints(pattern=r"^[^\s/@?#A-Z]+$")]


class AppriseSettings(BaseModel):
    """Which services contacts may be told by; the URLs, with their tokens, stand in the registry."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schemas: tuple[Schema, ...] = ("discord", "gchat", "line", "pbul", "pover", "slack", "threema", "wxteams")
    """Hosted chats and pushes whose server Apprise itself knows, so that a URL can name no other. Telegram, WhatsApp,
    ntfy, SMS and e-mail are not among them: they have channels of their own, which know reports and answers."""
    hosts: tuple[Host, ...] = ()
    """Servers that URLs may name, as ``host`` or ``host:port``: ``gotifys://``, ``matrixs://``, ``workflows://`` ..."""
    timeout_seconds: float = Field(default=20.0, gt=0, le=300)


class UnusableAddressError(OperatorError):
    """An Apprise URL that is not used; the sentence quotes only its schema, since all the rest may be secret."""


def schema_of(address: str, schemas: Iterable[str]) -> str:
    """Return the allowed schema that the address begins with; raises ``UnusableAddressError``."""
    head = _HEAD.match(address)
    if head is None or not _PRINTABLE.fullmatch(address):
        raise UnusableAddressError("`addresses.apprise` is not an Apprise URL, such as discord://ID/TOKEN")
    schema = head[1].lower()
    if schema not in (allowed := tuple(schemas)):
        known = allowed_words(schema, allowed)
        raise UnusableAddressError(f"the schema of `addresses.apprise` is not in `schemas` of the settings: {known}")
    return schema


def check_options(schema: str, parsed: Mapping[str, Any]) -> None:
    """Refuse a URL, as Apprise reads it, that switches what it should not; raises ``UnusableAddressError``."""
    if {key for group in _OPTION_GROUPS for key in parsed.get(group) or ()} - _OPTIONS:
        sentence = f"the {schema}:// address carries options that contacts may not set; allowed after `?`"
        raise UnusableAddressError(f"{sentence}: {', '.join(sorted(_OPTIONS))}")


def check_host(schema: str, host: str, port: int | None, hosts: Iterable[str]) -> None:
    """Refuse a URL that names a server which is not listed; raises ``UnusableAddressError``."""
    allowed = tuple(hosts)
    if (f"{host}:{port}" if port else host).lower() not in allowed:
        known = ", ".join(allowed) or "none so far"
        sentence = f"the server (host:port) in the {schema}:// address is not in `hosts` of the settings of apprise"
        raise UnusableAddressError(f"{sentence}; allowed: {known}")


def check_path(schema: str, path: str | None) -> None:
    """Refuse a path that would join the server's name, as Apprise cuts some; raises ``UnusableAddressError``."""
    if path and not path.startswith("/"):
        raise UnusableAddressError(f"the path in the {schema}:// address cannot be told from its server")


def check_recipients(schema: str, count: int) -> None:
    """Refuse a URL that names several: one may get what another does not; raises ``UnusableAddressError``."""
    if count != 1:
        raise UnusableAddressError(f"the {schema}:// address must name one recipient; it names {count}")

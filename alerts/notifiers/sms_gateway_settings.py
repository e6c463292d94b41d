"""How the requests, answers and callbacks of an SMS gateway look."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

from alerts.notifiers.callbacks import CallbackSettings

PLACEHOLDER = re.compile(r"\{(\w+)\}")
PLACEHOLDERS = frozenset({"to", "to_digits", "text", "key", "reference", "password", "callback_token", "coding"})


def _is_a_pattern(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from None
    return pattern


Pattern = Annotated[str, AfterValidator(_is_a_pattern)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AnswerRules(_Part):
    """What an answer means, beyond its status."""

    accepted: Pattern | None = None
    """Must be found in an answer of success; otherwise the message is sent again."""
    refused: Pattern | None = None
    """Found in an answer of any status: refused for good."""
    reference_pointer: str | None = Field(default=None, pattern=r"^/")
    """JSON pointer to the gateway's name for the message ..."""
    reference_pattern: Pattern | None = None
    r"""... or a pattern whose first group it is: ``id=(\S+)``. Neither: our own ``{key}`` is its name."""


class Reports(_Part):
    """Fields of a delivery report: names, or JSON pointers where they begin with a slash."""

    reference: str
    status: str
    delivered: tuple[str, ...]
    failed: tuple[str, ...]
    """Other statuses mean that the message is on its way."""
    reason: str = ""


class Incoming(_Part):
    """Fields of an incoming text: names, or JSON pointers where they begin with a slash."""

    sender: str
    text: str
    reference: str = ""
    """Empty where the gateway has no unique one."""
    country_code: str = Field(default="", pattern=r"^\d{0,3}$")
    """Of senders that are written with a leading zero."""


class Signature(_Part):
    """HMAC-SHA256 over the body of a callback, in hexadecimal."""

    header: str
    secret: SecretStr
    prefix: str = ""
    """Before the digits: ``sha256=``."""
    timestamp_header: str = ""
    """A header whose value is signed as well, after the body."""


class SmsGatewaySettings(CallbackSettings):
    """A gateway; texts may hold ``{to}``, ``{text}`` and the other placeholders."""

    method: Literal["GET", "POST", "PUT"] = "POST"
    url: str = Field(pattern=r"^https?://[^\s/{}]+(/\S*)?$")
    headers: Mapping[str, str] = {}
    query: Mapping[str, str] = {}
    form: Mapping[str, str] | None = None
    json_body: Any = None
    password: SecretStr | None = None
    """What ``{password}`` stands for."""
    answer: AnswerRules = AnswerRules()
    reports: Reports | None = None
    """With it a message counts as delivered when a report says so, without it when the gateway takes it."""
    incoming: Incoming | None = None
    signature: Signature | None = None
    callback_answer: str = ""
    """What to answer a callback with, besides the status 200."""
    timeout_seconds: float = Field(default=20.0, gt=0, le=300)

    @model_validator(mode="after")
    def _is_complete(self) -> SmsGatewaySettings:
        if self.form is not None and self.json_body is not None:
            raise ValueError("either `form` or `json_body`")
        used = {
            found
            for text in _texts([self.url, self.headers, self.query, self.form, self.json_body])
            for found in PLACEHOLDER.findall(text)
        }
        if strange := used - PLACEHOLDERS:
            allowed = ", ".join(f"{{{name}}}" for name in sorted(PLACEHOLDERS))
            raise ValueError(f"{{{min(strange)}}} is no placeholder; allowed: {allowed}")
        if "text" not in used or not used & {"to", "to_digits"}:
            raise ValueError("{text} and {to} (or {to_digits}) must stand somewhere in the request")
        return self


def _texts(part: Any) -> Iterator[str]:
    if isinstance(part, str):
        yield part
    elif isinstance(part, Mapping):
        for each in part.values():
            yield from _texts(each)
    elif isinstance(part, list):
        for each in part:
            yield from _texts(each)

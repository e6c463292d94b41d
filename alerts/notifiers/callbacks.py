"""What gateways post to us: the settings that let them in, and the fields of their requests."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import parse_qsl

from pydantic import AfterValidator, BaseModel, ConfigDict, SecretStr

from alerts.notifiers.notifier import Callback, CallbackRefusedError

_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,128}")
_MOST_FIELDS = 200
_MOST_TEXT = 2000


def _is_a_token(token: SecretStr) -> SecretStr:
    if not _TOKEN.fullmatch(token.get_secret_value()):
        raise ValueError("16 to 128 letters, digits, - or _, drawn at random: it stands in an address")
    return token


CallbackToken = Annotated[SecretStr, AfterValidator(_is_a_token)]


class CallbackSettings(BaseModel):
    """Settings of a notifier whose gateway may post to us, at ``/api/v1/callbacks/CHANNEL/TOKEN``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    callback_token: CallbackToken | None = None
    """The last part of the address that the gateway is told; without it nothing is heard of the gateway, and what it
    accepts counts as delivered."""


def fields_of(callback: Callback) -> dict[str, str]:
    """Return the fields of the query and of a form; of those with one name the last."""
    try:
        form = parse_qsl(
            callback.body.decode("utf-8"), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict"
        )
    except ValueError:
        raise CallbackRefusedError(
            "The body is not a form; allowed: application/x-www-form-urlencoded in UTF-8."
        ) from None
    return {**callback.query, **dict(form)}


def document_of(callback: Callback) -> dict[str, Any]:
    """Return the JSON object that is posted."""
    try:
        document = json.loads(callback.body)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise CallbackRefusedError("The body is not a JSON object; allowed: one in UTF-8.")
    return document


def is_json(callback: Callback) -> bool:
    """Tell whether a request says that it carries JSON."""
    kind = callback.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == "application/json" or kind.endswith("+json")


def required(fields: Mapping[str, str], name: str) -> str:
    """Return a field; raise ``CallbackRefusedError`` where it is missing or empty."""
    value = fields.get(name, "").strip()
    if not value:
        raise CallbackRefusedError(
            f"The field {name!r} is missing; a gateway sends it with every request of this kind."
        )
    return value


def text_of(value: object) -> str:
    """Return what somebody wrote, without control characters and not longer than anybody writes."""
    plain = "".join(each if each.isprintable() or each in "\n\t" else " " for each in str(value))
    return plain[:_MOST_TEXT].strip()


def items_of(value: object) -> list[dict[str, Any]]:
    """Return the objects of a JSON list; nothing for anything else."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []

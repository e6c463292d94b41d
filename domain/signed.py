"""Messages that a node obeys: signed with a key that the service and that one node share.

The signature is HMAC-SHA256 (RFC 2104) in lower-case hexadecimal over the topic, a line feed and the canonical form of
the JSON object without its member ``signature``. The canonical form is that of RFC 8785, of which as much is allowed as
two programs cannot write differently: no number but integers that every JSON reader keeps exact.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from domain.rejection import PayloadError, Reason

MAX_SIGNED_BYTES = 65_536
MAX_INTEGER = 2**53 - 1
SIGNATURE = "signature"
MIN_KEY_CHARACTERS = 32


def canonical(content: Mapping[str, Any]) -> bytes:
    """Return the bytes that stand for this object alone; raise ``ValueError`` for what has no exact form."""
    _refuse_inexact(content)
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True)
    return text.encode()


def signed(content: Mapping[str, Any], *, topic: str, key: str) -> bytes:
    """Return the payload for this topic; raise ``ValueError`` for content that has no exact form."""
    return canonical({**content, SIGNATURE: _signature(content, topic, key)})


def read_signed(payload: bytes) -> dict[str, Any]:
    """Return the object in a payload, its signature not looked at; raise ``PayloadError`` for anything else."""
    if len(payload) > MAX_SIGNED_BYTES:
        raise PayloadError(Reason.TOO_LARGE, f"found {len(payload)} bytes; allowed: {MAX_SIGNED_BYTES}")
    try:
        content = json.loads(payload)
        _refuse_inexact(content)
    except (ValueError, RecursionError) as error:
        raise PayloadError(Reason.MALFORMED, f"the message is not signed JSON: {error}") from error
    if not isinstance(content, dict):
        raise PayloadError(Reason.MALFORMED, "the message is not a JSON object")
    return content


def is_signed(content: Mapping[str, Any], *, topic: str, key: str) -> bool:
    """Tell whether the object carries the signature of whoever has the key, for this topic."""
    rest = {name: value for name, value in content.items() if name != SIGNATURE}
    found = content.get(SIGNATURE)
    return isinstance(found, str) and hmac.compare_digest(found.encode(), _signature(rest, topic, key).encode())


def _signature(content: Mapping[str, Any], topic: str, key: str) -> str:
    return hmac.new(key.encode(), topic.encode() + b"\n" + canonical(content), hashlib.sha256).hexdigest()


def _refuse_inexact(value: Any) -> None:
    if isinstance(value, Mapping):
        for name, member in value.items():
            if not name.isascii():
                raise ValueError(f"the name {name!r} is not ASCII")
            _refuse_inexact(member)
    elif isinstance(value, list):
        for member in value:
            _refuse_inexact(member)
    elif isinstance(value, str):
        value.encode()  # a lone surrogate has no bytes
    elif not (value is None or isinstance(value, bool) or (isinstance(value, int) and abs(value) <= MAX_INTEGER)):
        raise ValueError(f"the number {value!r} is not an integer below 2**53")

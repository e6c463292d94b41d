"""Signatures of requests between us and other programs: who sent it, and when.

The signature is HMAC-SHA256 over ``<timestamp>.<body>`` in hexadecimal; the receiver checks it, and that the timestamp
is recent, so that nobody can forge or replay a message.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

KEY_HEADER = "Idempotency-Key"
TIMESTAMP_HEADER = "X-Vitals-Timestamp"
SIGNATURE_HEADER = "X-Vitals-Signature"
_PREFIX = "sha256="


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """Return the HMAC-SHA256 of ``<timestamp>.<body>`` in hexadecimal."""
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def signed_headers(key: str, body: bytes, *, secret: str | None, unix_seconds: float) -> dict[str, str]:
    """Return the headers of a JSON document: its key, the time, and a signature where there is a secret."""
    timestamp = str(int(unix_seconds))
    headers = {"Content-Type": "application/json", KEY_HEADER: key, TIMESTAMP_HEADER: timestamp}
    if secret is not None:
        headers[SIGNATURE_HEADER] = _PREFIX + sign(secret, timestamp, body)
    return headers


def is_signed(headers: Mapping[str, str], body: bytes, secret: str) -> bool:
    """Tell whether a request (header names in lower case) bears our kind of signature."""
    timestamp = headers.get(TIMESTAMP_HEADER.lower(), "")
    return same(headers.get(SIGNATURE_HEADER.lower(), ""), _PREFIX + sign(secret, timestamp, body))


def same(given: str, expected: str) -> bool:
    """Compare in a time that does not tell where two texts differ."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode("utf-8", "replace"))

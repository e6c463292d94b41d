"""Links that open one alert for one person for a while: written into messages, checked when they come back. Pure.

A token is the number of the alert, the hour at which it is over, two bytes by which the contact is found again, and
80 bits of an HMAC over all of it with the contact's whole id: 24 characters for as long as there are fewer than
16 million alerts, so that the link has room in a text message.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

KEY_BYTES: Final = 32
_EPOCH: Final = datetime(2020, 1, 1, tzinfo=UTC)
_HOUR: Final = timedelta(hours=1)
_HOURS_BYTES: Final = 3
_HINT_BYTES: Final = 2
_MAC_BYTES: Final = 10
_FIXED: Final = _HOURS_BYTES + _HINT_BYTES + _MAC_BYTES
_MOST_BYTES: Final = _FIXED + 8
_LEAST_ALERT_BYTES: Final = 3


class Opened(NamedTuple):
    """What a valid link opens."""

    alert: int
    contact: str
    until: datetime


def write_link(key: bytes, alert: int, contact: str, until: datetime) -> str:
    """Return the token for an alert and a contact, valid until a moment, rounded up to the hour."""
    hours = -((_EPOCH - until) // _HOUR)
    number = alert.to_bytes(max(_LEAST_ALERT_BYTES, (alert.bit_length() + 7) // 8), "big")
    head = hours.to_bytes(_HOURS_BYTES, "big") + _hint(contact) + number
    return base64.urlsafe_b64encode(head + _mac(key, head, contact)).rstrip(b"=").decode()


def open_link(key: bytes, token: str, contacts: Iterable[str], now: datetime) -> Opened | None:
    """Return what a token opens at a moment; None for one that is forged, damaged, over, or of no contact of these."""
    content = _bytes(token)
    if content is None:
        return None
    head, mac = content[:-_MAC_BYTES], content[-_MAC_BYTES:]
    hint = head[_HOURS_BYTES : _HOURS_BYTES + _HINT_BYTES]
    until = _EPOCH + int.from_bytes(head[:_HOURS_BYTES], "big") * _HOUR
    for contact in contacts:
        if _hint(contact) == hint and hmac.compare_digest(_mac(key, head, contact), mac):
            alert = int.from_bytes(head[_HOURS_BYTES + _HINT_BYTES :], "big")
            return Opened(alert, contact, until) if now < until else None
    return None


def _bytes(token: str) -> bytes | None:
    """Return the bytes of a token that could be one of ours, as we write it: no other text stands for the same."""
    try:
        content = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        return None
    if base64.urlsafe_b64encode(content).rstrip(b"=").decode() != token:
        return None
    return content if _FIXED + _LEAST_ALERT_BYTES <= len(content) <= _MOST_BYTES else None


def _hint(contact: str) -> bytes:
    return hashlib.sha256(contact.encode("utf-8", "surrogatepass")).digest()[:_HINT_BYTES]


def _mac(key: bytes, head: bytes, contact: str) -> bytes:
    # The head's length varies: it is said, so that no byte can change sides.
    said = bytes((len(head),)) + head + contact.encode("utf-8", "surrogatepass")
    return hmac.digest(key, b"vitals alert link\0" + said, hashlib.sha256)[:_MAC_BYTES]

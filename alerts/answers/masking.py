"""Addresses of people as they may be shown: enough to recognise one's own, too little to write to. Pure."""

from __future__ import annotations

import re
from typing import Final

_LEFT: Final = 3
_HIDDEN: Final = "…"
# A number that begins with + or 0 is a telephone number also where it is written in groups; others only in one piece,
# so that two references beside each other stay.
_PHONE = re.compile(r"(?<!\d)(?:(?:\+|0)(?:[ ()./-]{0,2}\d){6,}|\d{7,})")


def masked(address: str) -> str:
    """Return a telephone number or another address with all but its end hidden: ``…001``, ``…@example.org``."""
    local, at, domain = address.rpartition("@")
    if at and local:
        return f"{_HIDDEN}@{domain}"
    return _HIDDEN + (address[-_LEFT:] if len(address) > _LEFT else "")


def without_numbers(text: str) -> str:
    """Return a text with the telephone numbers in it masked."""
    return _PHONE.sub(lambda match: masked(match[0]), text)

"""From a device's identity to a node's name."""

from __future__ import annotations

import hashlib
import re

_PLAIN = re.compile(rb"[A-Za-z0-9_-]")
_LONGEST = 64
_DIGEST_CHARACTERS = 20


def node_name(prefix: str, identity: str) -> str:
    """Return ``<prefix>-<identity>`` with every other character than ``A-Z a-z 0-9 _ -`` as ``.`` and its bytes in hex.

    So ``A38/plug 1`` of Tasmota is ``tasmota-A38.2fplug.201``. Two identities never share a name: where the name would
    be longer than a node's may be, its end is ``..`` and a digest of the whole, and ``..`` occurs nowhere else.
    """
    escaped = "".join(
        chr(byte) if _PLAIN.match(bytes((byte,))) else f".{byte:02x}"
        for byte in identity.encode("utf-8", "surrogatepass")
    )
    name = f"{prefix}-{escaped}"
    if len(name) <= _LONGEST:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:_DIGEST_CHARACTERS]
    return f"{name[: _LONGEST - _DIGEST_CHARACTERS - 2]}..{digest}"

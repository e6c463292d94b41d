"""Static files: read once, addressed by their content, so that a browser may keep them for ever."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

STATIC_FOLDER = Path(__file__).parent / "static"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """One static file."""

    content: bytes
    content_type: str
    version: str
    """Changes with the content."""


def read_assets(folder: Path = STATIC_FOLDER) -> Mapping[str, Asset]:
    """Return every file of a known type below the folder, by its path with ``/`` between the parts."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix in _TYPES and path.is_file():
            content = path.read_bytes()
            version = hashlib.blake2b(content, digest_size=6).hexdigest()
            found[path.relative_to(folder).as_posix()] = Asset(content, _TYPES[path.suffix], version)
    return found

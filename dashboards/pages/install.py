"""What makes a phone take the pages for an application: a manifest, and a worker that keeps the last ones seen."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Final

from dashboards.pages.assets import Asset
from dashboards.pages.render import STATIC_PATH, TEMPLATES_FOLDER

KEPT_PLACES: Final = ("/map", "/places", "/alerts", "/facilities", "/equipment")
"""Besides the overview: the pages that somebody needs without a connection. Never one that shows a secret."""
_FILES: Final = ("vitals.css", "vitals.js", "icon.svg")
_ICONS: Final = (
    ("icon.svg", "any", "any"),
    ("icon-192.png", "192x192", "any"),
    ("icon-512.png", "512x512", "any"),
    ("icon-maskable-512.png", "512x512", "maskable"),
)


def manifest(assets: Mapping[str, Asset]) -> str:
    """Return the web app manifest."""
    icons = [
        {"src": _address(assets, name), "sizes": sizes, "type": assets[name].content_type, "purpose": purpose}
        for name, sizes, purpose in _ICONS
    ]
    document = {
        "id": "/",
        "name": "Vitals",
        "short_name": "Vitals",
        "description": "Power, cold chain and water of health facilities.",
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": "#f4f5f3",
        "theme_color": "#0f5c63",
        "icons": icons,
    }
    return json.dumps(document)


def worker(assets: Mapping[str, Asset]) -> str:
    """Return the service worker; it changes, and begins anew, whenever a static file does."""
    script = (TEMPLATES_FOLDER / "worker.js").read_text(encoding="utf-8")
    versions = "".join(f"{name} {asset.version} " for name, asset in sorted(assets.items()))
    version = hashlib.blake2b((versions + script).encode(), digest_size=6).hexdigest()
    given = {"VERSION": version, "FILES": [_address(assets, name) for name in _FILES], "PLACES": KEPT_PLACES}
    return "".join(f"const {name} = {json.dumps(value)};\n" for name, value in given.items()) + script


def _address(assets: Mapping[str, Asset], name: str) -> str:
    return f"{STATIC_PATH}{name}?v={assets[name].version}"

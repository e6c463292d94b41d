"""The outlines of all countries that come with Vitals; the file is read when the first one is wanted."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from dashboards.pages.outlines.shape import Outline, decoded, plain_name

COUNTRIES = Path(__file__).with_name("countries.json")


def shipped_outlines(countries: Collection[str]) -> Sequence[Outline]:
    """Return the outlines of countries given by name or ISO 3166 code, each once; nothing for unknown ones."""
    codes = dict.fromkeys(filter(None, map(country_code, countries)))
    return [found for code in codes if (found := _outline(code)) is not None]


def country_code(country: str) -> str:
    """Return the key of a country in the file: ``UG`` for ``uga`` or ``Ouganda``; empty for an unknown one."""
    return _codes().get(plain_name(country), "")


@lru_cache(maxsize=1)
def _countries() -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(COUNTRIES.read_text(encoding="utf-8"))
    return found


@lru_cache(maxsize=1)
def _codes() -> Mapping[str, str]:
    names = {name: code for code, what in _countries().items() for name in what["names"]}
    # A code is a code, even where some language has it for a name.
    return names | {plain_name(code): code for code in _countries()}


@lru_cache(maxsize=32)
def _outline(code: str) -> Outline | None:
    what = _countries()[code]
    rings = tuple(decoded(ring, what["step"]) for ring in what["rings"])
    return Outline("", rings) if rings else None

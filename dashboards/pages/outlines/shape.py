"""What is drawn under the facilities: closed lines on the globe, with a name where they have one."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

Point = tuple[float, float]
"""Longitude and latitude in degrees (WGS 84), as in GeoJSON."""
Ring = tuple[Point, ...]

_DIGITS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_VALUE_OF: Final = {digit: value for value, digit in enumerate(_DIGITS)}
_MORE: Final = 32


@dataclass(frozen=True, slots=True)
class Outline:
    """A country or a district: its closed lines, islands and holes alike."""

    name: str
    """Empty where nothing is to be written on it."""
    rings: tuple[Ring, ...]


OutlinesOf = Callable[[Collection[str]], Sequence[Outline]]
"""Returns what to draw for these countries, named as the registry names them; nothing for unknown ones."""


def plain_name(name: str) -> str:
    """Return a name without what people write differently: capitals, accents, stops, spaces, ``the``."""
    letters = (each for each in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(each))
    words = "".join(each if each.isalnum() else " " for each in letters).split()
    return "".join(word for word in words if word != "the")


def encoded(ring: Ring, step: float) -> str:
    """Return a ring as text: differences in steps, five bits a digit, the lowest first."""
    digits, before = [], (0, 0)
    for longitude, latitude in ring:
        here = (round(longitude / step), round(latitude / step))
        for old, new in zip(before, here, strict=True):
            # The sign goes to the lowest bit, so that small differences stay short whichever way they lead.
            left = (new - old) << 1 if new >= old else ((old - new) << 1) - 1
            while left >= _MORE:
                digits.append(_DIGITS[left % _MORE + _MORE])
                left //= _MORE
            digits.append(_DIGITS[left])
        before = here
    return "".join(digits)


def decoded(text: str, step: float) -> Ring:
    """Return the ring that ``encoded`` wrote."""
    numbers, value, place = [], 0, 1
    for digit in text:
        part = _VALUE_OF[digit]
        value += part % _MORE * place
        place *= _MORE
        if part < _MORE:
            numbers.append((value + 1) // -2 if value % 2 else value // 2)
            value, place = 0, 1
    ring, x, y = [], 0, 0
    for east, north in zip(numbers[::2], numbers[1::2], strict=True):
        x, y = x + east, y + north
        ring.append((x * step, y * step))
    return tuple(ring)

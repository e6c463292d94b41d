"""Long texts as the parts of an SMS (3GPP TS 23.040): how many characters fit, how a phone joins them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from domain.gsm7 import ONE_PART_SEPTETS, septets

_PART_SEPTETS = 153
_ONE_PART_UNITS = 70
_PART_UNITS = 67
_CONCATENATED = "050003"
_CONCATENATED_WIDE = "060804"
MOST_PARTS = 255


class SmsParts(NamedTuple):
    """A text as it goes over the air."""

    gsm7: bool
    """In the 7-bit alphabet; otherwise in UCS-2."""
    texts: tuple[str, ...]


def parts_of(text: str) -> SmsParts:
    """Return the text in as few parts as hold it; no character is cut in two."""
    length = septets(text)
    if length is not None:
        whole, part, size = length <= ONE_PART_SEPTETS, _PART_SEPTETS, _septets_of
    else:
        whole, part, size = _units_of(text) <= _ONE_PART_UNITS, _PART_UNITS, _units_of
    return SmsParts(length is not None, (text,) if whole else tuple(_cut(text, part, size)))


def header_of(reference: int, total: int, position: int) -> str:
    """Return the user data header, in hexadecimal, of a part of a longer text; ``position`` counts from 1."""
    return f"{_CONCATENATED}{reference % 256:02X}{total:02X}{position:02X}"


class Placed(NamedTuple):
    """What a user data header says of a part."""

    group: str
    """The same for all parts of a text."""
    total: int
    position: int


def placed(header: str) -> Placed | None:
    """Return which part of a longer text carries this header (hexadecimal); None for a text of its own."""
    found = header.upper()
    if found.startswith(_CONCATENATED) and len(found) >= 12:
        group, total, position = found[6:8], found[8:10], found[10:12]
    elif found.startswith(_CONCATENATED_WIDE) and len(found) >= 14:
        group, total, position = found[6:10], found[10:12], found[12:14]
    else:
        return None
    return Placed(f"{group}/{total}", int(total, 16), int(position, 16))


def _cut(text: str, longest: int, size: Callable[[str], int]) -> Iterable[str]:
    part, taken = "", 0
    for character in text:
        more = size(character)
        if taken + more > longest:
            yield part
            part, taken = "", 0
        part, taken = part + character, taken + more
    yield part


def _septets_of(text: str) -> int:
    return septets(text) or 0


def _units_of(text: str) -> int:
    return len(text.encode("utf-16-be")) // 2

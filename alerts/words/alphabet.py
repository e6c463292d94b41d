"""What a text message can carry: two alphabets, their sizes, and how a text is brought into them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from alerts.words.language import is_right_to_left, script_of
from domain.gsm7 import ONE_PART_SEPTETS, is_legible, septets, shorten, transliterate

UCS2_ONE_PART = 70
UCS2_PER_PART = 67
"""Of a message in several parts: the rest numbers them."""
GSM7_PER_PART = 153
_LEFT_TO_RIGHT_MARK = "\u200e"
# Behind Arabic letters a sign would stand on the other side of its number.
_SIGNED = re.compile(r"(?<!\S)([-+]\d)")
_COMPACT = {" °": "", "°": "", " %": "%"}


@dataclass(frozen=True, slots=True)
class Alphabet:
    """How the texts of a language are sent."""

    name: str
    """``GSM-7`` or ``UCS-2``."""
    limits: tuple[int, ...]
    """How long a text may be, in units of this alphabet: what to aim at, then what is still allowed."""
    right_to_left: bool = False

    def clean(self, text: str) -> str:
        """Return the text on one line, in this alphabet."""
        if self.name == "GSM-7":
            return transliterate(text)
        for found, instead in _COMPACT.items():
            text = text.replace(found, instead)
        line = " ".join("".join(each if each.isprintable() else " " for each in text).split())
        return _SIGNED.sub(rf"{_LEFT_TO_RIGHT_MARK}\1", line) if self.right_to_left else line

    def size(self, text: str) -> int:
        """Return how many units a clean text takes."""
        return (septets(text) or 0) if self.name == "GSM-7" else _utf16_units(text)

    def shorten(self, text: str, longest: int) -> str:
        """Return a clean text in at most so many units, cut at the end with ``..``."""
        if self.name == "GSM-7":
            return shorten(text, longest)
        if self.size(text) <= longest:
            return text
        while text and self.size(text) > longest - 2:
            text = text[:-1]
        return text.rstrip() + ".." if longest >= 2 else ""

    def is_legible(self, text: str) -> bool:
        """Tell whether somebody could still read the text once it is clean."""
        if self.name == "GSM-7":
            return is_legible(text)
        return any(each.isalnum() for each in text)

    def name_of(self, name: str, otherwise: str) -> str:
        """Return a name as it can be read, or else the other one."""
        return self.clean(name if self.is_legible(name) else otherwise)


_GSM7 = Alphabet("GSM-7", (ONE_PART_SEPTETS,))
_UCS2_LIMITS = (UCS2_ONE_PART, 2 * UCS2_PER_PART)


def alphabet_of(language: str) -> Alphabet:
    """Return the alphabet for a language: GSM 7-bit for whatever is written in Latin letters, accents dropped."""
    if script_of(language) == "Latn":
        return _GSM7
    return Alphabet("UCS-2", _UCS2_LIMITS, is_right_to_left(language))


def parts_of(text: str) -> int:
    """Return how many text messages a text takes."""
    size = septets(text)
    one, each = (ONE_PART_SEPTETS, GSM7_PER_PART) if size is not None else (UCS2_ONE_PART, UCS2_PER_PART)
    size = _utf16_units(text) if size is None else size
    return 1 if size <= one else -(-size // each)


def _utf16_units(text: str) -> int:
    return sum(2 if ord(each) > 0xFFFF else 1 for each in text)

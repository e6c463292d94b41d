"""The GSM 7-bit alphabet (3GPP TS 23.038): 160 characters a part, 70 as soon as one is foreign."""

from __future__ import annotations

import unicodedata

ONE_PART_SEPTETS = 160

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("\f^{}\\[~]|€")
_REPLACED = {
    " °": "", " %": "%", "°": "", "³": "3", "²": "2", "µ": "u", "μ": "u", "–": "-", "—": "-", "‑": "-", "’": "'",
    "‘": "'", "“": '"', "”": '"', "…": "...", "×": "x", "≥": ">=", "≤": "<=", "ł": "l", "Ł": "L",
    "đ": "d", "Đ": "D", "`": "'",
}  # fmt: skip
_UNKNOWN = "?"
_LETTERS = frozenset((*_BASIC, *_EXTENDED))


def septets(text: str) -> int | None:
    """Return how many 7-bit units the text takes, or None where a character is not in the alphabet."""
    if not _LETTERS.issuperset(text):
        return None
    return len(text) + sum(map(text.count, _EXTENDED))


def transliterate(text: str) -> str:
    """Return the text on one line in the alphabet: accents dropped where need be, ``?`` for what has no likeness."""
    for found, instead in _REPLACED.items():
        text = text.replace(found, instead)
    if not text.isprintable():
        text = "".join(character if character.isprintable() else " " for character in text)
    line = " ".join(text.split())
    if _LETTERS.issuperset(line):
        return line
    return "".join(_likeness(character) for character in unicodedata.normalize("NFC", line))


def is_legible(text: str) -> bool:
    """Tell whether at least half of the text survives transliteration."""
    return 2 * transliterate(text).count(_UNKNOWN) <= len(text.strip()) and bool(text.strip())


def shorten(text: str, longest: int) -> str:
    """Return the text in at most ``longest`` septets, cut at the end with ``..``; the text is in the alphabet."""
    if (septets(text) or 0) <= longest:
        return text
    text = text[: max(0, longest - 2)]
    while text and (septets(text) or 0) > longest - 2:
        text = text[:-1]
    return text.rstrip() + ".." if longest >= 2 else ""


def _likeness(character: str) -> str:
    if character in _BASIC or character in _EXTENDED:
        return character
    plain = "".join(part for part in unicodedata.normalize("NFKD", character) if part in _BASIC)
    return plain or ("" if unicodedata.combining(character) else _UNKNOWN)

"""The GSM 7-bit alphabet as one byte a character, as it travels over SMPP (3GPP TS 23.038, sections 6.2.1)."""

from __future__ import annotations

_ESCAPE = 0x1B
_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = {
    0x0A: "\f", 0x14: "^", 0x28: "{", 0x29: "}", 0x2F: "\\", 0x3C: "[", 0x3D: "~", 0x3E: "]", 0x40: "|", 0x65: "€",
}  # fmt: skip
_CODES = {character: bytes([code]) for code, character in enumerate(_BASIC) if code != _ESCAPE}
_CODES |= {character: bytes([_ESCAPE, code]) for code, character in _EXTENDED.items()}


def to_bytes(text: str) -> bytes:
    """Return the text, of which every character is in the alphabet (``domain.gsm7.septets`` says so)."""
    return b"".join(_CODES[character] for character in text)


def from_bytes(message: bytes) -> str:
    """Return the text; what is not in the alphabet is read as its nearest character, as phones do."""
    found, escaped = [], False
    for code in message:
        if code == _ESCAPE and not escaped:
            escaped = True
            continue
        basic = _BASIC[code & 0x7F]
        found.append(_EXTENDED.get(code, basic) if escaped else basic)
        escaped = False
    return "".join(found)

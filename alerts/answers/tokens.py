"""From a raw text to words and numbers: scripts, digits, case, emoji, signatures and quotations made alike. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from alerts.answers.lexicon import AUXILIARIES, LEXICON, LONGEST_PHRASE, SURE_MARKERS, UNITS, Sense

_LONGEST_TEXT = 2000
"""Characters; the longest SMS that a telephone sends has 1530."""
_LONGEST_REFERENCE = 9
_APOSTROPHES = frozenset("'’‘ʼ`´")
_QUOTED_LINE = re.compile(r"\s*[>|]")
_QUOTATION = re.compile(r"(?:-{2,}\s*(?:original|forwarded)|(?:on|le|em|el|tarehe|في)\s.{4,100}:\s*$)", re.IGNORECASE)
_SIGNATURE = re.compile(
    r"\s*(?:--+|__+|==+)\s*$|\s*(?:sent (?:from|via)|get outlook|envoy[ée]e? (?:de|depuis)|enviado (?:d[oea]|por)|"
    r"imetumwa kutoka|أرسل من|تم الإرسال من)\s",
    re.IGNORECASE,
)
# What is tried before a plain number is none: "9.4" and "14:30" are not codes beside references, nor "5-10 doses".
_CHUNK = re.compile(
    r"\+\d+|\d+[.,:](?:\d{1,2}(?!\d)|0\d*|\d{10,})[\d.,]*|\d+⁄\d+|\d+ ?- ?\d+(?= ?(?:dos|doz|vial|جرع))|[^\W_]+|[?؟#]"
)
_PART = re.compile(r"\d+|\D+")


class Text(NamedTuple):
    """A text in two: what its writer wrote, and what they quote."""

    own: str
    quoted: str

    @classmethod
    def of(cls, raw: str) -> Text:
        """Return the parts of a text, without its signature and without marks that nobody sees."""
        own: list[str] = []
        quoted: list[str] = []
        ended = quoting = False
        for line in _clean(raw).splitlines():
            quoting = quoting or bool(_QUOTATION.match(line.strip()) and own)
            if quoting or _QUOTED_LINE.match(line):
                quoted.append(line)
            elif ended or _SIGNATURE.match(line):
                ended = True
            else:
                own.append(line)
        return cls("\n".join(own), "\n".join(quoted))


@dataclass(frozen=True, slots=True)
class Token:
    """A word, a known phrase or a number."""

    word: str
    """Folded."""
    start: int
    """Where it begins in the text."""
    number: int | None = None
    """Of what can be a code or a reference."""
    sense: Sense | None = None
    """Of a known phrase."""


def read_tokens(text: str) -> list[Token]:
    """Return the words and numbers of a text in their order, known phrases as one."""
    folded, origins = _fold(text)
    words = [
        Token(word, origins[chunk.start() + start])
        for chunk in _CHUNK.finditer(folded)
        for word, start in _parts(chunk[0])
    ]
    tokens = []
    position = 0
    while position < len(words):
        token, length = _longest(words, position)
        tokens.append(token)
        position += length
    return tokens


def sure_references(tokens: Iterable[Token]) -> tuple[int, ...]:
    """Return the numbers that stand behind ``ref`` or ``#``, each once."""
    found = [
        second.number for first, second in pairwise(tokens) if first.word in SURE_MARKERS and second.number is not None
    ]
    return tuple(dict.fromkeys(found))


def fold(text: str) -> str:
    """Return a text without case, accents and apostrophes."""
    return _fold(_clean(text))[0]


def _clean(raw: str) -> str:
    """Return the text with full-width and circled digits made plain, and without invisible marks and keycaps."""
    composed = unicodedata.normalize("NFKC", raw[:_LONGEST_TEXT])
    kept = (character for character in composed if character in "\n\t" or _is_seen(character))
    return "".join(kept)


def _is_seen(character: str) -> bool:
    # U+FE0F and U+20E3 make a keycap of a digit, and belong to nothing else here.
    return unicodedata.category(character) not in {"Cf", "Cc", "Cs", "Me"} and character != "\ufe0f"


def _fold(text: str) -> tuple[str, list[int]]:
    """Return the folded text, and for each of its characters where it came from."""
    characters, origins = [], []
    for origin, original in enumerate(text):
        for part in unicodedata.normalize("NFKD", original.casefold()):
            if not unicodedata.combining(part) and part not in _APOSTROPHES and part != "ـ":
                characters.append(part)
                origins.append(origin)
    return "".join(characters), origins


def _parts(chunk: str) -> list[tuple[str, int]]:
    """Return the words of a chunk: ``ref4821`` and ``1ok`` are two, ``1st`` and ``2h`` are one."""
    if not chunk[0].isalnum() or any(mark in chunk for mark in ".,:-⁄"):
        return [(chunk, 0)]
    parts = [(part[0], part.start()) for part in _PART.finditer(chunk)]
    known = all(part.isdecimal() or LEXICON.get((part,), Sense.FILLER) is not Sense.FILLER for part, _ in parts)
    return parts if known else [(chunk, 0)]


def _longest(words: list[Token], position: int) -> tuple[Token, int]:
    """Return the longest known phrase that begins here, or the one word; and how many words it has."""
    first = words[position]
    if _is_number(first.word) and not _is_figure(words, position):
        return Token(first.word, first.start, number=int(first.word)), 1
    for length in range(min(LONGEST_PHRASE, len(words) - position), 0, -1):
        phrase = tuple(word.word for word in words[position : position + length])
        if phrase in LEXICON and not _is_auxiliary(words[position : position + length + 1]):
            return Token(" ".join(phrase), first.start, sense=LEXICON[phrase]), length
    return first, 1


def _is_number(word: str) -> bool:
    return word.isdecimal() and len(word) <= _LONGEST_REFERENCE and int(word[0]) > 0


def _is_figure(words: list[Token], position: int) -> bool:
    """Tell whether a unit follows that belongs to this number: that of "4821 dozi 12" belongs to the next one."""
    following = [word.word for word in words[position + 1 : position + 3]]
    return bool(following) and following[0] in UNITS and not following[-1].isdecimal()


def _is_auxiliary(words: list[Token]) -> bool:
    """Tell whether an Arabic "done" only begins a verb: with another word it may say that anything was done."""
    return len(words) == 2 and words[0].word in AUXILIARIES and words[1].word.isalpha() and not _is_known(words[1])


def _is_known(word: Token) -> bool:
    return (word.word,) in LEXICON

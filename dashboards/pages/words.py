"""The words of a page in the language of the one who reads it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_VALUE: Final = re.compile(r"[-+−]?\d[\d.,]*(?:\s?(?:°?[A-Za-z%][A-Za-z³/]*))?")


def _runs_from_right(text: str) -> bool:
    return any(unicodedata.bidirectional(each) in ("R", "AL") for each in text)


def _same(sentence: str) -> str:
    return sentence


def _english(one: str, many: str, count: int) -> str:
    return one if count == 1 else many


@dataclass(frozen=True, slots=True)
class Words:
    """Says English sentences in one language; whoever looks them up is passed in.

    ``words("heard {ago}", ago=...)`` fills the fields of the translated sentence. Templates say ``_("...")`` and
    ``{% trans %}``.
    """

    language: str = "en"
    """BCP 47: ``sw``."""
    right_to_left: bool = False
    gettext: Callable[[str], str] = _same
    ngettext: Callable[[str, str, int], str] = _english

    def __call__(self, sentence: str, /, **fields: object) -> str:
        """Return the sentence with its ``{fields}`` filled."""
        return self.gettext(sentence).format(**fields) if sentence else ""

    def many(self, one: str, many: str, count: int, /, **fields: object) -> str:
        """Return the form that belongs to a count, which both sentences may name as ``{count}``."""
        return self.ngettext(one, many, count).format(count=count, **fields)

    @property
    def locale(self) -> str:
        """Return what Babel calls the language."""
        return self.language.replace("-", "_")

    def isolated(self, text: str) -> str:
        """Return a name, or a number with its unit, so that it stays whole whichever way it and the sentence run."""
        return f"\u2068{text}\u2069" if text and (self.right_to_left or _runs_from_right(text)) else text

    def with_values_isolated(self, text: str) -> str:
        """Return a sentence of somebody's, such as a rule's, in which numbers with their units stay whole."""
        return _VALUE.sub(lambda found: self.isolated(found[0]), text) if self.right_to_left else text


def noop(sentence: str) -> str:
    """Mark a sentence that is kept somewhere before it is said, so that it gets into the catalogues."""
    return sentence


ENGLISH = Words()

Saying = Callable[[Words], str]
"""Says something in the words of whoever reads it."""


def nothing_to_say(_: Words) -> str:
    """Return no sentence."""
    return ""

"""Words: from what is known to a text that fits one SMS part, and to a longer one for channels with room. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from alerts.bundle import Bundle
from alerts.words.long import write_long, write_subject
from alerts.words.short import write_short


@dataclass(frozen=True, slots=True)
class Message:
    """The words of a notification."""

    subject: str
    """One line."""
    short_text: str
    """One SMS part; up to two in languages that are not written in Latin letters."""
    long_text: str
    """Lines of plain text in any script."""


def compose(bundle: Bundle, *, language: str, answerable: bool, link: str = "") -> Message:
    """Return what to say to somebody who reads this language; rules speak it in the bundle already.

    ``answerable`` is whether an answer would be heard; ``link`` leads to a page with all of it.
    """
    return Message(
        subject=write_subject(bundle, language=language),
        short_text=write_short(bundle, language=language, answerable=answerable, link=link).text,
        long_text=write_long(bundle, language=language, answerable=answerable, link=link),
    )

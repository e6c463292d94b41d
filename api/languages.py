"""In which language somebody is answered."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from importlib.resources import files
from typing import NamedTuple

from babel import Locale
from starlette.requests import Request

from alerts.words.language import Catalogues, is_right_to_left
from dashboards.pages.words import Words
from domain.access import Principal

LANGUAGE_COOKIE = "vitals_language"
_MOST_ASKED = 20
"""A browser that lists more languages than this is not read to the end."""


class Choice(NamedTuple):
    """A language that pages can be read in."""

    code: str
    name: str
    """As those call it who speak it: ``Kiswahili``."""


class Languages:
    """What pages can be read in, and what somebody reads them in."""

    def __init__(self, catalogues: Catalogues, default: str) -> None:
        """``default``: for whom nothing else is known; raises ``ValueError`` for one that there is no catalogue for."""
        if default not in catalogues.languages:
            raise ValueError(f"{default!r} is no language of the pages; allowed: {', '.join(catalogues.languages)}")
        self._catalogues, self._default = catalogues, default
        self._words = {language: _words(catalogues, language) for language in catalogues.languages}
        self.choices = tuple(Choice(language, _own_name(language)) for language in catalogues.languages)

    def words_of(self, request: Request, principal: Principal | None) -> Words:
        """Return the words: as chosen in this browser, or else as the person or else the browser is set."""
        wishes = (request.cookies.get(LANGUAGE_COOKIE, ""), principal.language if principal else "")
        asked = (*wishes, *accepted(request.headers.get("accept-language", "")))
        known = next((found for each in asked if each and (found := self._catalogues.known(each))), self._default)
        return self._words[known]

    def words(self, language: str) -> Words:
        """Return the words of a language or its parent; of what pages are read in otherwise where there are neither."""
        return self._words[self._catalogues.known(language) or self._default]


def page_languages(default: str = "en") -> Languages:
    """Return the languages of the built-in pages."""
    return Languages(of_pages(), default)


@lru_cache(maxsize=1)
def of_pages() -> Catalogues:
    """Return the catalogues of the pages: read once, for they are part of the program."""
    return Catalogues(files("dashboards.pages") / "locale")


def accepted(header: str) -> list[str]:
    """Return the languages of an ``Accept-Language`` header, the most wanted first, without those refused (``q=0``).

    ``*`` is left out too: it wants no language in particular.
    """
    wanted = sorted(_weighed(header), key=lambda each: -each[0])
    return [language for weight, language in wanted if weight > 0]


def _weighed(header: str) -> Iterator[tuple[float, str]]:
    for part in header.split(",")[:_MOST_ASKED]:
        language, _, parameter = part.partition(";")
        weight = parameter.strip().removeprefix("q=") or "1"
        if language.strip() not in ("", "*"):
            yield float(weight) if weight.replace(".", "", 1).isdecimal() else 0.0, language.strip()


def _words(catalogues: Catalogues, language: str) -> Words:
    found = catalogues.translations(language)
    return Words(language, is_right_to_left(language), found.gettext, found.ngettext)


def _own_name(language: str) -> str:
    name = Locale.parse(language, sep="-").get_display_name() or language
    return name[:1].upper() + name[1:]

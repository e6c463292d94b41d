"""Sentences in the language of the one who reads them."""

from __future__ import annotations

from functools import cached_property, lru_cache
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from importlib.resources.abc import Traversable
from io import BytesIO

from babel.core import get_global
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

SOURCE = "en"
"""What stands in the code."""
_ENDING = ".po"
_RIGHT_TO_LEFT = frozenset({"Arab", "Hebr", "Thaa", "Syrc", "Nkoo", "Adlm", "Rohg"})


class Catalogues:
    """The catalogues in one folder, ``LANGUAGE.po`` each: what English sentences are in other languages."""

    def __init__(self, folder: Traversable) -> None:
        self._folder = folder
        self._translations: dict[str, NullTranslations] = {}

    @cached_property
    def languages(self) -> tuple[str, ...]:
        """Return the languages that there are catalogues for, English first."""
        names = (entry.name for entry in self._folder.iterdir())
        return (SOURCE, *sorted(name.removesuffix(_ENDING) for name in names if name.endswith(_ENDING)))

    def known(self, language: str) -> str | None:
        """Return the language itself or its parent, whichever there are sentences in; None where there is neither."""
        return next((each for each in _from_special_to_general(language) if each in self.languages), None)

    def read(self, language: str) -> Catalog:
        """Return the catalogue of a language as it is committed."""
        with (self._folder / f"{language}{_ENDING}").open("rb") as file:
            return read_po(file, locale=language.replace("-", "_"))

    def translations(self, language: str) -> NullTranslations:
        """Return what gettext reads, made in memory: nothing binary is kept, and nothing has to be built."""
        spoken = self.known(language) or SOURCE
        found = self._translations.get(spoken)
        if found is None:
            found = self._translations[spoken] = NullTranslations() if spoken == SOURCE else self._compiled(spoken)
        return found

    def _compiled(self, language: str) -> GNUTranslations:
        compiled = BytesIO()
        write_mo(compiled, self.read(language))
        compiled.seek(0)
        return GNUTranslations(compiled)


def say(language: str, sentence: str, /, **fields: object) -> str:
    """Return an English sentence in a language, its ``{fields}`` filled; in English where nobody translated it."""
    return of_messages().translations(language).gettext(sentence).format(**fields)


def say_many(language: str, one: str, many: str, count: int, /, **fields: object) -> str:
    """Return the form that belongs to a count, which both English sentences may name as ``{count}``."""
    return of_messages().translations(language).ngettext(one, many, count).format(count=count, **fields)


def gettext_noop(sentence: str) -> str:
    """Mark a sentence that is kept somewhere before it is said, so that it gets into the catalogues."""
    return sentence


@lru_cache(maxsize=1)
def of_messages() -> Catalogues:
    """Return the catalogues of what messages say."""
    return Catalogues(files(__package__) / "locale")


def languages() -> tuple[str, ...]:
    """Return the languages that messages are told in, English first."""
    return of_messages().languages


def spoken(language: str) -> str:
    """Return the language that is said to somebody who asked for this one: itself, its parent, or English."""
    return of_messages().known(language) or SOURCE


def script_of(language: str) -> str:
    """Return the ISO 15924 code of the script that a language is usually written in; ``Latn`` where unknown."""
    likely = get_global("likely_subtags")
    tag = next((likely[each] for each in _from_special_to_general(language, "_") if each in likely), "")
    return next((part for part in tag.split("_") if len(part) == 4 and part.isalpha()), "Latn")


def is_right_to_left(language: str) -> bool:
    """Tell whether the script of a language runs from right to left."""
    return script_of(language) in _RIGHT_TO_LEFT


def _from_special_to_general(language: str, separator: str = "-") -> tuple[str, ...]:
    """Return ``pt-BR`` and ``pt`` for ``pt_BR``, ``PT-br`` and ``pt-BR``."""
    general, _, special = language.strip().replace("_", "-").partition("-")
    return (f"{general.lower()}{separator}{special.upper()}", general.lower()) if special else (general.lower(),)

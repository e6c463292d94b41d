"""Sentences in the language of the one who reads them."""

from __future__ import annotations

from functools import lru_cache
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


def say(language: str, sentence: str, /, **fields: object) -> str:
    """Return an English sentence in a language, its ``{fields}`` filled; in English where nobody translated it."""
    return _translations(language).gettext(sentence).format(**fields)


def say_many(language: str, one: str, many: str, count: int, /, **fields: object) -> str:
    """Return the form that belongs to a count, which both English sentences may name as ``{count}``."""
    return _translations(language).ngettext(one, many, count).format(count=count, **fields)


def gettext_noop(sentence: str) -> str:
    """Mark a sentence that is kept somewhere before it is said, so that it gets into the catalogues."""
    return sentence


@lru_cache(maxsize=1)
def languages() -> tuple[str, ...]:
    """Return the languages that there are catalogues for, English first."""
    return (SOURCE, *sorted(entry.name.removesuffix(_ENDING) for entry in _catalogues()))


def spoken(language: str) -> str:
    """Return the language that is said to somebody who asked for this one: itself, its parent, or English."""
    return next((each for each in _from_special_to_general(language) if each in languages()), SOURCE)


def read_catalogue(language: str) -> Catalog:
    """Return the catalogue of a language as it is committed."""
    with (files(__package__) / "locale" / f"{language}{_ENDING}").open("rb") as file:
        return read_po(file, locale=language.replace("-", "_"))


def script_of(language: str) -> str:
    """Return the ISO 15924 code of the script that a language is usually written in; ``Latn`` where unknown."""
    likely = get_global("likely_subtags")
    tag = next((likely[each] for each in _from_special_to_general(language, "_") if each in likely), "")
    return next((part for part in tag.split("_") if len(part) == 4 and part.isalpha()), "Latn")


def is_right_to_left(language: str) -> bool:
    """Tell whether the script of a language runs from right to left."""
    return script_of(language) in _RIGHT_TO_LEFT


@lru_cache(maxsize=64)
def _translations(language: str) -> NullTranslations:
    """Return what gettext reads, made in memory: nothing binary is kept, and nothing has to be built."""
    found = spoken(language)
    if found == SOURCE:
        return NullTranslations()
    compiled = BytesIO()
    write_mo(compiled, read_catalogue(found))
    compiled.seek(0)
    return GNUTranslations(compiled)


def _catalogues() -> list[Traversable]:
    return [entry for entry in (files(__package__) / "locale").iterdir() if entry.name.endswith(_ENDING)]


def _from_special_to_general(language: str, separator: str = "-") -> tuple[str, ...]:
    """Return ``pt-BR`` and ``pt`` for ``pt_BR``, ``PT-br`` and ``pt-BR``."""
    general, _, special = language.strip().replace("_", "-").partition("-")
    return (f"{general.lower()}{separator}{special.upper()}", general.lower()) if special else (general.lower(),)

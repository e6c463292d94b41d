"""Sentences in the language of the one who reads them."""

from __future__ import annotations


def say(language: str, sentence: str, /, **fields: object) -> str:
    """Return an English sentence in a language, its ``{fields}`` filled; in English where nobody translated it."""
    return sentence.format(**fields)

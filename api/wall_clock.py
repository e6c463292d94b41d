"""Dates and times as people fill them into forms: the wall clock of a place."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus

from api.problems import RequestError
from dashboards.pages import forms
from dashboards.pages.words import Words

EXAMPLE = "2026-11-20T14:30"
_LONGEST = 40


def moment_of(text: str, zone: str, words: Words) -> datetime:
    """Return what a ``datetime-local`` field says; raise ``RequestError`` with a sentence for the person."""
    found = forms.moment_of(text, zone)
    if found is None:
        sentence = words(
            "{found} is no date and time; write it as {example}", found=repr(text[:_LONGEST]), example=EXAMPLE
        )
        raise RequestError(HTTPStatus.UNPROCESSABLE_ENTITY, sentence)
    return found

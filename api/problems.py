"""Errors that say what was found and what is allowed, and their way out as RFC 9457 problem documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final

from dashboards.pages.words import Words, noop
from domain.errors import Fault, VitalsError
from domain.instant import parse_rfc3339

PROBLEM_TYPE = "application/problem+json"
THINGS: Final = (
    noop("alert"),
    noop("backtest"),
    noop("channel"),
    noop("contact"),
    noop("dead letter"),
    noop("equipment"),
    noop("facility"),
    noop("file"),
    noop("node"),
    noop("report"),
    noop("roster"),
    noop("rule"),
)
"""What may not be there."""
_STATUS_OF_FAULT = {Fault.SENDER: 400, Fault.OPERATOR: 500, Fault.PEER: 503, Fault.SERVICE: 500}


class RequestError(VitalsError):
    """A request cannot be answered as asked; carries the HTTP status that says why."""

    fault = Fault.SENDER
    page: str = ""
    """Where a person can do something about it, and is led."""

    def __init__(
        self,
        status: HTTPStatus,
        sentence: str,
        headers: Mapping[str, str] | None = None,
        errors: Sequence[Mapping[str, str]] = (),
        fields: Mapping[str, object] = MappingProxyType({}),
    ) -> None:
        """``sentence``: in English, with ``{fields}``; pages translate one that is marked by ``noop``."""
        self.status = status
        self.headers = headers or {}
        self.errors = errors
        self.sentence, self.fields = sentence, fields
        super().__init__(_filled(sentence, fields))

    def said(self, words: Words) -> str:
        """Return the sentence for a person."""
        return _filled(words.gettext(self.sentence), self.fields)


class NotFoundError(RequestError):
    """Nothing is registered or kept under the id that was asked for."""

    def __init__(self, what: str, id_: str | int) -> None:
        id_ = repr(printable(str(id_), 200))
        super().__init__(HTTPStatus.NOT_FOUND, noop("There is no {what} {id}."), fields={"what": what, "id": id_})

    def said(self, words: Words) -> str:
        """Return the sentence for a person; what there is not is said in their language, too."""
        fields = {**self.fields, "what": words.gettext(str(self.fields["what"]))}
        return _filled(words.gettext(self.sentence), fields)


class NotAllowedError(RequestError):
    """The request came from where it must not come."""

    def __init__(self, sentence: str, **fields: object) -> None:
        super().__init__(HTTPStatus.FORBIDDEN, sentence, fields=fields)


def sentence_of(error: Exception | str, words: Words) -> str:
    """Return what an error says to a person, in their language where the sentence is one of the pages'."""
    if isinstance(error, RequestError):
        return error.said(words)
    return words.gettext(str(error)) if str(error) else ""


def _filled(sentence: str, fields: Mapping[str, object]) -> str:
    return sentence.format(**fields) if fields else sentence


def status_of(error: VitalsError) -> HTTPStatus:
    """Return the HTTP status that says whose fault an error is."""
    return error.status if isinstance(error, RequestError) else HTTPStatus(_STATUS_OF_FAULT[error.fault])


def problem(status: HTTPStatus, detail: str, instance: str, errors: Sequence[Mapping[str, str]] = ()) -> dict[str, Any]:
    """Return a problem document as plain data."""
    return {
        "type": "about:blank",
        "title": status.phrase,
        "status": int(status),
        "detail": printable(detail, 1000),
        "instance": printable(instance, 500),
        "errors": [dict(error) for error in errors],
    }


def field_sentences(errors: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Return what pydantic found wrong in a request: the field and a sentence, without repeating the input."""
    return [
        {
            "field": printable(".".join(str(step) for step in error["loc"]), 200),
            "sentence": printable(str(error["msg"]).removeprefix("Value error, "), 300),
        }
        for error in errors[:20]
    ]


def parse_moment(value: object) -> datetime:
    """Return the UTC datetime of RFC 3339 text; raise ``ValueError`` with a sentence for anything else."""
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    try:
        moment = parse_rfc3339(str(value))
    except (ValueError, OverflowError):
        raise ValueError(
            f"{printable(str(value), 60)!r} is not a time with its zone; write it as 2026-11-20T12:00:00Z "
            "(a + in an address is written %2B)"
        ) from None
    if not 1970 <= moment.year < 2200:
        raise ValueError(f"{printable(str(value), 60)!r} is out of reach; allowed: the years 1970 to 2199")
    return moment


def printable(text: str, most: int) -> str:
    """Return at most ``most`` characters of a text, with what cannot be written as UTF-8 or seen replaced."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text[:most])

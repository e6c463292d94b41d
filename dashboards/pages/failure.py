"""What went wrong, in words for a person."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from dashboards.pages.words import noop

_TITLES: Final = {
    HTTPStatus.BAD_REQUEST: noop("This cannot be answered"),
    HTTPStatus.UNAUTHORIZED: noop("Sign in first"),
    HTTPStatus.FORBIDDEN: noop("Not allowed"),
    HTTPStatus.NOT_FOUND: noop("Not found"),
    HTTPStatus.METHOD_NOT_ALLOWED: noop("Not possible here"),
    HTTPStatus.CONFLICT: noop("Not possible now"),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: noop("Too large"),
    HTTPStatus.MISDIRECTED_REQUEST: noop("Not known under this name"),
    HTTPStatus.UNPROCESSABLE_ENTITY: noop("Something is missing or wrong"),
    HTTPStatus.TOO_MANY_REQUESTS: noop("Too often"),
    HTTPStatus.INTERNAL_SERVER_ERROR: noop("Something went wrong here"),
    HTTPStatus.SERVICE_UNAVAILABLE: noop("Not possible for the moment"),
}


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong."""

    status: HTTPStatus
    sentence: str

    @property
    def title(self) -> str:
        """Return it in a few English words; translated where it is shown."""
        return _TITLES.get(self.status, noop("This did not work"))

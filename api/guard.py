"""Who may ask at all: the names the service answers to, the size of a request, and no posting across sites."""

from __future__ import annotations

import re
from collections.abc import Sequence
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.access.cookies import carries_session
from api.errors import error_response
from api.problems import NotAllowedError, RequestError
from dashboards.pages.words import noop

_READING_METHODS = {"GET", "HEAD", "OPTIONS"}
_KINDS_OF_PROGRAMS = {"application/json", "text/calendar"}


class Guard:
    """ASGI middleware that refuses a request before any route sees it."""

    def __init__(
        self,
        app: ASGIApp,
        hosts: Sequence[str],
        max_body_bytes: int,
        larger: Sequence[tuple[re.Pattern[str], int]] = (),
        outsiders: tuple[re.Pattern[str], int] | None = None,
    ) -> None:
        """``larger``: paths whose bodies have a limit of their own, and that limit.

        ``outsiders``: the paths that programs of others post to, with the limit of their bodies: they say nowhere that
        they come from, so what protects these paths is a secret within them.
        """
        self._app = app
        self._outsiders = outsiders
        self._hosts = frozenset(host.lower() for host in hosts)
        self._max_body_bytes, self._larger = max_body_bytes, larger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer with the reason why not."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            self._check(scope)
        except RequestError as error:
            await error_response(scope, error.status, error)(scope, receive, send)
            return
        await self._app(scope, _Limited(receive, self._most_bytes(scope)), send)

    def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        if "*" not in self._hosts and host_name(headers.get("host", "")) not in self._hosts:
            raise RequestError(
                HTTPStatus.MISDIRECTED_REQUEST,
                "The service does not answer to this name; the operator lists its names under `hosts`.",
            )
        length = headers.get("content-length", "0")
        most = self._most_bytes(scope)
        if not length.isdecimal() or len(length) > 12 or int(length) > most:
            too_large = noop("The request is larger than {most} bytes.")
            raise RequestError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, too_large, fields={"most": most})
        if scope["method"] not in _READING_METHODS and not self._is_for_outsiders(scope):
            require_same_site(headers, scope.get("scheme", "http"))

    def _is_for_outsiders(self, scope: Scope) -> bool:
        return self._outsiders is not None and self._outsiders[0].fullmatch(scope["path"]) is not None

    def _most_bytes(self, scope: Scope) -> int:
        if self._outsiders is not None and self._is_for_outsiders(scope):
            return self._outsiders[1]
        own = (most for pattern, most in self._larger if pattern.fullmatch(scope["path"]))
        return next(own, self._max_body_bytes)


class _Limited:
    """Counts a body that comes without its length."""

    def __init__(self, receive: Receive, most: int) -> None:
        self._receive = receive
        self._left = most

    async def __call__(self) -> Message:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise RequestError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, noop("The request is larger than allowed."))
        return message


def host_name(host: str) -> str:
    """Return the name in a Host header without its port, in lower case: ``[::1]:8080`` gives ``[::1]``."""
    name, colon, port = host.lower().rpartition(":")
    return name if colon and port.isdecimal() else host.lower()


def require_same_site(headers: Headers, scheme: str = "http") -> None:
    """Raise ``NotAllowedError`` unless a change was asked for by our own page or by a program that is no browser.

    Browsers of today say where a request comes from in ``Sec-Fetch-Site``, older ones in ``Origin`` or ``Referer``.
    A program says nothing; it must send JSON or a calendar, or a token of its own, none of which a page can send to
    another site without being asked first. What holds the cookie of a session comes from a browser, and must say it.
    """
    site, source = headers.get("sec-fetch-site"), headers.get("origin") or headers.get("referer")
    if site is not None:
        allowed = site in {"same-origin", "none"}
    elif source is not None:
        came_from = urlsplit(source)
        # Somebody in between can write what a plain page says under our own name.
        allowed = came_from.netloc.lower() == headers.get("host", "").lower() and scheme in ("http", came_from.scheme)
    elif carries_session(headers):
        allowed = False
    else:
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        allowed = kind in _KINDS_OF_PROGRAMS or headers.get("authorization", "").lower().startswith("bearer ")
    if not allowed:
        raise NotAllowedError(
            noop("A change must be asked for from this service's own pages, or as JSON by a program.")
        )

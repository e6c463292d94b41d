"""The cookies of signing in: one for the session, one by which a device is known again."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from starlette.datastructures import Headers
from starlette.requests import Request, cookie_parser
from starlette.responses import Response

_SESSION: Final = "vitals_session"
_DEVICE: Final = "vitals_device"
# A browser takes this prefix only with Secure, Path=/ and no domain: no other host or plain page can set it.
_BOUND: Final = "__Host-"
_DEVICE_SECONDS: Final = 400 * 86400
_LINK: Final = "vitals_link"
_ERRAND: Final = "vitals_errand"
_ERRAND_SECONDS: Final = 600
_LONGEST_ERRAND: Final = 3_500
_MOST_CHARACTERS: Final = 128


def session_token(request: Request) -> str:
    """Return the token of a session that a browser sent; empty for none."""
    return request.cookies.get(_name(_SESSION, request), "")[:_MOST_CHARACTERS]


def device_token(request: Request) -> str:
    """Return what the browser was given to be known again; empty for none."""
    return request.cookies.get(_name(_DEVICE, request), "")[:_MOST_CHARACTERS]


def carries_session(headers: Headers) -> bool:
    """Tell whether a request holds a cookie by which somebody is recognised, whatever it is worth."""
    sent = cookie_parser(headers.get("cookie", ""))
    return any(name in sent for each in (_SESSION, _LINK) for name in (each, _BOUND + each))


def keep_session(response: Response, request: Request, token: str, device: str, longest: timedelta) -> None:
    """Let the browser hold both; phones close browsers by themselves, so the session outlives that."""
    _set(response, request, _SESSION, token, round(longest.total_seconds()))
    _set(response, request, _DEVICE, device, _DEVICE_SECONDS)


def drop_session(response: Response, request: Request) -> None:
    """Let the browser forget the session."""
    _set(response, request, _SESSION, "", 0)


def keep_errand(response: Response, request: Request, kept: str) -> None:
    """Let the browser keep what it needs when it comes back from a single sign-on; empty to forget it."""
    _set(response, request, _ERRAND, kept, _ERRAND_SECONDS if kept else 0)


def errand_kept(request: Request) -> str:
    """Return what the browser kept; empty for nothing."""
    return request.cookies.get(_name(_ERRAND, request), "")[:_LONGEST_ERRAND]


def keep_link(response: Response, request: Request, token: str, left: timedelta) -> None:
    """Let the browser hold the token of the link that somebody came by, for as long as it is worth something."""
    _set(response, request, _LINK, token, max(1, round(left.total_seconds())))


def link_kept(request: Request) -> str:
    """Return the token of the link that somebody came by; empty for none."""
    return request.cookies.get(_name(_LINK, request), "")[:_MOST_CHARACTERS]


def _set(response: Response, request: Request, name: str, value: str, seconds: int) -> None:
    secure = request.url.scheme == "https"
    response.set_cookie(
        _name(name, request), value, max_age=seconds, path="/", httponly=True, samesite="lax", secure=secure
    )


def _name(name: str, request: Request) -> str:
    return _BOUND + name if request.url.scheme == "https" else name

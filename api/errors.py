"""Errors on their way out: a page for a person, a problem document for a program."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from urllib.parse import quote

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.datastructures import URL, Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import Scope

from api.headers import security_headers
from api.problems import PROBLEM_TYPE, RequestError, field_sentences, problem, sentence_of, status_of
from api.visit import open_to_all
from dashboards.pages.words import Words, noop
from domain.access import EVERYBODY, NOBODY, Principal
from domain.errors import VitalsError

logger = logging.getLogger(__name__)

API_PREFIX = "/api/"
_OWN_FAULT = noop("Something went wrong inside the service; it has been written to the log.")


def install(api: FastAPI) -> None:
    """Let every error leave as a problem document or an error page."""
    api.add_exception_handler(HTTPException, _http_error)
    api.add_exception_handler(RequestValidationError, _invalid)
    api.add_exception_handler(VitalsError, _own_error)
    api.add_exception_handler(Exception, _unexpected)


def error_response(
    scope: Scope, status: HTTPStatus, error: Exception | str, errors: Sequence[Mapping[str, str]] = ()
) -> Response:
    """Return an error as the asker can read it: a person in their language, a program in English."""
    headers = {**security_headers(scope), "Cache-Control": "no-store"}
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = "5"
    if _wants_page(scope):
        render = scope["app"].state.render_error if "app" in scope else None
        if render is not None:
            words = words_for(scope)
            page = render(status, sentence_of(error, words), words, _asker(scope))
            return HTMLResponse(page, status_code=status, headers=headers)
    body = problem(status, str(error), str(scope.get("path", "")), errors)
    return JSONResponse(body, status_code=status, media_type=PROBLEM_TYPE, headers=headers)


def _asker(scope: Scope) -> Principal:
    """Return who asks, where it came to a visit; before that somebody who may do nothing, unless nobody signs in."""
    found: Principal | None = scope.get("state", {}).get("principal")
    return found or (EVERYBODY if scope["app"].state.door.recognise is open_to_all else NOBODY)


def words_for(scope: Scope) -> Words:
    """Return the words of whoever asks: of the visit, or where it did not come to one, as the browser asks."""
    found: Words | None = scope.get("state", {}).get("words")
    return found or scope["app"].state.door.words(Request(scope), None)


def _wants_page(scope: Scope) -> bool:
    accepts_pages = "text/html" in Headers(scope=scope).get("accept", "")
    return accepts_pages and not str(scope.get("path", "")).startswith(API_PREFIX)


def _http_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise TypeError(f"{error!r} is not an HTTP error")
    status = HTTPStatus(error.status_code)
    sentence = _SENTENCES.get(status, error.detail or status.phrase)
    response = error_response(request.scope, status, sentence)
    for name, value in (error.headers or {}).items():
        response.headers[name] = value
    return response


_SENTENCES = {
    HTTPStatus.NOT_FOUND: noop("There is nothing at this address."),
    HTTPStatus.METHOD_NOT_ALLOWED: noop("This address does not take this kind of request."),
}


def _invalid(request: Request, error: Exception) -> Response:
    errors = field_sentences(error.errors()) if isinstance(error, RequestValidationError) else []
    detail = "; ".join(f"{each['field']}: {each['sentence']}" for each in errors)
    return error_response(request.scope, HTTPStatus.UNPROCESSABLE_ENTITY, detail, errors)


def _own_error(request: Request, error: Exception) -> Response:
    status = status_of(error) if isinstance(error, VitalsError) else HTTPStatus.INTERNAL_SERVER_ERROR
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        logger.error("%s %s failed: %s", request.method, request.url.path, error)
    if not isinstance(error, RequestError):
        return error_response(request.scope, status, error)
    if error.page and _wants_page(request.scope) and "authorization" not in request.headers:
        return RedirectResponse(f"{error.page}?next={quote(_asked_for(request), safe='')}", HTTPStatus.SEE_OTHER)
    response = error_response(request.scope, status, error, error.errors)
    response.headers.update(error.headers)
    return response


def _asked_for(request: Request) -> str:
    """Return the page that a person wanted to see: what came with a form is lost, so then the page with the form."""
    if request.method in {"GET", "HEAD"}:
        wanted = request.url.remove_query_params("part")
    else:
        wanted = URL(request.headers.get("referer", "/"))
        if wanted.netloc != request.headers.get("host"):
            return "/"
    return f"{wanted.path}?{wanted.query}" if wanted.query else wanted.path


def _unexpected(request: Request, error: Exception) -> Response:
    # The server logs the traceback itself; the asker learns nothing about the inside.
    logger.error("%s %s failed: %r", request.method, request.url.path, error)
    return error_response(request.scope, HTTPStatus.INTERNAL_SERVER_ERROR, _OWN_FAULT)

"""What every page needs: who is looking, what waits for an answer, and how a page is sent."""

from __future__ import annotations

import hashlib
from http import HTTPStatus
from urllib.parse import parse_qs, quote, unquote

from fastapi import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from api.problems import RequestError
from api.services import Services
from api.visit import Visit
from dashboards.pages.alerts import NEEDS_ANSWER, AlertScene
from dashboards.pages.render import Frame, Pages
from dashboards.pages.words import Words
from domain.access import Principal

REVALIDATE = {"Cache-Control": "private, no-cache", "Vary": "Cookie, Accept-Language"}
_PERSON_COOKIE = "vitals_name"
YEAR_SECONDS = 365 * 86400
_MOST_FIELDS = 60


async def page(
    visit: Visit, pages: Pages, template: str, view: object, *, live: bool = False, status: int = 200
) -> Response:
    """Return a page of a view, to be asked for again each time; with ``live`` only what an open page replaces."""
    frame = Frame(
        words=visit.words,
        address=address_of(visit.request),
        live=live,
        waiting=waiting_count(visit.services),
        person=visit.principal.name or person_of(visit.request),
        principal=visit.principal,
    )
    headers = {**REVALIDATE, "Vitals-Reader": reader_mark(visit.principal)}
    return HTMLResponse(pages.write(template, view, frame).encode("utf-8", "replace"), status, headers=headers)


def reader_mark(principal: Principal) -> str:
    """Return whose page it is, so that what a browser keeps of it is never shown to anybody else."""
    return hashlib.blake2b(principal.id.encode("utf-8", "replace"), digest_size=8).hexdigest()


def address_of(request: Request) -> str:
    """Return where to come back to: the page itself, without what only a script asks for."""
    url = request.url.remove_query_params("part")
    return f"{url.path}?{url.query}" if url.query else url.path


def scene_of(services: Services, words: Words) -> AlertScene:
    """Return what the words of alerts depend on, at this moment."""
    return AlertScene(
        services.directory(), services.latest, services.describe, services.clock.now_ms(), words, services.may_act
    )


def waiting_count(services: Services) -> int:
    """Return how many alerts wait for an answer."""
    return sum(alert.state in NEEDS_ANSWER for alert in services.open_alerts())


def person_of(request: Request) -> str:
    """Return the name that this browser gave last."""
    return unquote(request.cookies.get(_PERSON_COOKIE, ""), errors="replace")[:80]


def done(visit: Visit, person: str, wanted: str, otherwise: str) -> Response:
    """Return to the page that a form came from, and remember who sent it where nobody signs in."""
    response = RedirectResponse(local_path(wanted, otherwise), status_code=303)
    if not visit.principal.name:
        response.set_cookie(
            _PERSON_COOKIE, quote(person), max_age=YEAR_SECONDS, httponly=True, samesite="lax",
            secure=visit.request.url.scheme == "https",
        )  # fmt: skip
    return response


def form_of(body: bytes, most: int = _MOST_FIELDS) -> dict[str, str]:
    """Return the fields of a form; of one that stands there twice, the last; raise ``RequestError`` for too many."""
    try:
        fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=most)
    except ValueError:
        sentence = f"The form has more than {most} fields."
        raise RequestError(HTTPStatus.UNPROCESSABLE_ENTITY, sentence) from None
    return {name: values[-1] for name, values in fields.items()}


def local_path(wanted: str, otherwise: str) -> str:
    """Return an address on this service; one that would lead elsewhere is replaced."""
    safe = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and wanted.isprintable() and wanted.isascii()
    return wanted if safe and len(wanted) <= 1000 else otherwise

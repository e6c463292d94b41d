"""The language menu in the foot of every page."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from api.languages import LANGUAGE_COOKIE
from api.page_parts import YEAR_SECONDS, form_of, local_path

_LONGEST = 20


def language_routes() -> APIRouter:
    """Return the route of the language menu, which is for everybody, signed in or not."""
    router = APIRouter(include_in_schema=False)

    @router.post("/language")
    async def choose_language(request: Request) -> Response:
        form = form_of(await request.body())
        response = RedirectResponse(local_path(form.get("next", ""), "/"), status_code=303)
        response.set_cookie(
            LANGUAGE_COOKIE, form.get("language", "")[:_LONGEST], max_age=YEAR_SECONDS, httponly=True, samesite="lax",
            secure=request.url.scheme == "https",
        )  # fmt: skip
        return response

    return router

"""What message gateways post to us: delivery reports and answers of people, over HTTP."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from alerts.notifiers.notifier import Callback
from api.problems import RequestError
from api.services import Services

MOST_BYTES = 262_144
PATTERN = r"/callbacks/[a-z0-9_]{1,40}/[A-Za-z0-9_-]{16,128}"
"""Paths below the API's prefix that gateways may post to."""

Channel = Annotated[str, Path(pattern=r"^[a-z0-9_]{1,40}$")]
Token = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{16,128}$")]


def callback_routes(services: Services) -> APIRouter:
    """Return the routes under ``/callbacks``."""
    router = APIRouter(tags=["callbacks"], responses={404: {"description": "Nobody listens here"}})

    async def hear(request: Request, channel: Channel, token: Token) -> Response:
        """Take a delivery report or an answer, and answer when it is kept: a gateway repeats what was not."""
        heard = None
        if services.hear_callback is not None:
            headers = {name.lower(): value for name, value in request.headers.items()}
            callback = Callback(request.method, headers, dict(request.query_params), await request.body())
            heard = await services.hear_callback(channel, token, callback)
        if heard is None:
            raise RequestError(HTTPStatus.NOT_FOUND, "No channel listens at this address.")
        return Response(heard.answer, media_type=heard.content_type, headers={"Cache-Control": "no-store"})

    path = "/callbacks/{channel}/{token}"
    kept: dict[int | str, dict[str, Any]] = {200: {"description": "Kept"}}
    router.get(path, summary="A gateway's question, or what it tells by GET", responses=kept)(hear)
    router.post(path, summary="What a gateway tells", responses=kept)(hear)
    return router

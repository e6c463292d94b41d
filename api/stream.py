"""The event stream's route."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import StreamingResponse

from api.events import EventHub


def stream_routes(hub: EventHub) -> APIRouter:
    """Return ``/events``."""
    router = APIRouter(tags=["events"])

    @router.get(
        "/events",
        summary="Changes as they happen",
        response_class=StreamingResponse,
        responses={200: {"content": {"text/event-stream": {}}}, 503: {"description": "Too many streams, or stopping"}},
    )
    async def events(facility: Annotated[str | None, Query(max_length=300)] = None) -> StreamingResponse:
        """Stream what changes, with comments as heartbeat.

        `facility`: a status changed. `alert`: raised, changed or over. `heard`: new readings came, only with the
        parameter `facility`. `reset`: the listener was too slow and should load everything again.
        """
        hub.require_place()
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(hub.stream(facility), media_type="text/event-stream", headers=headers)

    return router

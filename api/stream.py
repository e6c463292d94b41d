"""The event stream's route."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import StreamingResponse

from api.events import EventHub
from api.problems import NotFoundError
from api.visit import Viewing


def stream_routes(hub: EventHub) -> APIRouter:
    """Return ``/events``."""
    router = APIRouter(tags=["events"])

    @router.get(
        "/events",
        summary="Changes as they happen",
        response_class=StreamingResponse,
        responses={
            200: {"content": {"text/event-stream": {}}},
            404: {"description": "Unknown facility"},
            503: {"description": "Too many streams, or stopping"},
        },
    )
    async def events(
        visit: Viewing, facility: Annotated[str | None, Query(max_length=300)] = None
    ) -> StreamingResponse:
        """Stream what changes, with comments as heartbeat.

        `facility`: a status changed. `alert`: raised, changed or over. `heard`: new readings came, only with the
        parameter `facility`. `reset`: the listener was too slow and should load everything again. The stream ends
        soon after whoever listens has signed out or may see something else.
        """
        if facility is not None and facility not in visit.services.directory().facilities:
            raise NotFoundError("facility", facility)
        hub.require_place()
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(
            hub.stream(facility, visit.sees, visit.goes_on), media_type="text/event-stream", headers=headers
        )

    return router

"""Whether the service lives and works, and its figures for Prometheus."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api.exposition import Scrapes
from api.models import Liveness, Part, Readiness
from api.openapi import FOR_SOMEBODY
from api.services import Services
from api.visit import Viewing

EXPOSITION_TYPES = ("text/plain", "application/openmetrics-text")


def health_routes(services: Services) -> APIRouter:
    """Return ``/healthz``, ``/readyz`` and ``/metrics``."""
    router = APIRouter(tags=["health"])
    scrapes = Scrapes()

    @router.get("/healthz", summary="The process lives")
    async def healthz() -> Liveness:
        """Return as soon as the process can answer at all."""
        return Liveness()

    @router.get("/readyz", summary="Every part can do its work", responses={503: {"model": Readiness}})
    async def readyz(response: Response) -> Readiness:
        """Return the state of each part; 503 when one of them cannot do its work."""
        parts = [Part(name=part.name, ready=part.ready, sentence=part.sentence) for part in services.parts()]
        ready = all(part.ready for part in parts)
        response.status_code = 200 if ready else 503
        return Readiness(ready=ready, parts=parts)

    @router.get(
        "/metrics",
        summary="Figures for Prometheus",
        response_class=Response,
        responses={200: {"content": {each: {} for each in EXPOSITION_TYPES}}, **FOR_SOMEBODY},
    )
    async def metrics(visit: Viewing, request: Request) -> Response:
        """Return the service's figures and those of facilities; scrapes that come together share one rendering."""
        return await scrapes.answer(request, visit.services.metrics)

    @router.get(
        "/metrics/equipment",
        summary="Figures of every channel for Prometheus",
        response_class=Response,
        responses={200: {"content": {each: {} for each in EXPOSITION_TYPES}}, **FOR_SOMEBODY},
    )
    async def equipment_metrics(visit: Viewing, request: Request) -> Response:
        """Return the newest values of as many channels as the operator allows, and how many are left out."""
        return await scrapes.answer(request, visit.services.equipment_metrics)

    return router

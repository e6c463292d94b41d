"""What Prometheus would be told by the service of a story."""

from __future__ import annotations

import httpx

from app.stories.service import Service


async def metrics_of(service: Service, path: str = "/metrics", *, accept: str = "text/plain") -> bytes:
    """Return the text of ``/metrics``, in the format that is asked for."""
    transport = httpx.ASGITransport(service.parts.web.api)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        return (await client.get(path, headers={"Accept": accept})).content

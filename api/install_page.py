"""What makes the pages an application on a phone, over HTTP: for everybody, as it shows nothing of anybody."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from api.page_parts import REVALIDATE
from api.visit import Door
from dashboards.pages.assets import Asset
from dashboards.pages.install import manifest, worker
from dashboards.pages.render import Frame, Pages
from domain.access import NOBODY


def add_install_pages(router: APIRouter, pages: Pages, assets: Mapping[str, Asset]) -> None:
    """Add the manifest, the service worker, and the page that it shows where it has nothing better."""
    documents = {
        "/manifest.webmanifest": (manifest(assets).encode(), "application/manifest+json"),
        "/sw.js": (worker(assets).encode(), "text/javascript; charset=utf-8"),
    }

    @router.get("/manifest.webmanifest")
    @router.get("/sw.js")
    async def document(request: Request) -> Response:
        content, content_type = documents[request.url.path]
        return Response(content, headers={"Cache-Control": "no-cache", "Content-Type": content_type})

    @router.get("/offline")
    async def offline(request: Request) -> Response:
        door: Door = request.app.state.door
        words = door.words(request, await door.recognise(request))
        text = pages.write("offline.html", None, Frame(words=words, principal=NOBODY))
        return HTMLResponse(text.encode("utf-8", "replace"), headers=REVALIDATE)

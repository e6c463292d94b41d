"""The HTTP application: routes, guards and headers put together."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI
from starlette.middleware.gzip import GZipMiddleware

from api import errors
from api.access.desk import AccessDesk
from api.access.recognise import Recogniser
from api.access_routes import access_routes
from api.alert_link import AlertLinks, link_routes
from api.alerting import alerting_routes
from api.alerts import alert_routes
from api.callbacks import MOST_BYTES as MOST_CALLBACK_BYTES
from api.callbacks import PATTERN, callback_routes
from api.channels import channel_routes
from api.claim_pages import MOST_BYTES as MOST_CLAIM_BYTES
from api.claim_pages import PATTERN as CLAIMS
from api.discovery import discovery_routes
from api.events import EventHub
from api.facilities import facility_routes
from api.figures import figure_routes
from api.guard import Guard
from api.headers import EntityTags, SecurityHeaders
from api.health import health_routes
from api.inbox import inbox_routes
from api.language_page import language_routes
from api.languages import page_languages
from api.letters import letter_routes
from api.measures import measure_routes
from api.on_call import on_call_routes
from api.openapi import ANYWHERE, FOR_SENDERS, FOR_SOMEBODY, describe_errors
from api.pages import page_routes
from api.readings import MOST_BYTES, PATH, reading_routes
from api.report_services import ReportKind
from api.reports import report_routes
from api.rosters import MOST_BYTES as MOST_CALENDAR_BYTES
from api.rosters import PATTERN as CALENDARS
from api.rosters import roster_routes
from api.services import Services
from api.settings import ApiSettings
from api.stream import stream_routes
from api.visit import Door, Recognise, open_to_all
from dashboards.pages.assets import read_assets
from dashboards.pages.render import Pages

PREFIX = "/api/v1"
DESCRIPTION = """\
What Vitals knows of health facilities: power, cold chain, water, and whether they are heard at all.

Times are RFC 3339 in UTC. Values are in the canonical unit that stands beside them. Ids of channels hold slashes
(`facility/equipment/quantity`) and stand in addresses as they are. Errors are problem documents (RFC 9457).
"""


def create_api(
    services: Services,
    settings: ApiSettings | None = None,
    *,
    recognise: Recognise = open_to_all,
    access: AccessDesk | None = None,
    link_key: bytes | None = None,
) -> FastAPI:
    """Return the application; ``api.state.events.close()`` ends the event streams before the server stops.

    ``access`` is where people sign in, and then says who asks; without it ``recognise`` does. ``link_key``
    is what the links in messages are signed by; None where there are none.
    """
    settings = settings or ApiSettings()
    hub = EventHub(services, settings)
    assets = read_assets()
    languages = page_languages(settings.language)
    pages = Pages(assets, services.notice, languages.choices)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await hub.close()

    api = FastAPI(
        title="Vitals",
        version="1",
        description=DESCRIPTION,
        openapi_url=f"{PREFIX}/openapi.json",
        # The interactive pages of FastAPI load scripts from other hosts.
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        redirect_slashes=False,
    )
    api.state.events = hub
    recogniser = None if access is None else Recogniser(access)
    links = None if link_key is None else AlertLinks(link_key, services)
    known = recogniser or recognise
    api.state.door = Door(services, links.recognise(known) if links else known, languages.words_of)
    api.state.render_error = pages.error
    errors.install(api)
    api.include_router(_versioned(services, hub))
    api.include_router(health_routes(services), responses=ANYWHERE)
    api.include_router(discovery_routes(), responses={**ANYWHERE, **FOR_SOMEBODY})
    describe_errors(api)
    api.include_router(language_routes())
    api.include_router(page_routes(pages, assets))
    if links is not None:
        api.include_router(link_routes(pages, links, languages.words_of))
    if access is not None and recogniser is not None:
        api.include_router(access_routes(pages, access, recogniser))
    # The last one added stands outermost.
    api.add_middleware(EntityTags)
    api.add_middleware(GZipMiddleware, minimum_size=500, compresslevel=6)
    larger = (
        (re.compile(re.escape(PREFIX + PATH)), MOST_BYTES),
        (re.compile(re.escape(PREFIX) + CALENDARS), MOST_CALENDAR_BYTES),
        (re.compile(CLAIMS), MOST_CLAIM_BYTES),
    )
    api.add_middleware(
        Guard,
        hosts=settings.hosts,
        max_body_bytes=settings.max_body_bytes,
        larger=larger,
        outsiders=(re.compile(re.escape(PREFIX) + PATTERN), MOST_CALLBACK_BYTES),
    )
    api.add_middleware(SecurityHeaders)
    return api


def _versioned(services: Services, hub: EventHub) -> APIRouter:
    router = APIRouter(prefix=PREFIX, responses=ANYWHERE)
    for part in (
        facility_routes(),
        channel_routes(),
        alert_routes(),
        measure_routes(),
        figure_routes(),
        letter_routes(),
        roster_routes(),
        stream_routes(hub),
        alerting_routes(),
        on_call_routes(),
        inbox_routes(),
        *map(report_routes, ReportKind),
    ):
        router.include_router(part, responses=FOR_SOMEBODY)
    for part in (reading_routes(services), callback_routes(services)):
        router.include_router(part, responses=FOR_SENDERS)
    return router

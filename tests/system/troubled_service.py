"""A real service with two facilities in trouble: warm fridges, no power, low tanks, promises, somebody who is told."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

from app.config import ServiceConfig
from app.issuing.authority import Authority
from app.rulebook import read_rules
from app.stories.clock import HandClock
from app.stories.play import USUAL_SETTINGS
from app.stories.schedule import Arrival
from app.stories.service import Service
from domain.document import Document
from domain.places import Facility
from domain.reading import Batch, Sample
from domain.senml import WireFormat, encode
from domain.topics import UpLane
from tests.app.scraping import metrics_of

MINUTES = 40
MINUTE_MS = 60_000
MEASURED = {"fridge/temperature": 9.0, "mains/supply": 0.0, "tank/tank_level": 0.1}
RULES = """\
rules:
  - id: warm
    title: Too warm
    severity: critical
    applies_to: {quantity: temperature, equipment: fridge}
    when: {above: {limit: 8 °C, comparison: ">", clear: 7 °C}}
    action: Move the vaccines.
"""


@asynccontextmanager
async def troubled_service(folder: Path, places: Sequence[Facility]) -> AsyncIterator[Callable[[], Awaitable[bytes]]]:
    """Run the service through forty minutes; yields what gives the text of a scrape, a minute later each time."""
    rules = folder / "rules.yaml"
    rules.write_text(RULES, "utf-8")
    settings = {
        "data": folder / "data",
        "rules": {"files": [rules]},
        "sla": {"targets": [{"ratio": 0.95}]},
        # Away: what is to be forwarded waits.
        "influxdb": {"kind": "v1", "url": "http://127.0.0.1:9", "database": "vitals"},
    }
    config = ServiceConfig.model_validate({**USUAL_SETTINGS, **settings})
    config.data.mkdir()
    Authority.open(config.authority_folder, now=datetime.now(UTC))
    clock = HandClock(int(time.time() * 1000) - MINUTES * MINUTE_MS)
    service = Service(config, read_rules(config.rules), Document("the places", registry(places)), clock)
    await service.open()
    await service.parts.intake.certificates.look()
    numbers = count(1)
    for _ in range(MINUTES):
        await say(service, places, next(numbers))
        await service.let_pass(clock.now_ms() + MINUTE_MS)

    async def scraped() -> bytes:
        await say(service, places, next(numbers))
        await service.let_pass(clock.now_ms() + MINUTE_MS)
        await service.parts.judgement.open_alerts.refresh()
        await service.parts.web.board.refresh()
        return await metrics_of(service)

    try:
        yield scraped
    finally:
        await service.close()


async def say(service: Service, places: Sequence[Facility], number: int) -> None:
    """Let every facility's node say that all is wrong."""
    now_ms = service.clock.now_ms()
    samples = tuple(Sample(name, now_ms, value) for name, value in MEASURED.items())
    for place in places:
        payload = encode(Batch(place.id, "e", number, samples), format=WireFormat.JSON)
        await service.take(Arrival(now_ms, place.id, UpLane.LIVE, payload))


def registry(places: Sequence[Facility]) -> dict[str, Any]:
    """Return the facilities as a registry document holds them, and somebody who is told."""
    facilities = [
        {
            **{name: getattr(place, name) for name in ("id", "name", "country", "region", "district", "timezone")},
            "nodes": [{"id": place.id}],
            "equipment": [
                equipment("fridge", "temperature", place.id, {"low": 2, "high": 8}),
                equipment("mains", "supply", place.id, {}),
                equipment("tank", "tank_level", place.id, {"low": 0.2}),
            ],
        }
        for place in places
    ]
    return {"facilities": facilities, "contacts": [{"id": "amina", "name": "Amina", "phone": "+256700000001"}]}


def equipment(kind: str, quantity: str, node: str, limits: dict[str, float]) -> dict[str, Any]:
    """Return a piece of equipment with one channel."""
    channel = {"quantity": quantity, "node": node, "interval": "1min", "limits": limits}
    return {"id": kind, "kind": kind, "name": kind, "channels": [channel]}

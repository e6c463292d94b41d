"""``vitals sla --reconcile``: the live view of Prometheus beside the contract figures, with the reasons."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

import aiohttp

from app.config import ServiceConfig
from app.database import open_database
from app.reports.recorded import Asked, Progress, read_ground, recorded_in
from dashboards.sla.reconcile import Difference, Live, Samples, clock, difference, facts_of, live_of
from dashboards.sla.spans import Span
from domain.errors import PeerError
from domain.instant import DAY_MS, SECOND_MS, format_rfc3339, to_ms
from domain.places import Facility

_DOWN: Final = "vitals_facility_outage_seconds_total"
_OBSERVED: Final = "vitals_facility_observed_seconds_total"
_BEFORE_MS: Final = 300 * SECOND_MS
"""Samples from so long before a period say what a counter stood at when it began."""
_PATIENCE: Final = aiohttp.ClientTimeout(total=60)
_Series = dict[tuple[str, str], Samples]
"""By metric and service."""


async def reconcile(
    config: ServiceConfig, asked: Asked, url: str, *, now: datetime, progress: Progress
) -> list[tuple[Facility, list[Difference]]]:
    """Return how far the two views are apart at each facility; raise ``PeerError`` where Prometheus does not answer."""
    async with open_database(config.database_url) as database:
        ground = await read_ground(database, asked, now)
    found = []
    async with aiohttp.ClientSession(timeout=_PATIENCE) as session:
        async for facility, recorded in recorded_in(config, ground, asked, now=now, progress=progress):
            series = await _series(session, url, facility.id, recorded.period)
            facts = facts_of(facility, ground.directory, recorded)
            lives = {service: _live(series, service.value, recorded.period) for service in facts}
            found.append((facility, [difference(each, facts[each], lives[each], recorded.period) for each in facts]))
    return found


def _live(series: _Series, service: str, period: Span) -> Live:
    return live_of(series.get((_DOWN, service), ()), series.get((_OBSERVED, service), ()), period)


async def _series(session: aiohttp.ClientSession, url: str, facility: str, period: Span) -> _Series:
    """Return the samples of a facility, asked for a day at a time."""
    chosen = f'{{__name__=~"{_DOWN}|{_OBSERVED}",facility={json.dumps(facility)}}}'
    found: defaultdict[tuple[str, str], defaultdict[str, dict[float, float]]] = defaultdict(lambda: defaultdict(dict))
    begin = period.from_ms - _BEFORE_MS
    while begin < period.to_ms:
        end = min(begin + DAY_MS, period.to_ms + _BEFORE_MS)
        length = (end - begin) // SECOND_MS + 1
        for each in await _ask(session, url, f"{chosen}[{length}s]", end / SECOND_MS):
            labels = each["metric"]
            samples = found[labels["__name__"], labels.get("service", "")][json.dumps(labels, sort_keys=True)]
            samples.update((float(at), float(value)) for at, value in each["values"])
        begin = end
    return {key: _joined(series) for key, series in found.items()}


def _joined(series: Mapping[str, Mapping[float, float]]) -> Samples:
    """Return one series of several; of those that lie beside each other in time only the longest."""
    taken: list[list[tuple[float, float]]] = []
    for each in sorted(series.values(), key=len, reverse=True):
        samples = sorted(each.items())
        if all(samples[-1][0] < other[0][0] or samples[0][0] > other[-1][0] for other in taken):
            taken.append(samples)
    return [sample for samples in sorted(taken) for sample in samples]


async def _ask(session: aiohttp.ClientSession, url: str, query: str, at: float) -> list[dict[str, Any]]:
    address = f"{url.rstrip('/')}/api/v1/query"
    try:
        async with session.post(address, data={"query": query, "time": f"{at:.3f}"}) as response:
            answer = await response.json(content_type=None)
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise PeerError(f"Prometheus at {url} does not answer: {str(error) or type(error).__name__}") from error
    if not isinstance(answer, dict) or answer.get("status") != "success":
        said = answer.get("error") if isinstance(answer, dict) else answer
        raise PeerError(f"Prometheus at {url} does not answer a query: {said}")
    found: list[dict[str, Any]] = answer["data"]["result"]
    return found


def as_lines(found: list[tuple[Facility, list[Difference]]]) -> list[str]:
    """Return it in lines of text."""
    lines = []
    for facility, differences in found:
        lines.append(f"{facility.id} ({facility.name})")
        for each in differences:
            word = "agree" if each.agree else "differ"
            lines.append(
                f"  {each.service.value}: {word}; down {clock(each.contract_down)} by the contract, "
                f"{clock(each.live_down)} live; known {clock(each.contract_known)} and {clock(each.live_observed)}"
            )
            lines += [f"    {reason}" for reason in each.reasons]
    return lines


def as_document(found: list[tuple[Facility, list[Difference]]], asked: Asked, now: datetime) -> dict[str, Any]:
    """Return it as plain data."""
    return {
        "from": format_rfc3339(asked.start),
        "to": format_rfc3339(asked.end),
        "as_of": format_rfc3339(to_ms(now)),
        "facilities": [
            {"id": facility.id, "services": {each.service.value: _document(each) for each in differences}}
            for facility, differences in found
        ],
    }


def _document(each: Difference) -> dict[str, Any]:
    return {
        "agree": each.agree,
        "contract_down_seconds": round(each.contract_down, 3),
        "contract_known_seconds": round(each.contract_known, 3),
        "live_down_seconds": round(each.live_down, 3),
        "live_observed_seconds": round(each.live_observed, 3),
        "reasons": list(each.reasons),
    }


async def tell_reconciliation(
    config: ServiceConfig,
    asked: Asked,
    url: str,
    *,
    now: datetime,
    form: str,
    write: Callable[[str], None],
    progress: Progress,
) -> None:
    """Say where the two views differ, and why."""
    found = await reconcile(config, asked, url, now=now, progress=progress)
    if form == "json":
        text = json.dumps(as_document(found, asked, now), indent=2, ensure_ascii=False)
    else:
        text = "\n".join(as_lines(found))
    await asyncio.to_thread(write, text + "\n")

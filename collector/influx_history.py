"""Asking InfluxDB what the journal would answer: readings and roll-ups of one channel, by InfluxQL.

InfluxQL is the one language of 1.x, 2.x (where the bucket is mapped to a database, by itself since 2.4) and 3 Core.
What is not stored there cannot be answered: a reading's moment of arrival; its moment of measurement stands for it.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import aiohttp

from collector.forwarder.client import basic_authorization, read_body
from collector.forwarder.line_protocol import measurement_text, tag_text
from collector.forwarder.rollup_lines import SECONDS, SUFFIXES
from collector.forwarder.settings import InfluxKind, InfluxSettings
from collector.journal.rollup import Resolution, Rollup
from domain.channel_day import ChannelDay, fuller
from domain.errors import OperatorError, PeerError
from domain.instant import SECOND_MS
from domain.places import Channel
from domain.reading import QUALITY_BY_LABEL, Quality, Reading

LARGEST_ANSWER_BYTES = 64 * 2**20
_PAGE = 100_000
_CHANNELS_AT_ONCE = 300
"""What one question names: a statement has its limits too."""
_HINTS = {
    401: "check username and password, or the token",
    403: "the user or token may not read this database",
    404: "no such database; on 2.x the bucket needs a mapping (influx v1 dbrp create)",
}
_Row = Mapping[str, Any]


@asynccontextmanager
async def open_history(settings: InfluxSettings) -> AsyncIterator[InfluxHistory]:
    """Yield who asks the configured server; nothing is sent before the first question."""
    headers = basic_authorization(settings)
    if settings.kind is not InfluxKind.V1 and settings.token is not None:
        headers = {"Authorization": f"Token {settings.token.get_secret_value()}"}
    timeout = aiohttp.ClientTimeout(total=settings.timeout.total_seconds())
    async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:
        yield InfluxHistory(session, settings)


class InfluxHistory:
    """Answers as ``Journal`` does; raises ``PeerError`` where the server is away, ``OperatorError`` for a refusal."""

    def __init__(self, session: aiohttp.ClientSession, settings: InfluxSettings) -> None:
        self._session, self._settings = session, settings

    async def series(self, channel: Channel, from_ms: int, to_ms: int, limit: int | None = None) -> list[Reading]:
        """Return the readings of a channel measured in [from, to), in order of time; at most ``limit``."""
        source = identifier(measurement_text(channel.quantity.measurement))
        bound = "" if limit is None else f" LIMIT {limit}"
        rows = await self._ask(_select('"value", "quality"', source, channel, from_ms, to_ms) + bound)
        return [_reading(channel.id, row) for row in rows]

    async def count(self, channel: Channel, from_ms: int, to_ms: int) -> int:
        """Return how many moments of a channel in [from, to) are stored, each once, wherever its facility stood."""
        source = identifier(measurement_text(channel.quantity.measurement))
        where = _where(channel, from_ms, to_ms)
        counted = f'SELECT count("value") AS good, count("quality") AS other FROM {source} WHERE {where} GROUP BY *'  # noqa: S608 - quoted
        rows = await self._ask(counted)
        if len(rows) > 1:
            return await self._moments(channel, from_ms, to_ms)
        both = f'SELECT count("value") AS good FROM {source} WHERE {where}'  # noqa: S608 - quoted
        doubtful = await self._ask(f"{both} AND \"quality\" != ''")
        total = sum((row["good"] or 0) + (row["other"] or 0) for row in rows)
        return int(total - sum(row["good"] for row in doubtful))

    async def _moments(self, channel: Channel, from_ms: int, to_ms: int) -> int:
        """Count moments by reading them: a moment may stand under the tags of two places, for InfluxQL two points."""
        count = 0
        while page := await self.series(channel, from_ms, to_ms, _PAGE):
            count += len({each.measured_at_ms for each in page})
            from_ms = page[-1].measured_at_ms + 1
        return count

    async def rollups(self, channel: Channel, from_ms: int, to_ms: int, resolution: Resolution) -> list[Rollup]:
        """Return the roll-ups of a channel that share time with [from, to), in order, as far as they were forwarded."""
        name = f"{channel.quantity.measurement}{SUFFIXES[resolution]}"
        fields = ", ".join(map(identifier, ("mean", "min", "max", "count", *SECONDS)))
        source = identifier(measurement_text(name))
        rows = await self._ask(_select(fields, source, channel, from_ms - from_ms % resolution, to_ms))
        # One that late data emptied was overwritten with nothing, for a point cannot be taken back.
        return [_rollup(row) for row in rows if row["count"] or row["covered_seconds"]]

    async def days(self, channels: Sequence[Channel], from_ms: int, to_ms: int) -> list[ChannelDay]:
        """Return the days of many channels that begin in [from, to), each once, in any order, as far as forwarded."""
        measured: defaultdict[str, list[Channel]] = defaultdict(list)
        for channel in channels:
            measured[channel.quantity.measurement].append(channel)
        found: dict[tuple[str, int], ChannelDay] = {}
        for measurement, some in measured.items():
            for start in range(0, len(some), _CHANNELS_AT_ONCE):
                for day in await self._days(measurement, some[start : start + _CHANNELS_AT_ONCE], from_ms, to_ms):
                    # One of a facility that moved may stand under the tags of both places.
                    key = (day.channel, day.start_ms)
                    found[key] = fuller(found[key], day) if key in found else day
        return list(found.values())

    async def _days(self, measurement: str, channels: Sequence[Channel], from_ms: int, to_ms: int) -> list[ChannelDay]:
        names = {tag_text(channel.id): channel.id for channel in channels}
        source = identifier(measurement_text(f"{measurement}{SUFFIXES[Resolution.DAY]}"))
        fields = ", ".join(map(identifier, ("channel", "mean", "min", "max", "count", *SECONDS)))
        which = " OR ".join(f'"channel" = {string(name)}' for name in names)
        rows = await self._ask(
            f"SELECT {fields} FROM {source} WHERE ({which}) AND time >= {from_ms}ms AND time < {to_ms}ms"  # noqa: S608 - quoted
        )
        return [_day(names[row["channel"]], row) for row in rows if row["count"] or row["covered_seconds"]]

    async def series_of(self, measurement: str, name: str, from_ms: int, to_ms: int) -> list[tuple[int, float]]:
        """Return time and value of whatever a measurement has under a channel's name: for checking a server."""
        source = identifier(measurement_text(measurement))
        where = f'"channel" = {string(tag_text(name))} AND time >= {from_ms}ms AND time < {to_ms}ms'
        rows = await self._ask(f'SELECT "value" FROM {source} WHERE {where}')  # noqa: S608 - quoted
        return [(row["time"], row["value"]) for row in rows]

    async def drop(self, measurement: str) -> None:
        """Remove a measurement; InfluxDB 3 has no InfluxQL for that, and a table for each measurement."""
        settings = self._settings
        if settings.kind is not InfluxKind.V3:
            await self._ask(f"DROP MEASUREMENT {identifier(measurement_text(measurement))}")
            return
        token = settings.token.get_secret_value() if settings.token else ""
        status, body = await self._request(
            "DELETE",
            "/api/v3/configure/table",
            params={"db": settings.database, "table": measurement_text(measurement)},
            headers={"Authorization": f"Bearer {token}"},
        )
        if status != 200:
            raise OperatorError(f"InfluxDB at {settings.url} refuses to delete the table ({status}): {_text(body)}")

    async def retention(self) -> timedelta | None:
        """Return how long the server keeps what the database holds; zero is for ever, None that it does not say.

        3 Core answers ``SHOW RETENTION POLICIES`` with stand-ins, so it is not asked.
        """
        if self._settings.kind is InfluxKind.V1:
            rows = await self._ask(f"SHOW RETENTION POLICIES ON {identifier(self._settings.database)}")
            return next((_go_duration(row["duration"]) for row in rows if row["default"]), None)
        if self._settings.kind is InfluxKind.V3:
            return None
        wanted = {"org": self._settings.org, "name": self._settings.database}
        status, body = await self._request("GET", "/api/v2/buckets", params=wanted)
        if status != 200:
            return None
        try:
            (bucket,) = json.loads(body)["buckets"]
            rules = bucket["retentionRules"]
            return timedelta(seconds=min((rule["everySeconds"] for rule in rules), default=0))
        except (ValueError, KeyError, TypeError):
            return None

    async def _ask(self, query: str) -> list[_Row]:
        data = {"q": query, "db": self._settings.database, "epoch": "ms"}
        return _rows(*await self._request("POST", "/query", data=data), self._settings.url)

    async def _request(self, method: str, path: str, **more: Any) -> tuple[int, bytes]:
        url = f"{self._settings.url}{path}"
        try:
            async with self._session.request(method, url, allow_redirects=False, **more) as response:
                return response.status, await read_body(response, LARGEST_ANSWER_BYTES)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            said = str(error) or type(error).__name__
            raise PeerError(f"InfluxDB at {self._settings.url} does not answer: {said}") from error


def identifier(name: str) -> str:
    """Return a name as InfluxQL quotes it."""
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def string(text: str) -> str:
    """Return a text as InfluxQL quotes it."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
    return f"'{escaped}'"


def _select(fields: str, source: str, channel: Channel, from_ms: int, to_ms: int) -> str:
    return f"SELECT {fields} FROM {source} WHERE {_where(channel, from_ms, to_ms)} ORDER BY time ASC"  # noqa: S608 - quoted above


def _where(channel: Channel, from_ms: int, to_ms: int) -> str:
    return f'"channel" = {string(tag_text(channel.id))} AND time >= {from_ms}ms AND time < {to_ms}ms'


def _text(body: bytes) -> str:
    return body.decode("utf-8", "replace").strip()[:200]


def _go_duration(text: str) -> timedelta:
    hours, minutes, seconds = (int(found[1]) if (found := re.search(rf"(\d+){unit}", text)) else 0 for unit in "hms")
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)


def _rows(status: int, body: bytes, url: str) -> list[_Row]:
    try:
        document = json.loads(body)
    except ValueError as error:
        raise PeerError(f"{url} answers {status} with something that InfluxDB does not say") from error
    results = document.get("results", [{}]) if isinstance(document, dict) else [{}]
    said = document.get("error") or document.get("message") or results[0].get("error", "")
    if status >= 500 or status == 429:
        raise PeerError(f"InfluxDB at {url} answers {status}: {said}")
    if status != 200 or said:
        raise OperatorError(f"InfluxDB at {url} refuses a query ({status}): {said or _HINTS.get(status, 'no reason')}")
    found = results[0].get("series", [])
    return [dict(zip(each["columns"], row, strict=True)) for each in found for row in each["values"]]


def _reading(channel: str, row: _Row) -> Reading:
    quality = QUALITY_BY_LABEL.get(row["quality"] or "", Quality.GOOD)
    value = None if row["value"] is None else float(row["value"])
    return Reading(channel, row["time"], value, quality, row["time"])


def _rollup(row: _Row) -> Rollup:
    mean, minimum, maximum = (None if row[name] is None else float(row[name]) for name in ("mean", "min", "max"))
    seconds = (float(row[name] or 0.0) for name in SECONDS)  # of those written before limits were kept: none
    return Rollup(row["time"], mean, minimum, maximum, int(row["count"]), *seconds)


def _day(channel: str, row: _Row) -> ChannelDay:
    found = _rollup(row)
    return ChannelDay(
        channel=channel,
        start_ms=found.start_ms,
        readings=found.readings,
        mean=found.mean,
        minimum=found.minimum,
        maximum=found.maximum,
        covered_ms=round(found.covered_seconds * SECOND_MS),
        judged_ms=round(found.judged_seconds * SECOND_MS),
        below_ms=round(found.below_seconds * SECOND_MS),
        above_ms=round(found.above_seconds * SECOND_MS),
    )

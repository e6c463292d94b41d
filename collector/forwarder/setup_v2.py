"""Setting up InfluxDB 2.x: the bucket where it is missing, and the mapping by which InfluxQL finds it.

Versions from 2.4 on map a database to the bucket of its name by themselves; older ones need the mapping written.
"""

from __future__ import annotations

import json
import logging
from typing import Any

import aiohttp

from collector.forwarder.settings import InfluxSettings

log = logging.getLogger(__name__)

RETENTION_POLICY = "autogen"
"""The name that 1.x gives to the policy of a database; the mapping asks for one."""


class SetUpRefusedError(Exception):
    """The token may not do this, or the server cannot; what has to be done by hand stands in the message."""


async def set_up(session: aiohttp.ClientSession, settings: InfluxSettings) -> str:
    """Create bucket and mapping where they are missing; return their names for the log, raise ``SetUpRefusedError``."""
    api = f"{settings.url}/api/v2"
    organization = await _one(session, f"{api}/orgs", "orgs", {"org": settings.org})
    if organization is None:
        raise SetUpRefusedError(f"the organization {settings.org!r} is not there, or the token may not see it")
    wanted = {"orgID": organization["id"], "name": settings.database}
    bucket = await _one(session, f"{api}/buckets", "buckets", wanted)
    if bucket is None:
        lasting = settings.retention
        rules: list[dict[str, Any]] = []  # none: kept for ever
        if lasting is not None:
            rules = [{"type": "expire", "everySeconds": round(lasting.total_seconds())}]
        bucket = await _post(session, f"{api}/buckets", {**wanted, "retentionRules": rules}, "create the bucket")
    mapping = {"orgID": organization["id"], "db": settings.database}
    if await _one(session, f"{api}/dbrps", "content", mapping) is None:
        body = {
            "orgID": organization["id"],
            "bucketID": bucket["id"],
            "database": settings.database,
            "retention_policy": RETENTION_POLICY,
            "default": True,
        }
        await _post(session, f"{api}/dbrps", body, "map the bucket to a database")
    return f"bucket {settings.database} of {settings.org}"


async def _one(session: aiohttp.ClientSession, url: str, key: str, wanted: dict[str, str]) -> dict[str, Any] | None:
    """Return the first of what is listed, None where nothing is; a list that may not be read is none."""
    async with session.get(url, params=wanted, allow_redirects=False) as response:
        if response.status == 404:
            return None
        document = await _document(response, f"read {url.rsplit('/', 1)[-1]}")
    found = document.get(key) or []
    return found[0] if found and isinstance(found[0], dict) else None


async def _post(session: aiohttp.ClientSession, url: str, body: dict[str, Any], what: str) -> dict[str, Any]:
    async with session.post(url, json=body, allow_redirects=False) as response:
        return await _document(response, what)


async def _document(response: aiohttp.ClientResponse, what: str) -> dict[str, Any]:
    text = await response.text()
    if response.status not in (200, 201):
        raise SetUpRefusedError(f"the token may not {what} ({response.status}): {text[:200].strip()}")
    try:
        document = json.loads(text)
    except ValueError as error:
        raise SetUpRefusedError(f"could not {what}: the server answers with something else than JSON") from error
    return document if isinstance(document, dict) else {}

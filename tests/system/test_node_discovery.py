"""A real Prometheus asks where nodes have metrics, and takes what it is told."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.api.test_discovery import FOUND, exporting
from tests.system.browsing import served
from tests.system.servers import prometheus

pytestmark = pytest.mark.system

CONFIG = """
scrape_configs:
  - job_name: vitals-nodes
    http_sd_configs: [{{url: "{address}/sd/nodes", refresh_interval: 1s}}]
    relabel_configs:
      - {{source_labels: [__meta_vitals_facility], target_label: facility}}
"""


async def test_prometheus_finds_the_exporters_of_nodes(tmp_path: Path) -> None:
    """With the labels of their places, which relabelling can keep."""
    with served(exporting()) as site:
        async with (
            prometheus(tmp_path, CONFIG.format(address=site.address)) as server,
            aiohttp.ClientSession() as session,
            asyncio.timeout(30),
        ):
            while not (found := await _targets(session, server)):  # noqa: ASYNC110 - a server has no event
                await asyncio.sleep(0.2)
    [target] = found
    assert target["discoveredLabels"].items() >= FOUND["labels"].items()  # type: ignore[attr-defined]  # of a JSON document
    assert target["discoveredLabels"]["__address__"] == "10.8.0.7:9100"
    assert target["labels"]["facility"] == "kasese-hc3"


async def _targets(session: aiohttp.ClientSession, server: str) -> list[dict[str, Any]]:
    async with session.get(f"{server}/api/v1/targets") as answer:
        found: list[dict[str, Any]] = (await answer.json())["data"]["activeTargets"]
        return found

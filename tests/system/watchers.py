"""Prometheus and Alertmanager as an operator runs them, beside a service of a test, and what they say."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import yaml
from aiohttp import web

from tests.system.servers import ServerProcess, answers, free_ports, require, serve

DEPLOY: Final = Path(__file__).parents[2] / "deploy"
PATIENCE_SECONDS: Final = 60
LOOK_SECONDS: Final = 0.3
Alert = Mapping[str, Any]


class Watchers:
    """Prometheus, Alertmanager, and whoever Alertmanager tells."""

    def __init__(self, prometheus_url: str, alertmanager_url: str, told: Mapping[str, list[Alert]]) -> None:
        self._prometheus, self._alertmanager = prometheus_url, alertmanager_url
        self.told = told

    async def _ask(self, address: str, **parameters: str) -> Any:
        async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as client:
            return (await client.get(address, params=parameters)).json()

    async def asked(self, expr: str, at: float | None = None) -> list[tuple[dict[str, str], float]]:
        """Return the samples of an expression, now or at a moment."""
        moment = {} if at is None else {"time": f"{at:.3f}"}
        answer = await self._ask(f"{self._prometheus}/api/v1/query", query=expr, **moment)
        assert answer["status"] == "success", answer
        return [(each["metric"], float(each["value"][1])) for each in answer["data"]["result"]]

    async def one(self, expr: str, at: float | None = None) -> float:
        """Return the only sample of an expression; 0 where there is none."""
        return sum(value for _, value in await self.asked(expr, at))

    async def head_series(self) -> float:
        """Return how many series Prometheus holds, but for those that are there because an alert fired."""
        async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as client:
            text = (await client.get(f"{self._prometheus}/metrics")).text
        (found,) = re.findall(r"^prometheus_tsdb_head_series (\S+)$", text, re.MULTILINE)
        of_alerts = await self._ask(f"{self._prometheus}/api/v1/series", **{"match[]": '{__name__=~"ALERTS.*"}'})
        return float(found) - len(of_alerts["data"])

    async def alerts(self) -> list[Alert]:
        """Return what fires in Alertmanager, but for the watchdog."""
        found = await self._ask(f"{self._alertmanager}/api/v2/alerts")
        return [each for each in found if each["labels"]["alertname"] != "VitalsWatchdog"]

    async def firing(self) -> set[tuple[str, str, str, str]]:
        """Return them by name, place, service and window."""
        return set(map(key, await self.alerts()))


def key(alert: Alert) -> tuple[str, str, str, str]:
    """Return what tells one alert of the story from another."""
    labels = alert["labels"]
    place = labels.get("facility") or labels.get("region", "")
    return labels["alertname"], place, labels.get("service", ""), labels.get("window", "")


async def until(condition: Callable[[], Awaitable[bool]], what: str) -> None:
    """Wait until something is so."""
    for _ in range(round(PATIENCE_SECONDS / LOOK_SECONDS)):
        if await condition():
            return
        await asyncio.sleep(LOOK_SECONDS)
    raise AssertionError(f"not within {PATIENCE_SECONDS} s: {what}")


@asynccontextmanager
async def receivers() -> AsyncIterator[tuple[str, dict[str, list[Alert]]]]:
    """Take what Alertmanager sends; gives the address and what came, by receiver."""
    told: dict[str, list[Alert]] = {}

    async def take(request: web.Request) -> web.Response:
        told.setdefault(request.match_info["name"], []).append(await request.json())
        return web.Response()

    application = web.Application()
    application.router.add_post("/{name}", take)
    async with serve(application) as url:
        yield url, told


def hastened(route: dict[str, Any]) -> dict[str, Any]:
    """Return the deployed routes without their patience."""
    at_once = {"group_wait": "0s", "group_interval": "1s"}
    return {**route, **at_once, "routes": [hastened(each) for each in route.get("routes", ())]}


@asynccontextmanager
async def alertmanager(folder: Path, told_at: str) -> AsyncIterator[str]:
    """Run Alertmanager with the deployed routes and inhibitions, and receivers of the test's own."""
    binary = require("prometheus-alertmanager", package="prometheus-alertmanager")
    deployed = yaml.safe_load((DEPLOY / "alertmanager" / "alertmanager.yml").read_text("utf-8"))
    names = [each["name"] for each in deployed["receivers"]]
    document = {
        "route": hastened(deployed["route"]),
        "inhibit_rules": deployed["inhibit_rules"],
        "receivers": [{"name": name, "webhook_configs": [{"url": f"{told_at}/{name}"}]} for name in names],
    }
    _lay_out(folder, document)
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    options = {
        "config.file": folder / "alertmanager.yml", "storage.path": folder / "data",
        "web.listen-address": f"127.0.0.1:{port}", "cluster.listen-address": "",
    }  # fmt: skip
    command = [binary, *(f"--{name}={value}" for name, value in options.items())]
    process = ServerProcess(command, log=folder / "log.txt", ready=lambda: answers(f"{url}/-/ready"))
    await process.start()
    try:
        yield url
    finally:
        await process.stop()


def _lay_out(folder: Path, document: Mapping[str, Any]) -> None:
    folder.mkdir()
    (folder / "alertmanager.yml").write_text(yaml.safe_dump(document), "utf-8")

"""The commands on Grafana dashboards."""

from __future__ import annotations

import copy
import importlib.metadata
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from app.backtest import read_directory
from app.config import ServiceConfig
from app.grafana_server import GrafanaServer, Outcome, RefusedError
from dashboards.grafana.build import JSON_FOLDER, VITALS_URL, read, write
from dashboards.grafana.limits import DEFAULT_LIMITS, limits_of
from domain.errors import OperatorError

OLDEST: Final = 11
NEWEST: Final = 13
"""The servers whose format the dashboards have."""

Say = Callable[[str], None]


async def build_dashboards(folder: Path | None, config: ServiceConfig | None, *, say: Say) -> None:
    """Write every dashboard as JSON, with the limits and the address of a deployment where one is given."""
    limits, url = DEFAULT_LIMITS, VITALS_URL
    if config is not None:
        # Where nothing is registered of a kind the usual limit is better than none.
        limits = {**DEFAULT_LIMITS, **limits_of(await read_directory(config))}
        url = str(config.public_url).rstrip("/") if config.public_url else VITALS_URL
    for path in write(folder or JSON_FOLDER, limits, url):
        say(str(path))


@dataclass(frozen=True)
class Settings:
    """What a deployment says of itself, in the dashboards pushed to it."""

    vitals_url: str = ""
    """Where the service's pages are; empty: as the dashboards were built."""
    influxdb: str = "vitals-influxdb"
    prometheus: str = "vitals-prometheus"
    """The uids of the data sources that dashboards begin with, as in the provisioning files."""


def read_token(path: Path) -> str:
    """Return the token that a file holds; raise ``OperatorError`` where it holds none."""
    try:
        token = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise OperatorError(f"the token cannot be read: {error}") from error
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise OperatorError(f"{path} holds no token; allowed: the token alone, on one line")
    return token


def push_dashboards(server: GrafanaServer, title: str, source: Path | None, settings: Settings, *, say: Say) -> None:
    """Bring every dashboard to a server and say what became of each; raise where any did not get there."""
    dashboards = read(source or JSON_FOLDER)
    _suits(server.health(), say)
    folder = server.folder(title)
    chosen = {name: _data_source(server, uid, say) for name, uid in _sources(settings).items()}
    message = f"Vitals {importlib.metadata.version('vitals')}"
    outcomes: dict[str, Outcome | None] = {}
    for dashboard in dashboards.values():
        ready = _settled(dashboard, chosen, settings.vitals_url)
        try:
            outcome = server.upsert(ready, folder, message)
            say(f"{outcome:<10}{dashboard['uid']}  {dashboard['title']}")
        except RefusedError as error:  # one that is refused says nothing of the others
            outcome = None
            say(f"failed    {dashboard['uid']}  {dashboard['title']}: {error}")
        outcomes[dashboard["uid"]] = outcome
    _finish(server, folder, outcomes, say)


def _finish(server: GrafanaServer, folder: str, outcomes: Mapping[str, Outcome | None], say: Say) -> None:
    for found in server.search(tag="vitals"):
        if found.get("folderUid", "") == folder and found["uid"] not in outcomes:
            say(f"stays     {found['uid']}  {found['title']}: is in the folder and is not one of these")
    written = sum(outcome in (Outcome.CREATED, Outcome.CHANGED) for outcome in outcomes.values())
    if written and not server.mark(f"Dashboards of Vitals were pushed: {written} of {len(outcomes)} are new."):
        say("The token may not set marks: no chart will show when the dashboards changed.")
    failed = sum(outcome is None for outcome in outcomes.values())
    if failed:
        raise OperatorError(f"{failed} of {len(outcomes)} dashboards were not pushed")


def _suits(version: str, say: Say) -> None:
    found = re.match(r"\d+", version)
    if found is None:
        say("The server does not tell its version.")
    elif int(found[0]) < OLDEST:
        raise OperatorError(f"Grafana {version} is too old for these dashboards; allowed: {OLDEST} to {NEWEST}")
    elif int(found[0]) > NEWEST:
        say(f"Grafana {version} is newer than what these dashboards were made for ({OLDEST} to {NEWEST}).")


def _sources(settings: Settings) -> Mapping[str, str]:
    return {"influx": settings.influxdb, "prometheus": settings.prometheus}


def _data_source(server: GrafanaServer, uid: str, say: Say) -> dict[str, str] | None:
    name = server.data_source(uid)
    if name is None:
        say(f"No data source {uid} is to be seen: the dashboards begin with the first one of its type.")
        return None
    return {"text": name, "value": uid}


def _settled(
    dashboard: Mapping[str, Any], chosen: Mapping[str, Mapping[str, str] | None], vitals_url: str
) -> dict[str, Any]:
    """Return the dashboard with what this deployment chose in its variables."""
    settled = copy.deepcopy(dict(dashboard))
    for variable in settled["templating"]["list"]:
        if found := chosen.get(variable["name"]):
            variable["current"] = dict(found)
        if variable["name"] == "vitals" and vitals_url:
            variable["query"] = vitals_url.rstrip("/")
    return settled

"""The mirror in a real Alertmanager of Debian's."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from alerts.mirrors.mirror import Mirror
from alerts.mirrors.settings import MirrorsSettings, open_mirrors
from domain.alert import AlertState
from domain.errors import PeerError
from tests.alerts.test_mirrors import ALERT, the_state
from tests.system.servers import START_SECONDS, ServerProcess, answers, free_ports, require

pytestmark = pytest.mark.system

CONFIGURATION = """\
route: {receiver: nobody, group_by: [facility], group_wait: 1s, group_interval: 1s, repeat_interval: 1h}
receivers: [{name: nobody}]
"""
STARTED = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
WARM = replace(ALERT, started_at=STARTED)
COLD = replace(ALERT, id=8, facility="lonely", subject="lonely.fridge-9.temperature", started_at=STARTED)


@asynccontextmanager
async def alertmanager(folder: Path) -> AsyncIterator[str]:
    """Run an Alertmanager without cluster; yields its address."""
    binary = require("prometheus-alertmanager", package="prometheus-alertmanager")
    home = _laid_out(folder)
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    command = [
        binary,
        f"--config.file={home / 'alertmanager.yml'}",
        f"--storage.path={home / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    process = ServerProcess(command, log=home / "log.txt", ready=lambda: answers(f"{url}/-/ready"))
    await process.start()
    try:
        yield url
    finally:
        await process.stop()


def _laid_out(folder: Path) -> Path:
    folder.mkdir()
    (folder / "alertmanager.yml").write_text(CONFIGURATION, "utf-8")
    return folder


@asynccontextmanager
async def mirrors_to(*urls: str, repeat: float = 60.0, now: Callable[[], float] = time.time) -> AsyncIterator[Any]:
    """Open a mirror for each server."""
    settings = MirrorsSettings.model_validate({"alertmanager": {"urls": urls, "repeat_real_seconds": repeat}})
    async with open_mirrors(settings, facilities=lambda: (), unix_seconds=now) as mirrors:
        yield mirrors


async def asked(url: str, what: str = "alerts") -> Any:
    """Return what the server shows."""
    async with aiohttp.ClientSession() as session, session.get(f"{url}/api/v2/{what}") as response:
        return json.loads(await response.read())


async def until_shown(url: str, references: set[str]) -> None:
    """Wait until exactly these alerts are active there."""
    async with asyncio.timeout(START_SECONDS):
        while True:
            if {alert["labels"]["reference"] for alert in await asked(url)} == references:
                return
            await asyncio.sleep(0.1)


async def test_what_fires_is_there_by_facility_and_what_is_over_is_gone(tmp_path: Path) -> None:
    """Labels, start and words arrive; shelving and ending both resolve at once."""
    async with alertmanager(tmp_path / "one") as url, mirrors_to(url) as (mirror,):
        await mirror.show(the_state(WARM, COLD))
        await until_shown(url, {"7", "8"})
        groups = await asked(url, "alerts/groups")
        assert {group["labels"]["facility"] for group in groups} == {"kasese-3", "lonely"}
        (warm,) = [alert for alert in await asked(url) if alert["labels"]["reference"] == "7"]
        assert warm["labels"]["alertname"] == "heat"
        assert warm["labels"]["severity"] == "warning"
        assert warm["annotations"]["summary"] == "Kasese HC3 fridge 2: Fridge too warm"
        assert datetime.fromisoformat(warm["startsAt"]) == STARTED
        assert datetime.fromisoformat(warm["endsAt"]) > datetime.now(UTC) + timedelta(minutes=2)
        await mirror.show(the_state(WARM, replace(COLD, state=AlertState.SHELVED)))
        await until_shown(url, {"7"})
        await mirror.show(())
        await until_shown(url, set())


async def test_what_is_no_longer_repeated_resolves_by_itself(tmp_path: Path) -> None:
    """A service that died does not leave its alerts firing for ever; one that came back shows them again."""
    async with alertmanager(tmp_path / "one") as url:
        async with mirrors_to(url, repeat=0.5) as (mirror,):
            await mirror.show(the_state(WARM))
            await until_shown(url, {"7"})
        await until_shown(url, set())
        async with mirrors_to(url) as (mirror,):
            await mirror.show(the_state(WARM))
            await until_shown(url, {"7"})


async def test_every_server_of_a_cluster_is_told(tmp_path: Path) -> None:
    """One that is away is an error of its own, and is told what is over when it is back."""
    (closed,) = free_ports(1)
    async with (
        alertmanager(tmp_path / "one") as one,
        alertmanager(tmp_path / "two") as two,
        mirrors_to(one, two, f"http://127.0.0.1:{closed}") as mirrors,
    ):
        first, second, away = mirrors
        await first.show(the_state(WARM))
        await second.show(the_state(WARM))
        with pytest.raises(PeerError, match="cannot be reached"):
            await away.show(the_state(WARM))
        await until_shown(one, {"7"})
        await until_shown(two, {"7"})


async def test_a_refusal_is_told_with_its_words(tmp_path: Path) -> None:
    """The server's own sentence helps whoever has to mend it."""
    async with alertmanager(tmp_path / "one") as url:
        bad: Mirror
        settings = {"alertmanager": {"urls": [url], "labels": {"not a label": "x"}}}
        async with open_mirrors(MirrorsSettings.model_validate(settings), facilities=lambda: ()) as (bad,):
            with pytest.raises(PeerError, match=r"400.*not a label"):
                await bad.show(the_state(WARM))

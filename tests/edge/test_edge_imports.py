"""What a Pi loads and installs: nothing that only a server needs."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVER_MODULES = {
    "aiohttp",
    "aiosmtplib",
    "aiosqlite",
    "amqtt",
    "fastapi",
    "influxdb_client",
    "jinja2",
    "prometheus_client",
    "sqlalchemy",
    "starlette",
    "uvicorn",
    # Our own rooms that belong to the service.
    "alerts",
    "api",
    "collector",
    "dashboards",
    "registry",
}
LOAD = "import sys; {}; print(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
EVERY_DRIVER = "from edge.drivers import DRIVERS; [(row.settings_class(), row.factory()) for row in DRIVERS.values()]"


@pytest.mark.parametrize("program", ["import edge.agent", "import app.cli, app.edge, app.edge_commands", EVERY_DRIVER])
def test_the_agent_loads_no_server_module(program: str) -> None:
    """Memory and start time of a Pi are not spent on what only the service does."""
    loaded = subprocess.run([sys.executable, "-c", LOAD.format(program)], cwd=ROOT, capture_output=True, check=True)
    assert not SERVER_MODULES & set(loaded.stdout.decode().split())


def test_the_base_installs_no_server_package() -> None:
    """``pip install vitals`` brings what the agent imports; server packages stand in extras only."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    base, server = ({_name(text) for text in texts} for texts in (project["dependencies"], extras["server"]))
    assert not base & (server | {_name(text) for text in extras["demo"]})
    assert not server & {_name(text) for text in extras["edge"]}


def _name(requirement: str) -> str:
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert match is not None
    return match[0].lower()

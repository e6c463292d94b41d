"""Runs one node's agent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from app.clock import SystemClock
from app.documents import read_document
from app.settings import settings_from
from edge.agent import build_agent
from edge.settings import EdgeSettings


def read_edge_config(path: Path, environment: Mapping[str, str]) -> EdgeSettings:
    """Return what the node's file says; raise ``DocumentError`` with the line and column of every mistake."""
    return settings_from(read_document(path), EdgeSettings, environment, path.parent)


async def run_agent(settings: EdgeSettings, *, say: Callable[[str], None]) -> None:
    """Run the agent until cancelled."""
    say(f"{settings.node}: measuring every {settings.interval}, publishing to {settings.broker.address()}")
    await build_agent(settings, SystemClock()).run()

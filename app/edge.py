"""Runs one node's agent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from app.documents import read_document
from app.settings import settings_from
from domain.instant import format_duration
from edge.agent import build_agent
from edge.hardware.machine import LinuxMachine
from edge.keeping_settings import ClockTrust
from edge.service_manager import ServiceManager
from edge.settings import EdgeSettings
from edge.status import sole_agent
from edge.timekeeper import Timekeeper


def read_edge_config(path: Path, environment: Mapping[str, str]) -> EdgeSettings:
    """Return what the node's file says; raise ``DocumentError`` with the line and column of every mistake."""
    return settings_from(read_document(path), EdgeSettings, environment, path.parent)


async def run_agent(settings: EdgeSettings, environment: Mapping[str, str], *, say: Callable[[str], None]) -> None:
    """Run the agent until cancelled; raises ``OperatorError`` where another one already runs with this outbox."""
    manager = ServiceManager.from_environment(environment)
    with sole_agent(settings.outbox):
        interval, broker = format_duration(settings.interval), settings.broker.address()
        say(f"{settings.node}: measuring every {interval}, publishing to {broker}")
        try:
            timekeeper = Timekeeper(LinuxMachine(settings.clock), declared=settings.clock.trust is ClockTrust.ALWAYS)
            await build_agent(settings, timekeeper, manager=manager).run()
        finally:
            manager.stopping()

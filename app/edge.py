"""Runs one node's agent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from app.clock import SystemClock
from app.documents import parse_document, read_document
from app.local_rules import local_rules
from app.settings import settings_from
from domain.errors import DocumentError
from domain.instant import format_duration
from edge.agent import Agent, build_agent
from edge.alarms.join import join_local_alarms
from edge.commands.config_keeper import Assemble, config_file, peek
from edge.commands.obedience import Ending
from edge.commands.remote_config import laid_over
from edge.hardware.machine import LinuxMachine
from edge.keeping_settings import ClockTrust
from edge.node import Node
from edge.service_manager import ServiceManager
from edge.settings import EdgeSettings
from edge.status import sole_agent
from edge.timekeeper import Timekeeper

REMOTE_SOURCE = "configuration"
"""Stands for the file's name where a configuration from afar has a mistake."""


def read_edge_config(path: Path, environment: Mapping[str, str]) -> EdgeSettings:
    """Return what the node's file says; raise ``DocumentError`` with the line and column of every mistake."""
    return assembler(path, environment)(None)


def read_edge_in_use(path: Path, environment: Mapping[str, str]) -> EdgeSettings:
    """Return the settings that an agent has now: what the node's file says under a configuration from afar, if any.

    Raises ``DocumentError`` for a mistake in the node's own file.
    """
    assemble = assembler(path, environment)
    own = assemble(None)
    current = peek(config_file(own.outbox)).current
    try:
        return own if current is None else assemble(current.document)
    except DocumentError:
        return own


def assembler(path: Path, environment: Mapping[str, str]) -> Assemble:
    """Return what makes settings of the node's file, with a configuration from afar laid over it or not."""
    own = read_document(path)

    def assemble(remote: str | None) -> EdgeSettings:
        document = own if remote is None else laid_over(own, parse_document(remote, REMOTE_SOURCE))
        settings = settings_from(document, EdgeSettings, environment, path.parent)
        local_rules(settings, document)  # raises what is wrong with them, before anything is built on it
        return settings

    return assemble


async def run_agent(path: Path, environment: Mapping[str, str], *, say: Callable[[str], None]) -> Ending:
    """Run the node's agent until cancelled, or until it is told to restart its process.

    Raises ``OperatorError`` where another agent already runs with this outbox.
    """
    manager, assemble = ServiceManager.from_environment(environment), assembler(path, environment)

    def build(settings: EdgeSettings) -> Agent:
        interval, broker = format_duration(settings.interval), settings.broker.address()
        say(f"{settings.node}: measuring every {interval}, publishing to {broker}")
        timekeeper = Timekeeper(LinuxMachine(settings.clock), declared=settings.clock.trust is ClockTrust.ALWAYS)
        agent = build_agent(settings, timekeeper, manager=manager)
        if settings.local_alarms is not None:
            join_local_alarms(agent, local_rules(settings, read_document(path)), timekeeper)
        return agent

    with sole_agent(assemble(None).outbox):
        try:
            return await Node(assemble, build=build, clock=SystemClock()).run()
        finally:
            manager.stopping()

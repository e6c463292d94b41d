"""The command line. Each command imports what it needs when it is called, so that a Pi loads no server package."""

from __future__ import annotations

import click

from app.cli.alerts import alerts
from app.cli.base import VitalsGroup
from app.cli.broker import broker
from app.cli.dashboards import dashboards
from app.cli.deadletter import deadletter
from app.cli.edge import edge
from app.cli.node import node
from app.cli.prometheus import prometheus
from app.cli.registry import registry
from app.cli.replay import replay
from app.cli.report import report
from app.cli.roster import roster
from app.cli.rules import rules
from app.cli.service import check, demo, run
from app.cli.sla import sla
from app.cli.store import store
from app.cli.token import token
from app.cli.user import user

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(cls=VitalsGroup, context_settings=CONTEXT)
@click.version_option(package_name="vitals")
@click.option("-v", "--verbose", is_flag=True, help="Log what happens, not only what goes wrong.")
def main(verbose: bool) -> None:
    """Vitals watches the vital signs of health facilities: power, cold chain, water.

    Try `vitals demo` first: a simulated district, from sensor to screen, on this machine alone.
    """
    from app.process import configure_logging

    configure_logging(verbose=verbose)


COMMANDS = (
    demo, run, check, user, token, edge, node, broker, registry, roster, rules, alerts, sla, report, deadletter, store,
    replay, dashboards, prometheus,
)  # fmt: skip
for each in COMMANDS:
    main.add_command(each)

"""``vitals check``: everything that can be wrong before a start, found without starting."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from alerts.notifiers.table import routes_of
from api.access_routes import require_oidc
from api.settings import ApiSettings
from app.config import ServiceConfig
from app.database import open_database
from app.documents import read_documents
from app.issuing.expiry import expiries, warnings
from app.issuing.provisioning import credentials_of
from app.people_check import people_findings
from app.reports.paper import require_printing
from app.rule_documents import CATALOGUE_SOURCE
from app.rulebook import read_rules
from app.web import is_loopback, require_safe
from collector.foreign.settings import ForeignSettings
from collector.sources.link import tls_context
from dashboards.pages.outlines.source import outlines_from
from domain.directory import Directory, misplaced
from domain.errors import OperatorError, Problem
from registry.checks import checked_draft, merged
from registry.credentials import Credential
from registry.in_force import unused
from registry.store import RegistryStore
from rules.check import check_rules
from rules.model import Rule


async def check_everything(config: ServiceConfig, *, now: datetime, say: Callable[[str], None]) -> None:
    """Say what would run, and what is worth a look at this moment.

    Raises ``DocumentError`` or ``OperatorError`` for what would not run.
    """
    rules = read_rules(config.rules)
    tls_context(config.mqtt)
    require_safe(config.listen.host, open_to_all=config.access.open)
    outlines_from(config.pages.outline)
    if config.access.oidc is not None:
        require_oidc()
    directory = await planned_directory(config)
    for line in _summary(config, rules, directory):
        say(line)
    found = check_rules([rule for rule in rules if _concerns(rule, directory)], directory)
    findings = [f"{problem}" for problem in found if not _is_companion_of_supplied(problem)]
    findings += (f"limits for {scope}: no such channel is registered" for scope in unused(directory))
    findings += people_findings(directory, routes_of(config.alerts.notifiers), now)
    findings += warnings(expiries(config, await _issued(config)), now)
    findings += _unanswered(config)
    findings += _report_findings(config, directory)
    if findings:
        say("Worth a look:")
    for finding in findings:
        say(f"  {finding}")


def _concerns(rule: Rule, directory: Directory) -> bool:
    """Tell whether a rule has anything to judge here; the catalogue's may well have nothing, a person's should."""
    if not rule.problem((), "", "").source.startswith(CATALOGUE_SOURCE):
        return True
    if rule.applies_to.node:
        return bool(directory.nodes)
    return any(rule.applies_to.selects(channel, directory) for channel in directory.channels.values())


def _is_companion_of_supplied(problem: Problem) -> bool:
    """Tell whether a rule of the catalogue lacks a generator or a rule beside it: not every clinic has them."""
    return problem.source.startswith(CATALOGUE_SOURCE) and problem.field.endswith((".of", ".suppressed_by"))


async def planned_directory(config: ServiceConfig) -> Directory:
    """Return the registry as it would be after a start, without changing what is registered."""
    known = await registered(config)
    if config.registry is None:
        return known
    return merged(checked_draft(read_documents(config.registry), known), known)


async def registered(config: ServiceConfig) -> Directory:
    """Return what is registered; nothing before the first start."""
    if not _has_database(config):
        return Directory()
    async with open_database(config.database_url) as database:
        store = RegistryStore(database)
        await store.create_tables()
        return await store.load_directory()


async def _issued(config: ServiceConfig) -> list[Credential]:
    return await credentials_of(config) if _has_database(config) else []


def _unanswered(config: ServiceConfig) -> list[str]:
    if is_loopback(config.listen.host) or not set(config.api.hosts) <= set(ApiSettings().hosts):
        return []
    return ["api.hosts names this machine alone: whoever comes from another one is not answered"]


def _report_findings(config: ServiceConfig, directory: Directory) -> Iterator[str]:
    """Find monthly reports that cannot be made, or that are of no facility."""
    if not config.reports.monthly:
        return
    try:
        require_printing()
    except OperatorError as error:
        yield f"reports.monthly: {error}"
    for each in (each.place for settings in config.reports.monthly for each in settings.of):
        if sentence := misplaced(each, directory):
            yield f"reports.monthly: {sentence}"


def _has_database(config: ServiceConfig) -> bool:
    return config.database is not None or (config.data / "vitals.db").exists()


def _summary(config: ServiceConfig, rules: Sequence[Rule], directory: Directory) -> list[str]:
    severities = Counter(rule.severity.label for rule in rules)
    told = ", ".join(f"{count} {label}" for label, count in severities.items())
    notifiers = [route.channel for route in routes_of(config.alerts.notifiers)]
    influx = config.influxdb
    return [
        "The service would start:",
        f"  broker    {config.mqtt.host}:{config.mqtt.port}{' with TLS' if config.mqtt.tls else ''}",
        *(f"  foreign   {each.adapter} on {', '.join(each.filters)}{_zone(each)}" for each in config.foreign),
        f"  data      {config.data}",
        f"  influxdb  {f'{influx.kind.value} at {influx.url}' if influx else 'not used'}",
        f"  registry  {_sizes(directory)}",
        f"  rules     {len(rules)} ({told})",
        f"  notifiers {', '.join(notifiers) or 'none: nobody would be told'}",
        f"  pages     http://{config.listen.host}:{config.listen.port}"
        f"{', open to everybody on this machine' if config.access.open else ', for those who sign in'}",
    ]


def _zone(devices: ForeignSettings) -> str:
    return f", times in {devices.zone}" if devices.zone else ""


def _sizes(directory: Directory) -> str:
    kinds = ("facilities", "nodes", "channels", "contacts")
    return ", ".join(f"{len(getattr(directory, kind))} {kind}" for kind in kinds)

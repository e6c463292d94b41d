"""What the API is given: the parts' answers in the shapes that ``api.services`` asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from alerts.facts import Power, RuleText, filled
from alerts.store import AlertStore
from api.alert_desk import AlertDesk
from api.exposition import Render
from api.registry_services import RegistryDesk
from api.report_services import ReportDesk
from api.rule_services import RuleDesk
from api.services import HearCallback, IntakeDesk, PartState, ReadHours, ReadMeasures, RosterDesk, Services
from app.history import History
from app.judge import JudgeStats
from app.metrics import Metrics
from app.open_alerts import OpenAlerts
from app.registry_view import RegistryView
from app.reports.post import ReportPost
from collector.forwarder.forwarder import Forwarder
from collector.journal.journal import Journal
from collector.journal.rollup import Resolution as JournalResolution
from collector.journal.rollup import Rollup
from collector.lanes import Lane
from collector.latest import Latest
from collector.sources.mqtt import ConnectionStats
from collector.stats import PipelineStats
from dashboards.figures.places import Figures
from dashboards.pages.outlines.shape import OutlinesOf
from dashboards.pages.series import Resolution
from dashboards.pages.status import FacilityStatus
from dashboards.pages.wording import AlertText, plain_alert_text, value_text
from dashboards.pages.words import Saying, Words
from domain.alert import Alert
from domain.instant import Clock
from registry.upkeep import UpkeepStore


def services_of(
    *,
    clock: Clock,
    registry: RegistryView,
    latest: Latest,
    past: History | Journal,
    hours: ReadHours,
    alerts: AlertStore,
    open_alerts: OpenAlerts,
    statuses: Callable[[], Sequence[FacilityStatus]],
    power: Callable[[str], Power | None],
    texts: Callable[[], Mapping[str, RuleText]],
    metrics: Metrics,
    equipment_metrics: Render,
    parts: Callable[[], Sequence[PartState]],
    intake: IntakeDesk,
    registry_desk: RegistryDesk,
    rosters: RosterDesk,
    upkeep: UpkeepStore,
    notice: Saying,
    hear_callback: HearCallback | None = None,
    figures: Callable[[], Figures],
    measures: ReadMeasures | None = None,
    rules: RuleDesk | None = None,
    reports: ReportDesk | None = None,
    outlines: OutlinesOf,
) -> Services:
    """Return what routes and pages call."""

    async def rollups(channel: str, from_ms: int, to_ms: int, resolution: Resolution) -> Sequence[Rollup]:
        return await past.rollups(channel, from_ms, to_ms, JournalResolution(resolution.step_ms))

    def describe(alert: Alert, words: Words) -> AlertText:
        text = texts().get(alert.rule)
        if text is None:
            return plain_alert_text(alert, words)
        said, show = text.spoken(words.language), partial(value_text, words=words)
        channel = registry.directory.channels.get(alert.subject)
        value = show(channel.quantity, alert.extreme) if channel and alert.extreme is not None else ""
        phrase = filled(words.with_values_isolated(said.message), channel, value, show)
        return AlertText(said.title, words.with_values_isolated(said.action), phrase)

    return Services(
        clock=clock,
        directory=lambda: registry.directory,
        latest=latest.get,
        series=past.series,
        rollups=rollups,
        hours=hours,
        kept=past.kept,
        statuses=statuses,
        open_alerts=lambda: open_alerts.now,
        alerts=alerts.alerts,
        alert=alerts.alert,
        standings=alerts.reading.standings,
        acknowledge=alerts.acknowledge,
        alert_desk=AlertDesk(alerts),
        episodes=alerts.episodes,
        power=power,
        visits=upkeep.visits,
        last_visits=upkeep.last_visits,
        metrics=metrics.render,
        equipment_metrics=equipment_metrics,
        parts=parts,
        describe=describe,
        intake=intake,
        registry=registry_desk,
        rosters=rosters,
        notice=notice,
        hear_callback=hear_callback,
        figures=figures,
        measures=measures,
        rules=rules,
        reports=reports,
        outlines=outlines,
    )


def part_states(
    pipeline: PipelineStats,
    connections: Mapping[Lane, ConnectionStats],
    judging: JudgeStats,
    rules_trouble: str,
    forwarders: Mapping[str, Forwarder],
    reports: ReportPost | None = None,
) -> list[PartState]:
    """Return for each part whether it can do its work, in a sentence."""
    connected = all(each.connected for each in connections.values())
    states = [
        PartState("broker", connected, "connected" if connected else "not connected to the MQTT broker"),
        PartState(
            "journal",
            pipeline.failing_since_ms is None,
            "takes readings" if pipeline.failing_since_ms is None else "takes no readings: commits fail",
        ),
        PartState("rules", not judging.failing, judging.failing or rules_trouble or "judging"),
    ]
    for name, forwarder in forwarders.items():
        health = forwarder.health()
        states.append(PartState(f"influxdb {name}", health.state.healthy, health.sentence))
    if reports is not None:
        states.append(PartState("monthly reports", not reports.trouble, reports.trouble or "sent when they are due"))
    return states

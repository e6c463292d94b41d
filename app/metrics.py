"""What Prometheus is told: one collector that asks the owners of the state when it is scraped."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import Metric
from prometheus_client.openmetrics import exposition as openmetrics

from alerts.dispatch import OUTCOMES
from api.exposition import Exposition
from app.alert_figures import AlertFigures
from app.alert_metrics import alert_metrics
from app.exposition.facilities import Asked, FacilityText
from app.issuing.expiry import Expiry
from app.judge import JudgeStats
from app.metric_families import counter, gauge, histogram
from collector.forwarder.forwarder import Forwarder
from collector.journal.journal import JournalStats
from collector.lanes import Lane
from collector.quarantine import Why
from collector.sources.mqtt import ConnectionStats
from collector.stats import PipelineStats
from domain.histogram import Spread
from domain.rejection import Reason
from domain.topics import UpLane


@dataclass(frozen=True, kw_only=True)
class Owners:
    """Whom to ask; nothing here may wait."""

    pipeline: Callable[[], PipelineStats]
    journal: Callable[[], JournalStats]
    judge: Callable[[], JudgeStats]
    judge_position: Callable[[], int]
    notifications: Callable[[], Mapping[tuple[str, str], int]]
    delivery_times: Callable[[], Mapping[str, Spread]]
    database_errors: Callable[[], int]
    connections: Callable[[], Mapping[Lane, ConnectionStats]]
    facilities: Asked
    alerting: AlertFigures
    forwarders: Mapping[str, Forwarder]
    quarantined: Callable[[], int]
    """How many senders are kept out at present."""
    kept_out: Callable[[], Mapping[Why, int]]
    """Messages that were not let in, since the start."""
    waiting_nodes: Callable[[], int]
    """How many nodes send and are not registered."""
    certificates: Callable[[], Sequence[Expiry]]


class Metrics:
    """Renders what Prometheus is told of the service and of facilities."""

    def __init__(self, owners: Owners) -> None:
        self._owners = owners
        self._facilities = FacilityText(owners.facilities)
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    def render(self, form: Exposition) -> Iterator[str]:
        """Take how everything is now; the parts of the text can be asked for in another thread."""
        return self._written(form, self._facilities.render(form))

    def _written(self, form: Exposition, facilities: Iterator[str]) -> Iterator[str]:
        yield from facilities
        # Last, for it brings the end mark of OpenMetrics.
        write = generate_latest if form is Exposition.TEXT else openmetrics.generate_latest
        yield write(self._registry).decode()

    def collect(self) -> Iterable[Metric]:
        """Yield every metric family that not every facility and node has, freshly asked for."""
        yield gauge(
            "vitals_build_info", "Which version runs.", ("version",), {(importlib.metadata.version("vitals"),): 1}
        )
        yield from alert_metrics(self._owners.alerting)
        yield from _ingest(self._owners.pipeline())
        yield from _connections(self._owners.connections())
        yield from _journal(self._owners.journal())
        judged = self._owners.judge_position()  # asked first: what is behind it cannot be less than nothing
        yield from _judge(self._owners.judge(), self._owners.journal().position - judged)
        yield counter(
            "vitals_notifications", "Attempts to notify, by channel and outcome.", ("channel", "state"),
            self._notifications(),
        )  # fmt: skip
        yield histogram(
            "vitals_notification_delivery_seconds", "From queueing a message until its channel took it.", ("channel",),
            {(channel,): times for channel, times in self._owners.delivery_times().items()},
        )  # fmt: skip
        yield counter(
            "vitals_store_errors", "Times a store failed, or took nothing of what it was given.", ("store",),
            self._store_errors(),
        )  # fmt: skip
        yield gauge("vitals_nodes_quarantined", "Senders that are kept out.", (), {(): self._owners.quarantined()})
        kept_out = self._owners.kept_out()
        yield counter(
            "vitals_kept_out_messages",
            "Messages of quarantined senders, by reason.",
            ("reason",),
            {(why.value,): kept_out.get(why, 0) for why in Why},
        )
        yield gauge(
            "vitals_nodes_waiting", "Nodes that send and are not registered.", (), {(): self._owners.waiting_nodes()}
        )
        yield from _forwarders(self._owners.forwarders)
        ends = {(each.holder.value, each.name): each.expires_at.timestamp() for each in self._owners.certificates()}
        yield gauge(
            "vitals_certificate_expiry_timestamp_seconds", "When the certificate runs out.", ("holder", "name"), ends
        )

    def _notifications(self) -> dict[tuple[str, str], int]:
        """Return the attempts with zeros for what has not happened: an alarm on a series that is not there is none."""
        nothing = {(channel, outcome): 0 for channel in self._owners.delivery_times() for outcome in OUTCOMES}
        return {**nothing, **self._owners.notifications()}

    def _store_errors(self) -> dict[tuple[str], float]:
        counters, forwarders = self._owners.pipeline().counters, self._owners.forwarders
        found = {
            "journal": counters.failed_commits + counters.batches_not_stored,
            "sql": self._owners.database_errors(),
        }
        if forwarders:
            found["influxdb"] = sum(each.counts.failed_requests for each in forwarders.values())
        return {(store,): failed for store, failed in found.items()}


def _ingest(stats: PipelineStats) -> Iterable[Metric]:
    counters = stats.counters
    yield counter(
        "vitals_ingest_messages",
        "Messages taken, by lane.",
        ("lane",),
        {(lane.value,): counters.messages[lane] for lane in UpLane},
    )
    foreign = {(adapter,): n for adapter, n in counters.foreign.items()}
    yield counter("vitals_foreign_messages", "Messages of foreign devices, by adapter.", ("adapter",), foreign)
    yield counter(
        "vitals_foreign_values_passed_over",
        "Values of registered foreign devices that the registry does not list.",
        (),
        {(): counters.passed_over},
    )
    yield counter("vitals_readings", "Readings committed, repeated ones included.", (), {(): counters.readings})
    rejected = {(reason.value,): counters.rejected[reason] for reason in Reason}
    yield counter("vitals_rejected", "Payloads and records refused, by reason.", ("reason",), rejected)
    yield counter("vitals_receipts", "Batches receipted.", (), {(): counters.batches_receipted})
    yield counter(
        "vitals_commit_failures", "Commits that failed and are tried again.", (), {(): counters.failed_commits}
    )
    yield histogram(
        "vitals_ingest_lag_seconds",
        "Age of the newest reading of each live message when it arrived.",
        (),
        {(): counters.ingest_lag.spread()},
    )
    yield histogram(
        "vitals_receipt_lag_seconds",
        "From the arrival of a batch to its receipt.",
        (),
        {(): counters.receipt_lag.spread()},
    )
    yield counter("vitals_ingest_defects", "Messages that met a bug of ours.", (), {(): counters.defects})
    yield gauge(
        "vitals_ingest_queue_messages",
        "Messages waiting, by lane.",
        ("lane",),
        {(lane.name.lower(),): n for lane, n in stats.waiting.items()},
    )


def _connections(connections: Mapping[Lane, ConnectionStats]) -> Iterable[Metric]:
    connected = {(lane.name.lower(),): float(each.connected) for lane, each in connections.items()}
    yield gauge("vitals_broker_connected", "1 while the lane's connection to the broker stands.", ("lane",), connected)


def _journal(stats: JournalStats) -> Iterable[Metric]:
    yield counter("vitals_journal_commits", "Durable commits.", (), {(): stats.commits})
    yield counter("vitals_journal_commit_seconds", "Time spent in durable commits.", (), {(): stats.commit_seconds})
    yield gauge("vitals_journal_channels", "Channels with readings.", (), {(): stats.channels})


def _judge(stats: JudgeStats, lag: int) -> Iterable[Metric]:
    yield counter("vitals_judged_readings", "Readings judged by the rules.", (), {(): stats.readings})
    yield counter("vitals_judge_steps", "Readings and ticks that the rules were stepped with.", (), {(): stats.steps})
    yield counter("vitals_judge_step_seconds", "Time spent in stepping the rules.", (), {(): stats.step_seconds})
    yield counter("vitals_episode_changes", "Changes of episodes that the rules found.", (), {(): stats.changes})
    yield counter("vitals_clock_jumps", "Times the clock was set to another time.", (), {(): stats.clock_jumps})
    yield gauge("vitals_judge_lag_readings", "Readings committed and not judged yet.", (), {(): lag})
    yield gauge("vitals_judge_failing", "1 while the judge cannot go on.", (), {(): float(bool(stats.failing))})


def _forwarders(forwarders: Mapping[str, Forwarder]) -> Iterable[Metric]:
    health = {name: forwarder.health() for name, forwarder in forwarders.items()}
    counts = {name: forwarder.counts for name, forwarder in forwarders.items()}
    log = ("log",)
    healthy = {(name,): float(each.state.healthy) for name, each in health.items()}
    yield gauge("vitals_influxdb_healthy", "1 while InfluxDB takes what is forwarded.", log, healthy)
    lag = {(name,): float(each.lag) for name, each in health.items()}
    yield gauge("vitals_influxdb_lag", "Readings or alert events still to be forwarded.", log, lag)
    stored = {(name,): float(each.stored) for name, each in counts.items()}
    yield counter("vitals_influxdb_lines", "Lines that InfluxDB stored.", log, stored)
    refused = {(name,): float(each.refused) for name, each in counts.items()}
    yield counter("vitals_influxdb_refused_lines", "Lines that InfluxDB refused for good.", log, refused)

"""Alerts on Vitals itself: whoever watches must be watched."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from dashboards.prometheus.rule import Alert, Setting, group
from dashboards.prometheus.times import DAY, HOUR, MINUTE, duration
from domain.episode import Severity

JOB: Final = "vitals"
"""The job of /metrics in the scrape configuration."""
SAMPLE_LIMIT: Final = 500_000
"""How many samples an answer may have there; a nation of 10,000 facilities has about 350,000."""
_PER: Final = "job, instance"


def service_groups(setting: Setting) -> list[dict[str, Any]]:
    """Return the groups of alerts on the service itself."""
    parts = {"alive": _alive, "intake": _intake, "judge": _judge, "telling": _telling, "stores": _stores}
    return [
        group(f"vitals-{name}", MINUTE, (each.document(setting) for each in alerts(setting.pace)), setting)
        for name, alerts in parts.items()
    ]


def _alive(pace: float) -> Iterator[Alert]:
    yield Alert(
        name="VitalsWatchdog",
        expr="vector(1)",
        severity=None,
        summary="Prometheus and Alertmanager work",
        description="This alert always fires. Have something outside expect it, and call you when it stays away.",
    )
    yield Alert(
        name="VitalsDown",
        expr=f'up{{job="{JOB}"}} == 0 or absent(up{{job="{JOB}"}})',
        severity=Severity.CRITICAL,
        lasts=2 * MINUTE,
        summary="Vitals does not answer Prometheus",
        description="Nobody is told of warm vaccines while it is down. Look at the service's log and start it; "
        "an answer that is too large or a token that ended looks the same: see the targets page of Prometheus.",
    )
    yield Alert(
        name="VitalsAnswerNearLimit",
        expr=f'scrape_samples_post_metric_relabeling{{job="{JOB}"}} > {round(0.9 * SAMPLE_LIMIT)}',
        severity=Severity.WARNING,
        lasts=HOUR,
        summary=f"The answer of /metrics has {{{{ $value }}}} samples; it is refused beyond {SAMPLE_LIMIT}",
        description="Raise sample_limit in prometheus.yml before facilities are added.",
    )
    ends = "vitals_certificate_expiry_timestamp_seconds - time()"
    yield Alert(
        name="VitalsCertificateEnds",
        expr=f"{ends} < {14 * DAY}",
        severity=Severity.WARNING,
        lasts=HOUR,
        summary="The certificate of {{ $labels.holder }} {{ $labels.name }} ends in {{ $value | humanizeDuration }}",
        description="Issue a new one with vitals broker or vitals node, while the old one still lets in.",
    )
    yield Alert(
        name="VitalsCertificateEndsSoon",
        expr=f"{ends} < {2 * DAY}",
        severity=Severity.CRITICAL,
        lasts=5 * MINUTE,
        summary="The certificate of {{ $labels.holder }} {{ $labels.name }} ends in {{ $value | humanizeDuration }}",
        description="Without it nothing is received any more. Issue a new one today.",
    )


def _intake(pace: float) -> Iterator[Alert]:
    quarter, ten, half = (duration(minutes * MINUTE, pace) for minutes in (15, 10, 30))
    heard = f"count by ({_PER}) (vitals_node_last_heard_timestamp_seconds > 0)"
    yield Alert(
        name="VitalsIngestStalled",
        expr=f"increase(vitals_readings_total[{quarter}]) == 0\nand on ({_PER})\n  {heard}",
        severity=Severity.CRITICAL,
        summary="No reading has been stored for a quarter of an hour",
        description="All nodes at once are not likely to be silent. Look at the broker, its certificate and the disk.",
    )
    yield Alert(
        name="VitalsBrokerDisconnected",
        expr="vitals_broker_connected == 0",
        severity=Severity.CRITICAL,
        lasts=5 * MINUTE,
        summary="Vitals has no connection to the broker ({{ $labels.lane }})",
        description="Nodes keep what they measure, but nobody is told. Start the broker, or look at its log.",
    )
    yield Alert(
        name="VitalsIngestLagging",
        expr=_quantile(0.5, "vitals_ingest_lag_seconds", ten, 300),
        severity=Severity.WARNING,
        lasts=10 * MINUTE,
        summary="Half of the live readings are older than {{ $value | humanizeDuration }} when they come",
        description="Alarms are late by as much. Look at the network and the broker's load; "
        "where nodes are the cause, at their clocks.",
    )
    yield Alert(
        name="VitalsReceiptsLagging",
        expr=_quantile(0.99, "vitals_receipt_lag_seconds", ten, 30),
        severity=Severity.WARNING,
        lasts=10 * MINUTE,
        summary="Receipts take {{ $value | humanizeDuration }}",
        description="Nodes send again what has no receipt. Look at the disk of the journal and at the processor.",
    )
    refused = f"sum by ({_PER}) (rate(vitals_rejected_total[{half}]))"
    stored = f"sum by ({_PER}) (rate(vitals_readings_total[{half}]))"
    yield Alert(
        name="VitalsRefusing",
        expr=f"{refused}\n/\n({stored} + {refused})\n> 0.1",
        severity=Severity.WARNING,
        lasts=15 * MINUTE,
        summary="{{ $value | humanizePercentage }} of what comes is refused",
        description="vitals deadletter list says what and why; once the registry is mended, "
        "vitals deadletter replay takes it in.",
    )


def _judge(pace: float) -> Iterator[Alert]:
    ten = duration(10 * MINUTE, pace)
    yield Alert(
        name="VitalsJudgeFailing",
        expr="vitals_judge_failing == 1",
        severity=Severity.CRITICAL,
        lasts=2 * MINUTE,
        summary="Rules are not judged",
        description="Readings are kept, but nobody is told. The log says why; a restart repeats nothing and "
        "skips nothing.",
    )
    yield Alert(
        name="VitalsJudgeBehind",
        expr=f"vitals_judge_lag_readings\n/\nclamp_min(rate(vitals_judged_readings_total[{ten}]), 1)\n> {5 * MINUTE}",
        severity=Severity.WARNING,
        lasts=10 * MINUTE,
        summary="The rules are {{ $value | humanizeDuration }} behind",
        description="Alarms are late by as much. After an outage of the network this ends by itself; "
        "else look at the processor.",
    )
    yield Alert(
        name="VitalsNobodyAnswers",
        expr=f"vitals_alert_oldest_unanswered_critical_seconds > {HOUR}",
        severity=Severity.WARNING,
        summary="A critical alert has not been answered for {{ $value | humanizeDuration }}",
        description="The page of alerts shows who was told. Call them, and look whether the roster is right.",
    )


def _telling(pace: float) -> Iterator[Alert]:
    quarter, ten = duration(15 * MINUTE, pace), duration(10 * MINUTE, pace)
    yield Alert(
        name="VitalsNotifierFailing",
        expr=f"increase(vitals_notifications_undeliverable_total[{quarter}]) > 0",
        severity=Severity.CRITICAL,
        summary="Messages by {{ $labels.channel }} fail for good",
        description="Somebody was not told. The page of alerts says who; look at credit, address and gateway, and "
        "call them meanwhile.",
    )
    sent = f'increase(vitals_notifications_total{{state!="failed"}}[{ten}])'
    yield Alert(
        name="VitalsNotificationsWaiting",
        expr=f"vitals_notifications_waiting > 0\nunless on (channel, {_PER})\n  sum by (channel, {_PER}) ({sent}) > 0",
        severity=Severity.CRITICAL,
        lasts=10 * MINUTE,
        summary="{{ $value }} messages by {{ $labels.channel }} wait, and none is sent",
        description="Look whether the gateway or the mail server answers; people have to be called meanwhile.",
    )
    yield Alert(
        name="VitalsNotificationsSlow",
        expr=_quantile(0.9, "vitals_notification_delivery_seconds", quarter, 300, f"channel, {_PER}"),
        severity=Severity.WARNING,
        lasts=10 * MINUTE,
        summary="Messages by {{ $labels.channel }} take {{ $value | humanizeDuration }}",
        description="Look at the gateway's load and at how many messages a minute it takes.",
    )


def _stores(pace: float) -> Iterator[Alert]:
    five, quarter = duration(5 * MINUTE, pace), duration(15 * MINUTE, pace)
    yield Alert(
        name="VitalsCommitsFailing",
        expr=f"increase(vitals_commit_failures_total[{five}]) > 0",
        severity=Severity.CRITICAL,
        lasts=2 * MINUTE,
        summary="Readings cannot be stored",
        description="Nodes keep them and send again. The disk is full or ill: the log says which.",
    )
    commits = f"rate(vitals_journal_commits_total[{quarter}])"
    yield Alert(
        name="VitalsCommitsSlow",
        expr=f"rate(vitals_journal_commit_seconds_total[{quarter}])\n/\n({commits} > 0)\n> 1",
        severity=Severity.WARNING,
        lasts=15 * MINUTE,
        summary="A commit to the journal takes {{ $value | humanizeDuration }}",
        description="The disk is slow: look what else writes to it, and at its health.",
    )
    yield Alert(
        name="VitalsStoreErrors",
        expr=f"increase(vitals_store_errors_total[{quarter}]) > 0",
        severity=Severity.WARNING,
        lasts=15 * MINUTE,
        summary="The store {{ $labels.store }} keeps failing",
        description="What failed is tried again and nothing is lost yet. The log says what the store answered.",
    )
    yield Alert(
        name="VitalsForwarderUnhealthy",
        expr="vitals_influxdb_healthy == 0",
        severity=Severity.WARNING,
        lasts=15 * MINUTE,
        summary="InfluxDB does not take what is forwarded ({{ $labels.log }})",
        description="Grafana shows old values; nothing is lost, the journal keeps it. Look at InfluxDB, and at the "
        "token and the database's name.",
    )
    yield Alert(
        name="VitalsEquipmentOmitted",
        expr="vitals_equipment_channels_omitted > 0",
        severity=Severity.INFO,
        lasts=HOUR,
        summary="{{ $value }} channels are not told at /metrics/equipment",
        description="There are more than the cap allows. Raise it, or use InfluxDB for equipment.",
    )


def _quantile(share: float, histogram: str, window: str, limit: int, per: str = _PER) -> str:
    return f"histogram_quantile({share:g},\n  sum by (le, {per}) (rate({histogram}_bucket[{window}]))\n) > {limit}"

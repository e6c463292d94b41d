"""What Prometheus is told of alerts and messages; every family is there, also while there is nothing to tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from prometheus_client.core import Metric

from app.alert_figures import AlertFigures
from app.metric_families import counter, gauge
from domain.alert import Alert, AlertState
from domain.episode import Severity


def alert_metrics(figures: AlertFigures) -> Iterable[Metric]:
    """Yield the families of alerts and of the messages that tell of them."""
    alerts = figures.open_alerts()
    yield gauge(
        "vitals_alert_active", "Alerts whose cause goes on.", ("facility", "rule", "severity", "state"), _active(alerts)
    )
    yield gauge(
        "vitals_alert_oldest_unanswered_critical_seconds",
        "Age of the oldest critical alert that goes on and that nobody has answered; 0: none.",
        (),
        {(): oldest_unanswered(alerts, figures.now()).total_seconds()},
    )
    yield counter(
        "vitals_alert_escalations",
        "Alerts told to a further step of their escalation chain, once for each step.",
        (),
        {(): figures.escalations},
    )
    yield counter(
        "vitals_notifications_undeliverable",
        "Notifications that failed for good, by channel.",
        ("channel",),
        _by_channel(figures.channels, figures.undeliverable()),
    )
    yield gauge(
        "vitals_notifications_waiting",
        "Notifications still to be sent, by channel.",
        ("channel",),
        _by_channel(figures.channels, figures.waiting),
    )


def oldest_unanswered(alerts: Iterable[Alert], now: datetime) -> timedelta:
    """Return how long ago the oldest critical alert that goes on unanswered was raised; zero where there is none."""
    raised = (
        alert.raised_at
        for alert in alerts
        if alert.severity is Severity.CRITICAL and alert.state is AlertState.UNACKNOWLEDGED and not alert.past
    )
    return max(now - min(raised, default=now), timedelta(0))


def _active(alerts: Iterable[Alert]) -> dict[tuple[str, ...], float]:
    active: dict[tuple[str, ...], float] = {}
    for alert in alerts:
        if not alert.past and alert.ended_at is None:
            key = (alert.facility, alert.rule, alert.severity.label, alert.state.value)
            active[key] = active.get(key, 0) + 1
    return active


def _by_channel(channels: Sequence[str], numbers: Mapping[str, int]) -> dict[tuple[str, ...], float]:
    return {(channel,): numbers.get(channel, 0) for channel in dict.fromkeys([*channels, *numbers])}

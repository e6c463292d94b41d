"""Alerts on Vitals itself, judged by Prometheus' own tool: each fires when it must, and is quiet while all is well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from app.prometheus_rules import rule_texts
from dashboards.prometheus.rule import Setting
from dashboards.prometheus.service import SAMPLE_LIMIT
from tests.system.rule_tests import Fires, RuleTest, Series, disagreement

pytestmark = pytest.mark.system

MINUTES = 90
NAMES = ("service.yml",)


def flat(value: float) -> list[float]:
    """Return a value that stays."""
    return [value] * MINUTES


def grows(by: float) -> list[float]:
    """Return a counter that grows by this every minute."""
    return [by * minute for minute in range(MINUTES)]


def stops(at: int, by: float) -> list[float]:
    """Return a counter that grows until a minute."""
    return [by * min(minute, at) for minute in range(MINUTES)]


def turns(at: int, before: float, after: float) -> list[float]:
    """Return a value that is another from a minute on."""
    return [before if minute < at else after for minute in range(MINUTES)]


def of(name: str, /, **labels: str) -> str:
    """Return a series of the service's."""
    said = "".join(f',{label}="{value}"' for label, value in labels.items())
    return f'{name}{{job="vitals",instance="a"{said}}}'


def lag(name: str, bound: float, /, **labels: str) -> Series:
    """Return a histogram of which every value is between the bound before and this one."""
    bounds = [0.5, 5, 30, 60, 300, 600, 3600]
    return {
        of(f"{name}_bucket", **labels, le=f"{each:g}"): grows(10) if each >= bound else flat(0) for each in bounds
    } | {of(f"{name}_bucket", **labels, le="+Inf"): grows(10)}


WELL: Series = {
    of("up"): flat(1),
    of("scrape_samples_post_metric_relabeling"): flat(1000),
    of("vitals_certificate_expiry_timestamp_seconds", holder="broker", name="b"): flat(100 * 86_400),
    of("vitals_readings_total"): grows(100),
    of("vitals_rejected_total", reason="unknown_channel"): grows(5),
    of("vitals_node_last_heard_timestamp_seconds", facility="clinic", node="pi"): flat(1000),
    of("vitals_broker_connected", lane="live"): flat(1),
    **lag("vitals_ingest_lag_seconds", 5),
    **lag("vitals_receipt_lag_seconds", 0.5),
    of("vitals_judge_failing"): flat(0),
    of("vitals_judge_lag_readings"): flat(20),
    of("vitals_judged_readings_total"): grows(100),
    of("vitals_alert_oldest_unanswered_critical_seconds"): flat(600),
    of("vitals_notifications_undeliverable_total", channel="sms"): flat(3),
    of("vitals_notifications_waiting", channel="sms"): flat(4),
    of("vitals_notifications_total", channel="sms", state="submitted"): grows(2),
    of("vitals_notifications_total", channel="sms", state="failed"): flat(0),
    **lag("vitals_notification_delivery_seconds", 5, channel="sms"),
    of("vitals_commit_failures_total"): flat(2),
    of("vitals_journal_commits_total"): grows(60),
    of("vitals_journal_commit_seconds_total"): grows(0.5),
    of("vitals_store_errors_total", store="influxdb"): flat(7),
    of("vitals_influxdb_healthy", log="readings"): flat(1),
    of("vitals_equipment_channels_omitted"): flat(0),
}
"""A service on which all is as it should be, though not all is zero."""


class Trouble(NamedTuple):
    """What is otherwise, and from which minute on that is told."""

    series: Series
    since: int


TROUBLES: Mapping[str, Trouble] = {
    "VitalsDown": Trouble({of("up"): turns(10, 1, 0)}, 12),
    "VitalsAnswerNearLimit": Trouble(
        {of("scrape_samples_post_metric_relabeling"): turns(10, 1000, 0.95 * SAMPLE_LIMIT)}, 70
    ),
    "VitalsCertificateEnds": Trouble(
        {of("vitals_certificate_expiry_timestamp_seconds", holder="broker", name="b"): flat(14 * 86_400)}, 61
    ),
    "VitalsIngestStalled": Trouble({of("vitals_readings_total"): stops(30, 100)}, 45),
    "VitalsBrokerDisconnected": Trouble({of("vitals_broker_connected", lane="live"): turns(20, 1, 0)}, 25),
    "VitalsIngestLagging": Trouble(lag("vitals_ingest_lag_seconds", 600), 11),
    "VitalsReceiptsLagging": Trouble(lag("vitals_receipt_lag_seconds", 60), 11),
    "VitalsRefusing": Trouble({of("vitals_rejected_total", reason="unknown_channel"): grows(20)}, 16),
    "VitalsJudgeFailing": Trouble({of("vitals_judge_failing"): turns(20, 0, 1)}, 22),
    "VitalsJudgeBehind": Trouble({of("vitals_judge_lag_readings"): turns(20, 20, 600)}, 30),
    "VitalsNobodyAnswers": Trouble(
        {of("vitals_alert_oldest_unanswered_critical_seconds"): turns(40, 3600, 3660)}, 40
    ),
    "VitalsNotifierFailing": Trouble(
        {of("vitals_notifications_undeliverable_total", channel="sms"): turns(20, 3, 4)}, 20
    ),
    "VitalsNotificationsWaiting": Trouble(
        {of("vitals_notifications_total", channel="sms", state="submitted"): stops(20, 2),
         of("vitals_notifications_total", channel="sms", state="failed"): grows(1)}, 40,
    ),
    "VitalsNotificationsSlow": Trouble(lag("vitals_notification_delivery_seconds", 600, channel="sms"), 11),
    "VitalsCommitsFailing": Trouble(
        {of("vitals_commit_failures_total"): [2.0 + max(0, minute - 20) for minute in range(MINUTES)]}, 23
    ),
    "VitalsCommitsSlow": Trouble({of("vitals_journal_commit_seconds_total"): grows(70)}, 16),
    "VitalsStoreErrors": Trouble(
        {of("vitals_store_errors_total", store="influxdb"): [7.0 + max(0, minute - 20) for minute in range(MINUTES)]},
        36,
    ),
    "VitalsForwarderUnhealthy": Trouble({of("vitals_influxdb_healthy", log="readings"): turns(20, 1, 0)}, 35),
    "VitalsEquipmentOmitted": Trouble({of("vitals_equipment_channels_omitted"): turns(20, 0, 5)}, 80),
}  # fmt: skip


def rules() -> dict[str, str]:
    """Return the rules about the service."""
    return {name: text for name, text in rule_texts((), Setting()).items() if name in NAMES}


def test_while_all_is_well_only_the_watchdog_fires(tmp_path: Path) -> None:
    """From the first moment to the last; the watchdog always."""
    fires = {'ALERTS{alertname="VitalsWatchdog", alertstate="firing", severity="none"}': 1.0}
    watchdog = {(minute, 'ALERTS{alertstate="firing"}'): fires for minute in (0, 45, MINUTES - 1)}
    assert disagreement(tmp_path, RuleTest(rules(), WELL, values=watchdog)) == ""


@pytest.mark.parametrize("name", TROUBLES)
def test_each_trouble_is_told_when_it_has_lasted(tmp_path: Path, name: str) -> None:
    """Not a minute earlier, and nothing else is told with it."""
    trouble = TROUBLES[name]
    moments: dict[int, Sequence[Fires]] = {trouble.since - 1: [], trouble.since: [Fires(name)]}
    test = RuleTest(rules(), {**WELL, **trouble.series}, moments)
    assert disagreement(tmp_path, test) == ""


def test_a_certificate_that_ends_within_two_days_is_told_twice(tmp_path: Path) -> None:
    """The urgent one comes after five minutes."""
    ends = {of("vitals_certificate_expiry_timestamp_seconds", holder="broker", name="b"): flat(2 * 86_400)}
    fires = {5: [], 6: [Fires("VitalsCertificateEndsSoon")]}
    assert disagreement(tmp_path, RuleTest(rules(), {**WELL, **ends}, fires)) == ""


def test_a_service_that_is_not_scraped_at_all_is_down(tmp_path: Path) -> None:
    """Whoever takes the job out of the configuration hears of it."""
    series = {name: values for name, values in WELL.items() if not name.startswith("up")}
    assert disagreement(tmp_path, RuleTest(rules(), series, {1: [], 2: [Fires("VitalsDown")]})) == ""


def test_a_service_without_nodes_yet_is_not_stalled(tmp_path: Path) -> None:
    """Nothing comes on the first day, because nobody sends."""
    never = {
        of("vitals_readings_total"): flat(0),
        of("vitals_rejected_total", reason="unknown_channel"): flat(0),
        of("vitals_node_last_heard_timestamp_seconds", facility="clinic", node="pi"): flat(0),
    }
    assert disagreement(tmp_path, RuleTest(rules(), {**WELL, **never}, {30: [], 60: []})) == ""


def test_every_alert_on_the_service_has_its_case() -> None:
    """An alert that is added without one is seen here."""
    document = yaml.safe_load(rules()["service.yml"])
    names = {rule["alert"] for group in document["groups"] for rule in group["rules"]}
    assert names == {*TROUBLES, "VitalsWatchdog", "VitalsCertificateEndsSoon"}

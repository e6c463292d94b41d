"""The service itself: whether it runs, keeps up and loses nothing."""

from __future__ import annotations

from dashboards.grafana import links
from dashboards.grafana.board import Board
from dashboards.grafana.layout import Section
from dashboards.grafana.limits import Limits
from dashboards.grafana.looks import BAD, DURATION, GOOD, NUMBER, ODD, TROUBLES, WORKS, Look
from dashboards.grafana.panels import Card, Course, Words, course, number
from dashboards.grafana.promql import PromTarget, quantile
from dashboards.grafana.scopes import NOWHERE

_UNSCRAPED = "Prometheus knows no Vitals: is it scraped?"
_RATE = Look("reqps", 1)
_SECONDS = Look("s", 3)
_BYTES = Look("bytes", 1)
_A_WEEK, _A_MONTH = 604_800.0, 2_592_000.0
_EXPIRY = Look("s", 0, ((None, BAD), (_A_WEEK, ODD), (_A_MONTH, GOOD)))
"""A certificate is renewed within the last month; in the last week somebody has forgotten it."""

Asked = tuple[str, str, Look, str, str]
"""Title, description, look, expression, legend."""

_NOW: tuple[Asked, ...] = (
    ("Up", "Whether the last scrape of the service succeeded.", WORKS,
     "min (up and on (instance, job) vitals_build_info)", ""),
    ("Version", "Which version runs, and since when: a restart is an ordinary reset of all counters.", DURATION,
     "time() - process_start_time_seconds * on (instance, job) group_left (version) vitals_build_info", "{{version}}"),
    ("Broker connected", "Whether the connections to the broker stand: live and backfill.", WORKS,
     "min by (lane) (vitals_broker_connected)", "{{lane}}"),
    ("Judge failing", "Whether the rules cannot go on; nothing is alarmed then.", TROUBLES,
     "max (vitals_judge_failing)", ""),
    ("InfluxDB takes it", "Whether InfluxDB takes what is forwarded; the journal keeps it meanwhile.", WORKS,
     "min by (log) (vitals_influxdb_healthy)", "{{log}}"),
    ("Store errors", "Errors of stores in the time chosen; what they did not take is kept and tried again.", TROUBLES,
     "sum by (store) (increase(vitals_store_errors_total[$__range]))", "{{store}}"),
)  # fmt: skip

_INTAKE: tuple[Asked, ...] = (
    ("Readings kept", "Readings committed to the journal, a second, repeated ones included.", _RATE,
     "sum (rate(vitals_readings_total[$__rate_interval]))", "readings"),
    ("Messages, by lane", "Messages taken from the broker, a second.", _RATE,
     "sum by (lane) (rate(vitals_ingest_messages_total[$__rate_interval]))", "{{lane}}"),
    ("Messages waiting", "Messages that wait to be stored. A queue that stays long means more comes than is stored.",
     NUMBER, "sum by (lane) (vitals_ingest_queue_messages)", "{{lane}}"),
    ("Refused, by reason", "Payloads and records refused, a second.", _RATE,
     "sum by (reason) (rate(vitals_rejected_total[$__rate_interval]))", "{{reason}}"),
    ("Time of a commit", "How long a durable commit took on average. A slow disk shows here first.", _SECONDS,
     "sum (rate(vitals_journal_commit_seconds_total[$__rate_interval])) / "
     "(sum (rate(vitals_journal_commits_total[$__rate_interval])) > 0)", "a commit"),
    ("Commits that failed", "Commits that failed and are tried again, a second: a full or broken disk.", _RATE,
     "sum (rate(vitals_commit_failures_total[$__rate_interval]))", "failures"),
)  # fmt: skip

_JUDGEMENT: tuple[Asked, ...] = (
    ("Readings not judged yet", "How far the rules are behind. It grows while a backlog arrives and shrinks after it.",
     NUMBER, "sum (vitals_judge_lag_readings)", "behind"),
    ("Time of a step of the rules", "How long the rules took for one batch on average.", _SECONDS,
     "sum (rate(vitals_judge_step_seconds_total[$__rate_interval])) / "
     "(sum (rate(vitals_judge_steps_total[$__rate_interval])) > 0)", "a step"),
    ("Readings judged", "Readings judged by the rules, a second.", _RATE,
     "sum (rate(vitals_judged_readings_total[$__rate_interval]))", "readings"),
    ("Not forwarded yet", "Entries of each log that InfluxDB does not have yet: Grafana's past is behind by these.",
     NUMBER, "sum by (log) (vitals_influxdb_lag)", "{{log}}"),
)  # fmt: skip

_MACHINE: tuple[Asked, ...] = (
    ("Memory", "Resident memory of the process.", _BYTES,
     "process_resident_memory_bytes and on (instance, job) vitals_build_info", "{{instance}}"),
    ("Processor", "Processors used by the process: 1 is one of them all the time.", Look("none", 2),
     "rate(process_cpu_seconds_total[$__rate_interval]) and on (instance, job) vitals_build_info", "{{instance}}"),
)  # fmt: skip


def board(_: Limits) -> Board:
    """Return the dashboard; all of it is asked of Prometheus, and speaks of no place."""
    return Board(
        links.SERVICE,
        "Vitals: the service itself",
        "Does the service run, does it keep up with what comes, and does it lose anything?",
        NOWHERE,
        [
            Section("", [_figure(each) for each in _NOW]),
            Section("Taking in", [*(_chart(each) for each in _INTAKE), *_lags()]),
            Section("Judging and forwarding", [_chart(each) for each in _JUDGEMENT]),
            Section("Machine", [*(_chart(each) for each in _MACHINE), _certificates()]),
        ],
        page="/",
    )


def _figure(asked: Asked) -> Card:
    title, said, look, expr, legend = asked
    return number(Words(title, said, _UNSCRAPED), look, [PromTarget(expr, legend=legend)], tall=5)


def _chart(asked: Asked) -> Card:
    title, said, look, expr, legend = asked
    target = PromTarget(expr, legend=legend, now=False)
    return course(Words(title, said, _UNSCRAPED), look, [target], Course(lowest=0), wide=8)


def _lags() -> list[Card]:
    asked = [
        ("From sensor to service", "vitals_ingest_lag_seconds", "How old live readings are when they arrive."),
        ("From arrival to receipt", "vitals_receipt_lag_seconds",
         "How long a batch waits for its receipt, which is sent after the durable commit; a node keeps it until then."),
    ]  # fmt: skip
    return [
        course(
            Words(title, f"{said} Half are below the first line, 99 of 100 below the second.", _UNSCRAPED),
            _SECONDS,
            [
                PromTarget(quantile(0.5, histogram), "A", "half", now=False),
                PromTarget(quantile(0.99, histogram), "B", "99 of 100", now=False),
            ],
            Course(lowest=0),
            wide=12,
        )
        for title, histogram, said in asked
    ]


def _certificates() -> Card:
    words = Words(
        "Certificates run out in",
        "How long each certificate of the broker, its users and the authority is still good.",
        "No certificate was issued by this service, or Vitals is not scraped.",
    )
    expr = "min by (holder, name) (vitals_certificate_expiry_timestamp_seconds) - time()"
    return number(words, _EXPIRY, [PromTarget(f"bottomk(20, {expr})", legend="{{holder}} {{name}}")], wide=8, tall=8)

"""The data themselves: who is silent, what is missing, which sensors lie, what was refused."""

from __future__ import annotations

from dashboards.grafana import links
from dashboards.grafana.board import Board
from dashboards.grafana.boards.facility import SILENT_AFTER_SECONDS
from dashboards.grafana.boards.glance import ROWS, UNSCRAPED
from dashboards.grafana.influxql import GRAIN, InfluxTarget, in_all, measured, of_each, over_time, where
from dashboards.grafana.layout import Section
from dashboards.grafana.limits import Limits
from dashboards.grafana.looks import DURATION, NUMBER, TROUBLES, Look, late, share
from dashboards.grafana.panels import Card, Course, Words, course, number
from dashboards.grafana.promql import PLACE, PromTarget, facilities, quantile, silent
from dashboards.grafana.scopes import FACILITIES
from dashboards.grafana.tables import Column, facility_column, figure, table

_OF_THE_TIME = "((${__to} - ${__from}) / 1000)"
"""The length of the time chosen, in seconds."""
_COMPLETE = f'sum("covered_seconds") / {_OF_THE_TIME}'
_NOTHING_ROLLED = "No roll-up of a temperature lies in this time."
_HEARD = "max by (facility, node) (vitals_node_last_heard_timestamp_seconds)"
_SEEN = "vitals_facility_last_seen_timestamp_seconds"


def board(_: Limits) -> Board:
    """Return the dashboard; a channel that measured nothing has no roll-up: of the silent Prometheus tells."""
    return Board(
        links.QUALITY,
        "Vitals: data quality",
        "Who is silent, what is missing, which sensors do not answer, and what was refused?",
        FACILITIES,
        [
            Section("", _figures()),
            Section("Where", [_silent_facilities(), _silent_nodes(), _incomplete(), _lying()]),
            Section("The course of time", [_coverage(), _lag(), _rejected(), _kept_out()]),
        ],
        since="now-7d",
        refresh="5m",
        page="/registry/nodes",
    )


def _figures() -> list[Card]:
    never = f"sum ({facilities(_SEEN, FACILITIES)} == bool 0)"
    late_nodes = f"sum (time() - ({_HEARD} > 0) > bool {SILENT_AFTER_SECONDS:.0f})"
    asked = [
        ("Silent facilities", "Facilities from which nothing is heard now.", TROUBLES, silent(FACILITIES)),
        ("Never heard", "Facilities that are registered and from which nothing ever came.", TROUBLES, never),
        ("Silent nodes", "Nodes that were heard once and not for an hour, in all places.", TROUBLES, late_nodes),
        ("Nodes waiting", "Nodes that send and are not registered: their readings are not kept.", TROUBLES,
         "sum (vitals_nodes_waiting)"),
        ("Kept out", "Senders that are kept out now, for sending what nobody can use.", TROUBLES,
         "sum (vitals_nodes_quarantined)"),
    ]  # fmt: skip
    complete = Words(
        "Least complete channel",
        "The share of the time chosen for which readings stand, of the temperature channel with most missing.",
        _NOTHING_ROLLED,
    )
    each = (
        in_all(f'{_COMPLETE} AS "complete"', measured("temperature", GRAIN), where(FACILITIES)) + ' GROUP BY "channel"'
    )
    least = InfluxTarget(f'SELECT min("complete") FROM ({each})')  # noqa: S608 -- constants of this module
    return [
        *(number(Words(title, said, UNSCRAPED), look, [PromTarget(expr)]) for title, said, look, expr in asked),
        number(complete, share(), [least]),
    ]


def _silent_facilities() -> Card:
    words = Words(
        "Facilities, longest silent first",
        f"The {ROWS} facilities that were not heard for longest. Those that were never heard are not among them.",
        "Every facility is heard, or none is scraped.",
    )
    age = f"topk({ROWS}, time() - ({facilities(_SEEN, FACILITIES)} > 0))"
    shown = [
        *(Column(name) for name in PLACE[1:-1]),
        facility_column(FACILITIES),
        figure("A", "Last heard ago", late(SILENT_AFTER_SECONDS), alone=True),
    ]
    return table(words, shown, [PromTarget(age, table=True)], sort="Last heard ago", down=True, wide=12)


def _silent_nodes() -> Card:
    words = Words(
        "Nodes, longest silent first",
        f"The {ROWS} nodes that were not heard for longest, in all places. A silent node says nothing about the fridge "
        "behind it.",
        "Prometheus knows no node: is Vitals scraped?",
    )
    shown = [
        facility_column(FACILITIES),
        Column("node"),
        figure("A", "Last heard ago", late(SILENT_AFTER_SECONDS), alone=True),
    ]
    age = PromTarget(f"topk({ROWS}, time() - ({_HEARD} > 0))", table=True)
    return table(words, shown, [age], sort="Last heard ago", down=True, wide=12)


def _incomplete() -> Card:
    words = Words(
        "Temperature channels, least complete first",
        "For which share of the time chosen readings stand. A channel without any reading in it is not here: see the "
        "silent ones.",
        _NOTHING_ROLLED,
    )
    columns = {"complete": _COMPLETE, "readings": 'sum("count")'}
    tags = ("district", "facility", "equipment", "channel")
    query = of_each(columns, measured("temperature", GRAIN), where(FACILITIES), tags, first="bottom", rows=ROWS)
    thing = {"facility": "facility", "equipment": "equipment"}
    shown = [
        Column("district"),
        facility_column(FACILITIES),
        Column("equipment", link=links.to(links.EQUIPMENT, "This appliance", FACILITIES, **thing)),
        Column("channel"),
        Column("complete", "Complete", share()),
        Column("readings", "Readings", NUMBER),
    ]
    return table(words, shown, [InfluxTarget(query, table=True)], sort="Complete", wide=12)


def _lying() -> Card:
    words = Words(
        "Sensors that do not answer or tell nonsense",
        "How many temperature readings of each channel were of no use, and what the sensor said last: it is gone, the "
        "bus failed, or the value cannot be true. Only such readings carry a quality, so a nation may be asked.",
        "Every temperature reading in this time was good.",
    )
    bad = where(FACILITIES, "\"quality\" != 'good'")
    columns = {"bad": 'count("quality")', "last": 'last("quality")'}
    tags = ("district", "facility", "equipment", "channel")
    query = of_each(columns, measured("temperature"), bad, tags, first="top", rows=ROWS)
    thing = {"facility": "facility", "equipment": "equipment"}
    shown = [
        Column("district"),
        facility_column(FACILITIES),
        Column("equipment", link=links.to(links.EQUIPMENT, "This appliance", FACILITIES, **thing)),
        Column("channel"),
        Column("bad", "Readings", NUMBER),
        Column("last", "Last"),
    ]
    return table(words, shown, [InfluxTarget(query, table=True)], sort="Readings", down=True, wide=12)


def _coverage() -> Card:
    words = Words(
        "Time for which readings stand, by district",
        "How long temperature channels are covered, all together. Where a line falls, readings are missing.",
        _NOTHING_ROLLED,
    )
    query = over_time('sum("covered_seconds")', measured("temperature", GRAIN), where(FACILITIES), by="district")
    how = Course(lowest=0, gap_ms=False)
    return course(words, DURATION, [InfluxTarget(query, alias="$tag_district")], how, wide=12)


def _lag() -> Card:
    words = Words(
        "From sensor to service",
        "How old live readings are when they arrive: half of them are younger than the first line, 99 of 100 than the "
        "second. Backfilled readings are not in it.",
        UNSCRAPED,
    )
    targets = [
        PromTarget(quantile(of, "vitals_ingest_lag_seconds"), ref, name, now=False)
        for ref, of, name in (("A", 0.5, "half"), ("B", 0.99, "99 of 100"))
    ]
    return course(words, Look("s", 1), targets, Course(lowest=0), wide=12)


def _rejected() -> Card:
    words = Words(
        "Refused, by reason",
        "Payloads and records that were refused, a second. `vitals deadletter list` shows them.",
        UNSCRAPED,
    )
    target = PromTarget(
        "sum by (reason) (rate(vitals_rejected_total[$__rate_interval]))", legend="{{reason}}", now=False
    )
    return course(words, Look("reqps", 2), [target], Course(lowest=0), wide=12)


def _kept_out() -> Card:
    words = Words(
        "Kept out, by reason",
        "Messages of senders that are kept out, a second.",
        UNSCRAPED,
    )
    target = PromTarget(
        "sum by (reason) (rate(vitals_kept_out_messages_total[$__rate_interval]))", legend="{{reason}}", now=False
    )
    return course(words, Look("reqps", 2), [target], Course(lowest=0), wide=12)

"""What a country and a region show alike: how many facilities need something now, which, and since when."""

from __future__ import annotations

from dashboards.grafana import links
from dashboards.grafana.influxql import (
    DAYS,
    HOURS,
    IN_RANGE,
    JUDGED,
    TOO_COLD,
    TOO_WARM,
    InfluxTarget,
    in_all,
    kinds,
    measured,
    over_time,
    where,
)
from dashboards.grafana.looks import (
    BAD,
    DURATION,
    GOOD,
    NUMBER,
    ODD,
    STATUS,
    TROUBLES,
    UNKNOWN,
    WORKS,
    Look,
    share,
)
from dashboards.grafana.panels import Card, Course, Words, course, number
from dashboards.grafana.promql import (
    PLACE,
    WORKING,
    PromTarget,
    facilities,
    fails,
    need_help,
    select,
    silent,
    status,
    working,
)
from dashboards.grafana.scopes import Scope
from dashboards.grafana.tables import Column, facility_column, figure, table
from dashboards.pages.status import Status
from dashboards.pages.wording import SERVICE_WORDS
from domain.places import EquipmentKind, Service

KEEPS_COLD = (EquipmentKind.FRIDGE, EquipmentKind.FREEZER, EquipmentKind.COLD_ROOM, EquipmentKind.COLD_BOX)
UNSCRAPED = "Prometheus knows no facility here: is Vitals scraped?"
UNRECORDED = "Prometheus has recorded nothing here: is Vitals scraped, are its rules loaded (docs/prometheus.md)?"
ROWS = 100
"""As many facilities as a table shows: the worst."""
_UP = WORKING[Service.MONITORING]
_SERVICE_COLORS = {
    Service.MONITORING: UNKNOWN,
    Service.POWER: ODD,
    Service.COLD_CHAIN: GOOD,
    Service.WATER: "purple",
}


def now(scope: Scope, below: str, rollup: str) -> list[Card]:
    """Return how many facilities need something now; the figures lead to ``below`` and to the three services."""
    alone = "A silent facility counts as silent alone: nobody knows how it is."
    found = [
        ("Need help", "Facilities with a critical alert that goes on. Look at these first.", TROUBLES,
         need_help(scope), below),
        ("Silent", "Facilities from which nothing is heard. Call them: nobody knows how they are.", TROUBLES,
         silent(scope), links.QUALITY),
        ("Without power", f"Facilities that are heard and have neither grid nor backup. {alone}", TROUBLES,
         f"sum ({fails(Service.POWER, scope)})", links.POWER),
        ("Cold chain in trouble", f"Facilities with a critical alert on a fridge or freezer. {alone}", TROUBLES,
         f"sum ({fails(Service.COLD_CHAIN, scope)})", links.COLD_CHAIN),
        ("Without water", f"Facilities with a critical alert on water. {alone}", TROUBLES,
         f"sum ({fails(Service.WATER, scope)})", links.WATER),
        ("Facilities watched", "All facilities that are registered here.", NUMBER,
         f"count ({facilities(_UP, scope)})", links.SLA),
    ]  # fmt: skip
    figures = [
        number(Words(title, said, UNSCRAPED), look, [PromTarget(expr)], wide=3, links=[links.to(uid, "Where?", scope)])
        for title, said, look, expr, uid in found
    ]
    return [*figures, in_range(scope, rollup, wide=6)]


def parts(scope: Scope, by: tuple[str, ...], below: str) -> Card:
    """Return the table of the parts of a place (regions, districts), those with most trouble first."""
    part = by[-1]
    words = Words(
        f"{part.capitalize()}s",
        f"How many facilities of each {part} need something now. Choose a {part} to see its facilities.",
        UNSCRAPED,
    )
    asked = [
        ("A", "Need help", TROUBLES, need_help(scope, by)),
        ("B", "Silent", TROUBLES, silent(scope, by)),
        ("C", "Without power", TROUBLES, f"sum by ({', '.join(by)}) ({fails(Service.POWER, scope)})"),
        ("D", "Cold chain in trouble", TROUBLES, f"sum by ({', '.join(by)}) ({fails(Service.COLD_CHAIN, scope)})"),
        ("E", "Without water", TROUBLES, f"sum by ({', '.join(by)}) ({fails(Service.WATER, scope)})"),
        ("F", "Facilities", NUMBER, f"count by ({', '.join(by)}) ({facilities(_UP, scope)})"),
    ]
    places = [Column(name) for name in by[:-1]]
    link = links.to(below, f"This {part}", scope, **{name: name for name in by})
    return table(
        words,
        [*places, Column(part, link=link), *(figure(ref, title, look) for ref, title, look, _ in asked)],
        [PromTarget(expr, ref, table=True) for ref, _, _, expr in asked],
        sort="Need help",
        down=True,
        tall=9,
    )


def worst(scope: Scope, title: str = "Facilities that need somebody") -> Card:
    """Return the table of the facilities that are not well, worst first."""
    words = Words(
        title,
        f"The {ROWS} worst facilities that are not OK: what works, when they were last heard, how many alerts go on. "
        "The name leads to the facility's dashboard, and to its page in Vitals.",
        "Every facility here is OK, or none is scraped.",
    )
    unwell = f"bottomk({ROWS}, ({status(scope)}) < {Status.OK.rank})"
    alerts = f"sum by (facility) ({select('vitals_alert_active', Scope(()))})"
    asked = [
        figure_asked("A", "Status", STATUS, unwell),
        *(
            figure_asked(ref, SERVICE_WORDS[service], WORKS, _of(facilities(WORKING[service], scope), unwell))
            for ref, service in (("B", Service.POWER), ("C", Service.COLD_CHAIN), ("D", Service.WATER))
        ),
        figure_asked("E", "Last heard ago", DURATION, _of(f"time() - ({_seen(scope)} > 0)", unwell)),
        figure_asked("F", "Alerts", NUMBER, f"({unwell} >= bool 0) * on (facility) group_left () {alerts}"),
    ]
    places = [Column(name) for name in PLACE[:-1]]
    fields = {name: name for name in PLACE}
    return table(
        words,
        [
            asked[0][0],
            *places,
            facility_column(scope, **fields),
            *(column for column, _ in asked[1:]),
        ],
        [target for _, target in asked],
        sort="Status",
    )


def figure_asked(ref_id: str, title: str, look: Look, expr: str) -> tuple[Column, PromTarget]:
    """Return a column of a table, and the query for it."""
    return figure(ref_id, title, look), PromTarget(expr, ref_id, table=True)


def over_time_now(scope: Scope) -> Card:
    """Return the share of facilities in which each service works, over time."""
    words = Words(
        "Facilities in order",
        "The share of facilities that are heard, have power, an intact cold chain and water. A silent facility counts "
        "as not in order in all four: where all lines fall together, the network or the service failed.",
        UNSCRAPED,
    )
    targets = [
        PromTarget(working(service, scope), ref, SERVICE_WORDS[service], now=False)
        for ref, service in zip("ABCD", WORKING, strict=True)
    ]
    colors = {SERVICE_WORDS[service]: color for service, color in _SERVICE_COLORS.items()}
    return course(words, share(decimals=0), targets, Course(lowest=0, highest=1, colors=colors), wide=12)


def in_range_over_time(scope: Scope, by: str, rollup: str = DAYS) -> Card:
    """Return the share of the time that fridges and freezers kept within their limits, by part of the place."""
    words = Words(
        f"Cold chain: time within limits, by {by}",
        "The share of the time with readings that fridges, freezers, cold rooms and cold boxes were within the limits "
        "in force at the time. From the stored roll-ups: late readings correct it. A gap is time without readings.",
        "No roll-up of a temperature with a limit lies in this time: InfluxDB has none, or no limit is registered.",
    )
    query = over_time(f'{IN_RANGE} AS "in range"', measured("temperature", rollup), cold(scope), by=by)
    how = Course(interval=grain(rollup), highest=1, gap_ms=False)
    return course(words, share(), [InfluxTarget(query, alias=f"$tag_{by}")], how, wide=12)


def outside_over_time(scope: Scope, rollup: str) -> Card:
    """Return the share of the time that was too cold and too warm."""
    words = Words(
        "Cold chain: too cold, too warm",
        "The share of the time with readings below the low and above the high limit in force. Freezing destroys more "
        "vaccines than warmth, and nobody sees it in an average.",
        "No roll-up of a temperature with a limit lies in this time.",
    )
    judged = 'sum("judged_seconds")'
    columns = f'{TOO_COLD} / {judged} AS "too cold", {TOO_WARM} / {judged} AS "too warm"'
    query = over_time(columns, measured("temperature", rollup), cold(scope))
    how = Course(
        bars=True, stacked=True, interval=grain(rollup), lowest=0, colors={"too cold": UNKNOWN, "too warm": BAD}
    )
    return course(words, share(), [InfluxTarget(query, alias="$col")], how, wide=12)


def grain(rollup: str) -> str:
    """Return how long each roll-up is; empty where the reader chooses."""
    return {HOURS: "1h", DAYS: "1d"}.get(rollup, "")


def in_range(scope: Scope, rollup: str = DAYS, *, wide: int = 4) -> Card:
    """Return the share of the time chosen in which the cold chain was within its limits."""
    words = Words(
        "Time within limits",
        "The share of the time with readings that the cold chain was within the limits in force, in the time chosen.",
        "No roll-up of a temperature with a limit lies in this time.",
    )
    query = in_all(f'{IN_RANGE} AS "in range"', measured("temperature", rollup), cold(scope))
    return number(words, share(), [InfluxTarget(query)], wide=wide)


def cold(scope: Scope) -> str:
    """Return the condition on roll-ups of temperatures that say whether vaccines were kept well."""
    return where(scope, kinds(KEEPS_COLD), JUDGED)


def alerts_over_time(scope: Scope, interval: str = "1d") -> Card:
    """Return how many alerts were raised, by severity."""
    words = Words(
        "Alerts raised",
        "How many alerts began to wait for an answer, by severity. Many warnings that nobody needs make people deaf.",
        "No alert was raised in this time.",
    )
    condition = where(Scope(scope.many, scope.one), "\"state\" = 'unacknowledged'")
    query = over_time('count("alert_id")', '"alert_events"', condition, by="severity", fill="0")
    colors = {"critical": BAD, "warning": ODD, "info": UNKNOWN}
    how = Course(stacked=True, bars=True, interval=interval, lowest=0, colors=colors)
    return course(words, NUMBER, [InfluxTarget(query, alias="$tag_severity")], how, wide=12)


def _of(expr: str, which: str) -> str:
    return f"({expr}) and on ({', '.join(PLACE)}) ({which})"


def _seen(scope: Scope) -> str:
    return facilities("vitals_facility_last_seen_timestamp_seconds", scope)

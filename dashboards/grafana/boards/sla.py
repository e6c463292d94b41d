"""The uptime that was promised: whether it is kept, how much may still be lost, who loses it fastest."""

from __future__ import annotations

from typing import Final

from dashboards.grafana import links
from dashboards.grafana.board import Board
from dashboards.grafana.boards.glance import UNSCRAPED
from dashboards.grafana.layout import Section
from dashboards.grafana.limits import Limits
from dashboards.grafana.looks import BAD, DURATION, GOOD, NUMBER, ODD, TROUBLES, Look, share
from dashboards.grafana.panels import Card, Course, Words, course, note, number
from dashboards.grafana.promql import PLACE, PromTarget, allowed, downtime, select
from dashboards.grafana.scopes import PROMISED
from dashboards.grafana.tables import Column, figure, table

_EACH = (*PLACE, "service")
_UNPROMISED = "Nothing is promised here: `sla: {targets: ...}` in the service's configuration says what is."
_UNWATCHED = "Prometheus has watched nothing here in this time: is Vitals scraped?"
_BURN = Look("none", 1, ((None, GOOD), (1, ODD), (6, BAD)), colored=True)
"""How many times faster than promised the budget goes: at 1 it is used up exactly at the end of the period."""
_BUDGET = share(odd=0.0, good=0.25, decimals=0)
_WORDS: Final = """\
**These are live figures.** They are counted while the service runs, as it sees things at the moment: a facility that is
silent counts as down in *monitoring* and in nothing else, what a clinic measured while it was cut off is never
added, planned maintenance is not left out, and a restart of the service begins to count anew.

**The figures of a contract come from `vitals sla`**, which computes them from stored readings: late data correct them,
time that nobody knows is *unknown* and neither up nor down, maintenance is left out and shown, and each issue says what
changed since the last. Look here to act today, and there to settle the month.
"""


def board(_: Limits) -> Board:
    """Return the dashboard; all of it is asked of Prometheus."""
    return Board(
        links.SLA,
        "Vitals: promised uptime",
        "Is the uptime that was promised kept, how much may still be lost, and who loses it fastest?",
        PROMISED,
        [
            Section("", [*_figures(), note("What these figures are", _WORDS, tall=6)]),
            Section("Where", [_budgets()]),
            Section("The course of time", [_availability(), _burn(), _outages(), _targets()]),
        ],
        since="now-30d",
        refresh="5m",
        page="/",
    )


def _figures() -> list[Card]:
    over = "$__range"
    left = f"1 - ({downtime(PROMISED, over, _EACH)}) / {allowed(PROMISED, _EACH)}"
    asked = [
        ("Availability", "The share of the time watched in which services were up, all together.", share(decimals=2),
         f"1 - {downtime(PROMISED, over, ())}", _UNWATCHED),
        ("Promises broken", "Services of facilities whose whole budget of the time chosen is used up.", TROUBLES,
         f"sum (({left}) < bool 0)", _UNPROMISED),
        ("Promises watched", "Services of facilities for which an uptime is promised.", NUMBER,
         f"count ({select('vitals_facility_uptime_target_ratio', PROMISED)})", _UNPROMISED),
        ("Outages", "How often a service of a facility went down.", NUMBER,
         f"sum (increase({select('vitals_facility_outages_total', PROMISED)}[{over}]))", _UNWATCHED),
        ("Time down", "For how long, all services and facilities together.", DURATION,
         f"sum (increase({select('vitals_facility_outage_seconds_total', PROMISED)}[{over}]))", _UNWATCHED),
        ("Counted for", "How long this process has counted: a longer time has a gap at its start.", DURATION,
         "time() - max (process_start_time_seconds and on (instance, job) vitals_build_info)", UNSCRAPED),
    ]  # fmt: skip
    return [number(Words(title, said, missing), look, [PromTarget(expr)]) for title, said, look, expr, missing in asked]


def _budgets() -> Card:
    words = Words(
        "Promises, least budget left first",
        "For each service of a facility with a promise: availability in the time chosen, what was promised, how much "
        "of the time that it may be down is left (below 0: broken), and how fast it goes: burning at 1 uses it up "
        "exactly at the end; 14 uses a month's in two days.",
        _UNPROMISED,
    )
    permitted = allowed(PROMISED, _EACH)
    promised = f"max by ({', '.join(_EACH)}) ({select('vitals_facility_uptime_target_ratio', PROMISED)})"
    kept = f"and on ({', '.join(_EACH)}) ({promised})"
    asked = [
        ("A", "Budget left", _BUDGET, f"1 - ({downtime(PROMISED, '$__range', _EACH)}) / {permitted}"),
        ("B", "Availability", share(decimals=3), f"(1 - {downtime(PROMISED, '$__range', _EACH)}) {kept}"),
        ("C", "Promised", share(decimals=3), promised),
        ("D", "Burns, 1 hour", _BURN, f"({downtime(PROMISED, '1h', _EACH)}) / {permitted}"),
        ("E", "Burns, 6 hours", _BURN, f"({downtime(PROMISED, '6h', _EACH)}) / {permitted}"),
    ]
    link = links.to(links.FACILITY, "This facility", PROMISED, facility="facility")
    shown = [
        *(Column(name) for name in PLACE[:-1]),
        Column("facility", link=link),
        Column("service"),
        *(figure(ref, title, look) for ref, title, look, _ in asked),
    ]
    targets = [PromTarget(expr, ref, table=True) for ref, _, _, expr in asked]
    return table(words, shown, targets, sort="Budget left", tall=12)


def _availability() -> Card:
    words = Words(
        "Availability, by service",
        "The share of each day before a moment in which services were up, all facilities together.",
        _UNWATCHED,
    )
    expr = f"1 - {downtime(PROMISED, '1d', ('service',))}"
    how = Course(highest=1)
    return course(words, share(decimals=2), [PromTarget(expr, legend="{{service}}", now=False)], how, wide=12)


def _burn() -> Card:
    words = Words(
        "Facilities that burn fastest",
        "How many times faster than promised the ten fastest used up their budget in the last six hours. At 1 it "
        "lasts exactly as long as promised.",
        _UNPROMISED,
    )
    expr = f"topk(10, ({downtime(PROMISED, '6h', _EACH)}) / {allowed(PROMISED, _EACH)})"
    target = PromTarget(expr, legend="{{facility}} {{service}}", now=False)
    return course(words, _BURN, [target], Course(lowest=0), wide=12)


def _outages() -> Card:
    words = Words(
        "Outages of the day before, by service",
        "How many outages began in the day before each moment, all facilities together.",
        _UNWATCHED,
    )
    expr = f"sum by (service) (increase({select('vitals_facility_outages_total', PROMISED)}[1d]))"
    target = PromTarget(expr, legend="{{service}}", now=False)
    return course(words, NUMBER, [target], Course(lowest=0), wide=12)


def _targets() -> Card:
    words = Words(
        "What is promised",
        "The lowest and the highest uptime promised for each service in the places chosen.",
        _UNPROMISED,
    )
    target = select("vitals_facility_uptime_target_ratio", PROMISED)
    targets = [
        PromTarget(f"{which} by (service) ({target})", ref, f"{{{{service}}}} {name}")
        for ref, which, name in (("A", "min", "lowest"), ("B", "max", "highest"))
    ]
    return number(words, share(decimals=2), targets, wide=12, tall=8)

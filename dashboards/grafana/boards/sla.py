"""The uptime that was promised: whether it is kept, how much may still be lost, who loses it fastest."""

from __future__ import annotations

from typing import Final

from dashboards.grafana import links
from dashboards.grafana.board import Board
from dashboards.grafana.boards.glance import ROWS, UNRECORDED, UNSCRAPED, over_time_now
from dashboards.grafana.layout import Section
from dashboards.grafana.limits import Limits
from dashboards.grafana.looks import BAD, DURATION, GOOD, NUMBER, ODD, TROUBLES, Look, share
from dashboards.grafana.panels import Card, Course, Words, course, note, number
from dashboards.grafana.promql import EACH, PLACE, PromTarget, availability, burn, promised, select
from dashboards.grafana.scopes import FACILITIES, PROMISED
from dashboards.grafana.tables import Column, facility_column, figure, table

_UNPROMISED = "Nothing is promised here: `sla: {targets: ...}` in the service's configuration says what is."
_LEFT = f"1 - (1 - {availability(PROMISED, '30d')}) / (1 - {promised(PROMISED)})"
"""The share of the time of thirty days that may be down and was not; below 0 the promise is broken."""
_BURN = Look("none", 1, ((None, GOOD), (1, ODD), (6, BAD)), colored=True)
"""How many times faster than promised the budget goes: at 1 it is used up exactly at the end of the period."""
_BUDGET = share(odd=0.0, good=0.25, decimals=0)
_WORDS: Final = """\
**These are live figures**, of the last 30 days wherever nothing else is said. They are counted while the service runs,
as it sees things at the moment: a silent facility is down in *monitoring* alone and its other services are not counted
meanwhile, what it measured and sends later is never added, planned maintenance is not left out, and a restart
of the service begins to count anew.

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
            Section("The course of time", [_availability(), _burn(), over_time_now(FACILITIES), _targets()]),
        ],
        since="now-30d",
        refresh="5m",
        page="/",
    )


def _figures() -> list[Card]:
    month = availability(PROMISED, "30d")
    asked = [
        ("Availability", "The share of the known time of 30 days in which services were up: the mean of all.",
         share(decimals=2), f"avg ({month})", UNRECORDED),
        ("Least available", "The same of the service of a facility that was down for longest.",
         share(decimals=2), f"min ({month})", UNRECORDED),
        ("Promises broken", "Services of facilities that were down for longer than promised in the last 30 days.",
         TROUBLES, f"sum ({month} < bool {promised(PROMISED)})", _UNPROMISED),
        ("Promises watched", "Services of facilities for which an uptime is promised.", NUMBER,
         f"count ({promised(PROMISED)})", _UNPROMISED),
        ("Outages, last day", "How often a service of a facility went down in the last day.", NUMBER,
         f"sum (increase({select('vitals_facility_outages_total', PROMISED)}[1d]))", UNSCRAPED),
        ("Counted for", "How long this process has counted: a longer time has a gap at its start.", DURATION,
         "time() - max (process_start_time_seconds and on (instance, job) vitals_build_info)", UNSCRAPED),
    ]  # fmt: skip
    return [number(Words(title, said, missing), look, [PromTarget(expr)]) for title, said, look, expr, missing in asked]


def _budgets() -> Card:
    words = Words(
        "Promises, least allowance left first",
        f"For the {ROWS} services of facilities with least left: how much of the time that may be down is left "
        "(below 0: broken), and how fast it goes. Burning at 1 uses it up exactly at the end, at 14 in two days.",
        _UNPROMISED,
    )
    least = f"bottomk({ROWS}, {_LEFT})"
    among = f"and on ({', '.join(EACH)}) ({least})"
    asked = [  # times one: a column of names of metrics would come along otherwise
        ("A", "Allowance left", _BUDGET, least),
        ("B", "30 days", share(decimals=3), f"1 * {availability(PROMISED, '30d')} {among}"),
        ("C", "Promised", share(decimals=3), f"{promised(PROMISED)} {among}"),
        ("D", "Burns, 1 hour", _BURN, f"({burn(PROMISED, '1h')}) {among}"),
        ("E", "Burns, 6 hours", _BURN, f"({burn(PROMISED, '6h')}) {among}"),
    ]
    shown = [
        *(Column(name) for name in PLACE[:-1]),
        facility_column(PROMISED),
        Column("service"),
        *(figure(ref, title, look) for ref, title, look, _ in asked),
    ]
    targets = [PromTarget(expr, ref, table=True) for ref, _, _, expr in asked]
    return table(words, shown, targets, sort="Allowance left", tall=12)


def _availability() -> Card:
    words = Words(
        "Availability of the day before, by service",
        "The share of the known time of the day before each moment in which services were up: the mean of all.",
        UNRECORDED,
    )
    expr = f"avg by (service) ({availability(PROMISED, '1d')})"
    target = PromTarget(expr, legend="{{service}}", now=False)
    return course(words, share(decimals=2), [target], Course(highest=1), wide=12)


def _burn() -> Card:
    words = Words(
        "Who burns fastest",
        "How many times faster than promised the ten fastest used up their allowance in the six hours before. At 1 it "
        "lasts exactly as long as promised.",
        _UNPROMISED,
    )
    target = PromTarget(f"topk(10, {burn(PROMISED, '6h')})", legend="{{facility}} {{service}}", now=False)
    return course(words, _BURN, [target], Course(lowest=0), wide=12)


def _targets() -> Card:
    words = Words(
        "What is promised",
        "The lowest and the highest uptime promised for each service in the places chosen.",
        _UNPROMISED,
    )
    targets = [
        PromTarget(f"{which} by (service) ({promised(PROMISED)})", ref, f"{{{{service}}}} {name}")
        for ref, which, name in (("A", "min", "lowest"), ("B", "max", "highest"))
    ]
    return number(words, share(decimals=2), targets, wide=12, tall=8)

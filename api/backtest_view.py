"""From a backtest and its report to the view of its page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from api.jobs import JobState, Stage
from api.rule_services import BacktestOrder
from api.visit import Visit
from dashboards.pages.rules import BacktestLine, BacktestPage, Column, EpisodeLine, RuleFacts, episode_line
from dashboards.pages.wording import local_time
from dashboards.pages.words import Words, noop

_STAGES: Final = {
    Stage.WAITING: noop("waits for its turn"),
    Stage.RUNNING: noop("is on its way"),
    Stage.DONE: noop("is done"),
    Stage.FAILED: noop("failed"),
    Stage.CANCELLED: noop("was cancelled"),
}
_TITLES: Final = (noop("The rule as it is"), noop("The rule as you changed it"))
_DIFFERENCES: Final = (
    ("gone", noop("Not found any more")),
    ("new", noop("Found as well")),
    ("changed", noop("At another time")),
)


def backtest_line(state: JobState[BacktestOrder], words: Words) -> BacktestLine:
    """Return a backtest in a line."""
    order = state.order
    said = words(_STAGES[state.stage])
    return BacktestLine(state.number, state.stage.value, said, order.days, order.by, order.changed is not None)


def backtest_page(state: JobState[BacktestOrder], rule: RuleFacts, visit: Visit) -> BacktestPage:
    """Return the page of a backtest."""
    words, now_ms = visit.words, visit.services.clock.now_ms()
    report = state.result or {}
    sets = report.get("sets", [])
    told = report.get("difference")

    def lines(found: list[Mapping[str, Any]]) -> tuple[EpisodeLine, ...]:
        return tuple(episode_line(each, visit.services.directory(), now_ms, words) for each in found)

    return BacktestPage(
        line=backtest_line(state, words),
        rule=rule,
        running=not state.stage.over,
        done=state.done,
        of=state.of or len(state.order.facilities),
        error=state.error,
        period=(local_time(state.order.start, "UTC", now_ms, words), local_time(state.order.end, "UTC", now_ms, words)),
        columns=tuple(_column(words(title), found) for title, found in zip(_TITLES, sets, strict=False)),
        episodes=lines(sets[-1]["episodes"][::-1]) if sets else (),
        same=told["same"] if told else 0,
        differences=tuple(
            (words(title), told["counts"][kind], lines(_after(told[kind]))) for kind, title in _DIFFERENCES
        )
        if told
        else (),
        may_cancel=not state.stage.over,
    )


def _after(found: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return episodes; of one that is at another time, as it would be."""
    return [each.get("after", each) for each in found]


def _column(title: str, found: Mapping[str, Any]) -> Column:
    (rule,) = found["rules"]
    return Column(
        title=title,
        sentence=rule["sentence"],
        episodes=rule["episodes"],
        told_at_once=rule["told_at_once"],
        hours=rule["hours"],
        readings=found["readings"],
        people=tuple(found["people"]),
    )

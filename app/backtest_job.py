"""A backtest that somebody ordered on a page: a rule, with what explains it, on the past of some facilities."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from api.rule_services import BacktestOrder
from app.backtest import Period, backtest, read_directory
from app.backtest_report import report
from app.child import Progress, Work
from app.config import ServiceConfig
from domain.document import Document
from domain.places import Facility
from rules.loader import load_rules
from rules.model import Rule

MOST_EPISODES = 100
"""What a page shows of the episodes that were found, and of each kind of difference."""


class Job(NamedTuple):
    """What is judged by what."""

    config: ServiceConfig
    rule_sets: Sequence[Sequence[Any]]
    """Each rule as it was written, as plain data."""
    about: str
    """The id of the rule that is reported on; the others are there because they explain it."""
    start: datetime
    end: datetime
    facilities: frozenset[str]


def backtest_work(config: ServiceConfig, rules: Callable[[], Sequence[Rule]]) -> Callable[[BacktestOrder], Work]:
    """Return what says of an order what is to be done, by the rules in force when it is begun."""

    def work_of(order: BacktestOrder) -> Work:
        tried = [order.rule] if order.changed is None else [order.rule, order.changed]
        sets = [[each.written for each in explaining(rule, rules())] for rule in tried]
        return Work(judge, Job(config, sets, order.rule.id, order.start, order.end, order.facilities))

    return work_of


def explaining(rule: Rule, rules: Sequence[Rule]) -> list[Rule]:
    """Return the rules without which it cannot be said whom a rule would have told: itself and what explains it."""
    by_id = {each.id: each for each in rules} | {rule.id: rule}
    found, waiting = dict[str, Rule](), [rule.id]
    while waiting:
        each = by_id.get(waiting.pop())
        if each is None or each.id in found:
            continue
        found[each.id] = each
        waiting += each.suppressed_by
        waiting += (other.id for other in by_id.values() if each.id in other.root_cause_of)
    return list(found.values())


async def judge(job: Job, progress: Progress) -> dict[str, Any]:
    """Judge, and return the report on the rule; raise ``VitalsError`` for what cannot be judged."""

    def wanted(facility: Facility) -> bool:
        return facility.id in job.facilities

    sets = [_rules(written) for written in job.rule_sets]
    period, found = await backtest(
        job.config, sets, Period(job.start, job.end), wanted=wanted, now=job.end, progress=progress
    )
    contacts = (await read_directory(job.config)).contacts
    return only_about(job.about, report(found, period, contacts))


def only_about(rule: str, data: dict[str, Any]) -> dict[str, Any]:
    """Return of a report what it says of one rule, cut to what a page shows."""
    sets = []
    for found in data["sets"]:
        episodes = [each for each in found["episodes"] if each["rule"] == rule]
        rules = [each for each in found["rules"] if each["id"] == rule]
        sets.append(found | {"rules": rules, "episodes": episodes[-MOST_EPISODES:]})
    shown = data | {"sets": sets}
    if "difference" in data:
        before = sum(each["rule"] == rule for each in data["sets"][0]["episodes"])
        shown["difference"] = _difference(rule, data["difference"], before)
    return shown


def _difference(rule: str, told: dict[str, Any], before: int) -> dict[str, Any]:
    gone = [each for each in told["gone"] if each["rule"] == rule]
    new = [each for each in told["new"] if each["rule"] == rule]
    changed = [each for each in told["changed"] if each["after"]["rule"] == rule]
    counts = {"gone": len(gone), "new": len(new), "changed": len(changed)}
    cut = {"gone": gone[-MOST_EPISODES:], "new": new[-MOST_EPISODES:], "changed": changed[-MOST_EPISODES:]}
    return {"same": before - len(gone) - len(changed), "counts": counts, **cut}


def _rules(written: Sequence[Any]) -> list[Rule]:
    return load_rules(Document("rules in force", {"rules": list(written)}))

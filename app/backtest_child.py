"""A backtest in a process of its own, so that the service goes on undisturbed: a job comes in, lines of JSON go out.

Run as ``python -m app.backtest_child``. Each line is an object: ``{"done": 3, "of": 12}`` after each facility, and at
the end ``{"report": ...}`` or ``{"error": "a sentence"}``.
"""

from __future__ import annotations

import asyncio
import json
import os
import pickle
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from app.backtest import Period, backtest, read_directory
from app.backtest_report import report
from app.config import ServiceConfig
from domain.document import Document
from domain.errors import VitalsError
from domain.places import Facility
from rules.loader import load_rules
from rules.model import Rule

MOST_EPISODES = 100
"""What a page shows of the episodes that were found, and of each kind of difference."""
_NICENESS = 10


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
    now: datetime


async def judge(job: Job, say: Callable[[dict[str, Any]], None]) -> None:
    """Do the job and say what came of it."""

    def wanted(facility: Facility) -> bool:
        return facility.id in job.facilities

    def progress(done: int, of: int, _: str) -> None:
        say({"done": done, "of": of})

    try:
        sets = [_rules(written) for written in job.rule_sets]
        period, found = await backtest(
            job.config, sets, Period(job.start, job.end), wanted=wanted, now=job.now, progress=progress
        )
        contacts = (await read_directory(job.config)).contacts
        say({"report": only_about(job.about, report(found, period, contacts))})
    except VitalsError as error:
        say({"error": str(error)})


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


def main() -> None:
    """Read the job from standard input, as the service wrote it, and do it."""
    job: Job = pickle.load(sys.stdin.buffer)  # noqa: S301 - from our own parent, through a pipe
    os.nice(_NICENESS)

    def say(line: dict[str, Any]) -> None:
        print(json.dumps(line), flush=True)  # noqa: T201 - this is the answer

    asyncio.run(judge(job, say))


if __name__ == "__main__":
    main()

"""What a backtest found, as a table for a terminal, as JSON for programs, as one HTML page for a meeting."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader

from app.backtest import Backtest, Period
from domain.episode import Episode
from domain.instant import format_rfc3339
from domain.people import Contact
from rules.backtest import Compared, compare
from rules.sentence import describe

ALARM = "alarm"
_RULE = ("id", "episodes", "told_at_once", "hours", "worst_subject")
_PERSON = ("name", "alarms", "messages", "messages_a_week")


def report(results: Sequence[Backtest], period: Period, contacts: Mapping[str, Contact]) -> dict[str, Any]:
    """Return everything as plain data; with two results also how the second differs from the first."""
    data: dict[str, Any] = {
        "from": format_rfc3339(period.start),
        "to": format_rfc3339(period.end),
        "sets": [_set(result, period, contacts) for result in results],
    }
    if len(results) == 2:
        data["difference"] = _difference(compare(results[0].episodes, results[1].episodes))
    return data


def _set(result: Backtest, period: Period, contacts: Mapping[str, Contact]) -> dict[str, Any]:
    by_rule = {rule.id: [each for each in result.episodes if each.rule == rule.id] for rule in result.rules}
    return {
        "readings": result.readings,
        "rules": [
            {
                "id": rule.id,
                "sentence": describe(rule),
                "episodes": len(by_rule[rule.id]),
                "told_at_once": sum(each.id in result.live for each in by_rule[rule.id]),
                "hours": round(sum(_hours(each, period) for each in by_rule[rule.id]), 2),
                "worst_subject": _commonest(each.subject for each in by_rule[rule.id]),
            }
            for rule in result.rules
        ],
        "people": [
            {
                "contact": contact,
                "name": contacts[contact].name if contact in contacts else contact or "systems",
                "alarms": result.messages[contact, ALARM],
                "messages": total,
                "messages_a_week": round(total / period.weeks, 1),
            }
            for contact, total in sorted(_by_contact(result).items(), key=lambda item: -item[1])
        ],
        "episodes": [_episode(each, live=each.id in result.live) for each in result.episodes],
    }


def _by_contact(result: Backtest) -> Counter[str]:
    totals: Counter[str] = Counter()
    for (contact, _), count in result.messages.items():
        totals[contact] += count
    return totals


def _hours(episode: Episode, period: Period) -> float:
    end = min(episode.ended_at or period.end, period.end)
    return max(end - episode.started_at, timedelta(0)).total_seconds() / 3600


def _commonest(subjects: Iterable[str]) -> str:
    return next((subject for subject, _ in Counter(subjects).most_common(1)), "")


def _episode(episode: Episode, *, live: bool | None = None) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "rule": episode.rule,
        "subject": episode.subject,
        "facility": episode.facility,
        "severity": episode.severity.label,
        "started": format_rfc3339(episode.started_at),
        "confirmed": format_rfc3339(episode.confirmed_at),
        "ended": None if episode.ended_at is None else format_rfc3339(episode.ended_at),
        "extreme": episode.extreme,
    }
    return shown if live is None else shown | {"told_at_once": live}


def _difference(compared: Compared) -> dict[str, Any]:
    return {
        "same": compared.same,
        "gone": [_episode(each) for each in compared.gone],
        "new": [_episode(each) for each in compared.new],
        "changed": [{"before": _episode(one), "after": _episode(other)} for one, other in compared.changed],
    }


def as_table(data: Mapping[str, Any], say: Callable[[str], None]) -> None:
    """Say it in lines of text."""
    names = ["", " of the other rules"] if len(data["sets"]) == 2 else [""]
    for name, found in zip(names, data["sets"], strict=True):
        say(f"{found['readings']:,} readings judged from {data['from']} to {data['to']}{name and ':' + name}")
        rows = [
            (r["id"], r["episodes"], r["told_at_once"], f"{r['hours']:.1f}", r["worst_subject"]) for r in found["rules"]
        ]
        _table(("rule", "episodes", "told at once", "hours", "most at"), rows, say)
        people = [(p["name"], p["alarms"], p["messages"], p["messages_a_week"]) for p in found["people"]]
        _table(("person", "alarms", "messages", "a week"), people or [("nobody", 0, 0, 0.0)], say)
    if "difference" in data:
        _say_difference(data["difference"], say)


def _cells(row: Mapping[str, Any], names: Sequence[str]) -> tuple[Any, ...]:
    return tuple(row[name] for name in names)


def _say_difference(difference: Mapping[str, Any], say: Callable[[str], None]) -> None:
    say(f"the same: {difference['same']} episodes")
    for sign, name, words in (("-", "gone", "no longer found"), ("+", "new", "found as well")):
        say(f"{words}: {len(difference[name])}")
        for each in difference[name]:
            say(f"  {sign} {each['rule']} {each['subject']}: {_span(each)}")
    say(f"at another time: {len(difference['changed'])}")
    for pair in difference["changed"]:
        before, after = pair["before"], pair["after"]
        say(f"  ~ {after['rule']} {after['subject']}: {_span(before)} → {_span(after)}")


def _span(episode: Mapping[str, Any]) -> str:
    return f"{episode['started']} until {episode['ended'] or 'now'}"


def _table(head: Sequence[str], rows: Sequence[Sequence[object]], say: Callable[[str], None]) -> None:
    cells = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(head))]
    for row in cells:
        say("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def as_json(data: Mapping[str, Any]) -> str:
    """Return it for programs."""
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def as_html(data: Mapping[str, Any]) -> str:
    """Return it as one page that needs nothing else."""
    loader = FileSystemLoader(Path(__file__).parent / "templates")
    page = Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True).get_template(
        "backtest.html"
    )
    return page.render(data)

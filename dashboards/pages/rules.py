"""The rules: what each says, whether it does what its tests say, when it fired, and what it would have found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from dashboards.pages.wording import SEVERITY_WORDS, LocalTime, ago_text, local_time
from dashboards.pages.words import Words
from domain.directory import Directory
from domain.episode import Severity
from domain.instant import parse_rfc3339, to_ms

RECENT_DAYS: Final = 30
BACKTEST_DAYS: Final = (7, 30, 90)
_TONES: Final = {Severity.INFO: "not_monitored", Severity.WARNING: "warning", Severity.CRITICAL: "critical"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFacts:
    """What is known of a rule, as plain data."""

    id: str
    title: str
    """In the reader's language, where somebody translated it."""
    severity: Severity
    sentence: str
    """In English."""
    action: str
    tests: int
    suppressed_by: tuple[str, ...] = ()
    root_cause_of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fired:
    """How often it raised an alert lately, and when last."""

    count: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One rule in the list."""

    facts: RuleFacts
    tone: str
    severity_word: str
    fired: str


@dataclass(frozen=True, slots=True)
class RulesPage:
    """The list of rules."""

    sentence: str
    trouble: str
    rows: tuple[RuleRow, ...]
    others: tuple[RuleRow, ...]
    """Those that come with Vitals and are not in force."""


@dataclass(frozen=True, slots=True)
class TestLine:
    """One test of a rule, and what came of it."""

    it: str
    difference: str
    """What was expected and what came; empty where they agree."""


@dataclass(frozen=True, slots=True)
class FiringLine:
    """One alert that the rule raised."""

    alert: int
    facility: str
    facility_name: str
    subject: str
    started: LocalTime
    goes_on: bool


@dataclass(frozen=True, slots=True)
class BacktestLine:
    """A backtest that is remembered."""

    number: int
    stage: str
    stage_word: str
    days: int
    by: str
    changed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RulePage:
    """One rule."""

    row: RuleRow
    in_force: bool
    tests: tuple[TestLine, ...]
    tests_sentence: str
    explained_by: tuple[RuleFacts, ...]
    explains: tuple[RuleFacts, ...]
    firings: tuple[FiringLine, ...]
    backtests: tuple[BacktestLine, ...]
    may_try: bool
    facilities: int
    """How many the visitor may try it on."""
    wording: str
    problems: tuple[str, ...] = ()
    """What is wrong with the wording that somebody wanted to try."""
    days: int = RECENT_DAYS
    choices: tuple[int, ...] = BACKTEST_DAYS


@dataclass(frozen=True, slots=True)
class EpisodeLine:
    """An episode that a backtest found."""

    facility: str
    facility_name: str
    subject: str
    started: LocalTime
    ended: LocalTime | None
    worst: str
    told_at_once: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """What one wording of the rule came to."""

    title: str
    sentence: str
    episodes: int
    told_at_once: int
    hours: float
    readings: int
    people: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestPage:
    """A backtest on its way, or what it found."""

    line: BacktestLine
    rule: RuleFacts
    running: bool
    done: int
    of: int
    error: str
    period: tuple[LocalTime, LocalTime]
    columns: tuple[Column, ...] = ()
    episodes: tuple[EpisodeLine, ...] = ()
    same: int = 0
    differences: tuple[tuple[str, int, tuple[EpisodeLine, ...]], ...] = ()
    may_cancel: bool = False


def rule_row(facts: RuleFacts, fired: Fired | None, now_ms: int, words: Words) -> RuleRow:
    """Return a rule as it stands in the list."""
    said = words("No alert in the last {days} days", days=RECENT_DAYS)
    if fired is not None:
        ago = ago_text(to_ms(fired.last_at), now_ms, words)
        said = words.many(
            "One alert in {days} days, {ago}", "{count} alerts in {days} days, the last {ago}", fired.count,
            days=RECENT_DAYS, ago=ago,
        )  # fmt: skip
    return RuleRow(facts, _TONES[facts.severity], words(SEVERITY_WORDS[facts.severity]), said)


def rules_page(
    rules: Sequence[RuleFacts],
    others: Sequence[RuleFacts],
    fired: Mapping[str, Fired],
    trouble: str,
    now_ms: int,
    words: Words,
) -> RulesPage:
    """Return the list: those that fired most lately first, then the most severe."""

    def rank(facts: RuleFacts) -> tuple[int, int]:
        return -(fired[facts.id].count if facts.id in fired else 0), -facts.severity

    return RulesPage(
        sentence=words.many("{count} rule is in force", "{count} rules are in force", len(rules)),
        trouble=trouble,
        rows=tuple(rule_row(each, fired.get(each.id), now_ms, words) for each in sorted(rules, key=rank)),
        others=tuple(rule_row(each, None, now_ms, words) for each in others),
    )


def tests_sentence(tests: Sequence[TestLine], words: Words) -> str:
    """Return in a sentence what came of the tests of a rule."""
    failed = sum(bool(each.difference) for each in tests)
    if not tests:
        return words("Nobody wrote a test for this rule.")
    if failed:
        return words(
            "{failed} of {count} tests fail: the rule does not do what they say.", failed=failed, count=len(tests)
        )
    return words.many("Its test passes.", "All {count} tests pass.", len(tests))


def episode_line(found: Mapping[str, Any], directory: Directory, now_ms: int, words: Words) -> EpisodeLine:
    """Return an episode of a backtest's report, in words."""
    facility = directory.facilities.get(found["facility"])
    zone = facility.timezone if facility else "UTC"
    channel = directory.channels.get(found["subject"])
    ended, extreme = found["ended"], found["extreme"]
    return EpisodeLine(
        facility=found["facility"],
        facility_name=facility.name if facility else found["facility"],
        subject=subject_name(found["subject"], directory),
        started=local_time(parse_rfc3339(found["started"]), zone, now_ms, words),
        ended=None if ended is None else local_time(parse_rfc3339(ended), zone, now_ms, words),
        worst=channel.quantity.format(extreme) if channel and extreme is not None else "",
        told_at_once=found.get("told_at_once"),
    )


def subject_name(subject: str, directory: Directory) -> str:
    """Return the name of the equipment or node that an alert is about."""
    channel, node = directory.channels.get(subject), directory.nodes.get(subject)
    equipment = directory.equipment.get(channel.equipment) if channel else None
    return equipment.name if equipment else (node.name if node and node.name else subject)

"""``vitals rules explain``: finds an episode, the rule and the limits of its time, and says what it rests on."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.notification import AuditEntry
from alerts.store import AlertStore
from app.backtest import known_until, read_directory, within
from app.config import ServiceConfig
from app.database import open_database
from app.rule_versions import RuleVersion, RuleVersions
from app.rulebook import read_rules
from collector.journal.journal import Journal
from domain.alert import Alert
from domain.directory import Directory
from domain.episode import Episode
from domain.errors import OperatorError
from domain.instant import DAY_MS, HOUR_MS, format_duration, format_rfc3339, to_ms
from domain.places import Channel
from domain.reading import Reading
from registry.history import LimitChange
from registry.store import RegistryStore
from rules.backtest import begins_ms
from rules.explain import Explanation, explain
from rules.model import Rule
from rules.sentence import describe
from rules.values import milliseconds

_MARGIN_MS = 6 * HOUR_MS
_MOST_MS = 400 * DAY_MS
"""So much of the past is read at most."""


class Case(NamedTuple):
    """Everything that is known of an episode."""

    episode: Episode
    alert: Alert | None
    audit: Sequence[AuditEntry]
    version: RuleVersion
    directory: Directory
    limits: Sequence[LimitChange]
    """What was ever said of the limits of its channel, in the order in which it was said; nothing if once only."""
    explanation: Explanation


async def explain_episode(
    config: ServiceConfig, named: str, *, now: datetime, as_json: bool, say: Callable[[str], None]
) -> None:
    """Say what an episode rests on; ``named`` is its id or the number of its alert."""
    case = await _case(config, named, now)
    if as_json:
        say(json.dumps(_document(case), indent=2, ensure_ascii=False))
        return
    for line in _lines(case):
        say(line)


async def _case(config: ServiceConfig, named: str, now: datetime) -> Case:
    directory = await read_directory(config)
    async with open_database(config.database_url) as database:
        alerts = AlertStore(database)
        await alerts.create_tables()
        found = await alerts.find_episode(named)
        if found is None:
            raise OperatorError(
                f"found {named!r}, which is no episode; allowed: the number of an alert, or an episode's id"
            )
        episode, alert = found
        version = await _version(database, config, episode)
        recorded = await RegistryStore(database).limit_changes(episode.subject)
        audit = [] if alert is None else await alerts.audit(alert.id)
    facility = directory.facilities.get(episode.facility)
    if facility is None or version.rule is None:
        gone = "its rule was not in force then" if facility else f"facility {episode.facility!r} is not registered"
        raise OperatorError(f"episode {episode.id} cannot be explained any more: {gone}")
    there = within(directory, facility)
    async with Journal.open(config.data, read_only=True) as journal:
        now = await known_until(journal, now)
        readings = await _readings(journal, there, episode, version.rule, now)
    explanation = explain(episode, version.rule, there, readings, now_ms=to_ms(now), settings=config.rules.engine)
    return Case(episode, alert, audit, version, directory, recorded, explanation)


async def _version(database: AsyncEngine, config: ServiceConfig, episode: Episode) -> RuleVersion:
    versions = RuleVersions(database)
    await versions.create_tables()
    if (version := await versions.at(episode.rule, to_ms(episode.confirmed_at))) is not None:
        return version
    # Told before wordings were kept: the rule of today is the best guess.
    rules = {rule.id: rule for rule in read_rules(config.rules)}
    return RuleVersion(rules.get(episode.rule), "", 0)


async def _readings(journal: Journal, there: Directory, episode: Episode, rule: Rule, now: datetime) -> list[Reading]:
    last_ms = to_ms(episode.ended_at or now) + 2 * milliseconds(rule.when.longest) + _MARGIN_MS
    first_ms = max(begins_ms([rule], to_ms(episode.started_at)) - _MARGIN_MS, last_ms - _MOST_MS)
    found: list[Reading] = []
    for channel in there.channels:
        found += await journal.series(channel, first_ms, last_ms)
    return found


def _lines(case: Case) -> list[str]:
    episode, explanation, rule = case.episode, case.explanation, case.version.rule
    assert rule is not None  # noqa: S101 - refused where there is none
    facility = case.directory.facilities[episode.facility]
    lines = [
        f"Episode   {episode.id}" + (f" (alert {case.alert.id}, {case.alert.state.value})" if case.alert else ""),
        f"Where     {facility.name}, {episode.subject}",
        f"Rule      {rule.title}: {_version_words(case.version)}",
        f"          {describe(rule)}",
        *(f"Channel   {_channel_words(channel)}" for channel in explanation.inputs),
        *_limit_lines(case),
        f"Clock     {_clock_words(case)}",
        f"Time      {_span_words(episode)}",
    ]
    lines += [f"          {_mark_words(mark.moment_ms, mark.what, mark.readings, case)}" for mark in explanation.marks]
    lines.append(f"Readings  {_count_words(explanation)}")
    lines += [
        f"Gap       after {format_rfc3339(begin)}, until {format_rfc3339(end)}" for begin, end in explanation.gaps
    ]
    lines += [f"Told      {format_rfc3339(each.at)} {each.what} {each.detail}".rstrip() for each in case.audit]
    return [*lines, f"Again     {_again_words(case)}"]


def _version_words(version: RuleVersion) -> str:
    if not version.digest:
        return "as it is in force today, for older wordings were not kept"
    return f"wording {version.digest}, in force since {format_rfc3339(version.since_ms)}"


def _channel_words(channel: Channel) -> str:
    limits = ", ".join(f"{name} {channel.quantity.format(value)}" for name, value in sorted(channel.limits.items()))
    every = f"every {format_duration(channel.interval)} from node {channel.node}"
    return f"{channel.id}, {every}" + (f"; limits of today: {limits}" if limits else "")


def _limit_lines(case: Case) -> list[str]:
    channel = case.explanation.inputs[0] if case.explanation.inputs else None
    if channel is None:
        return []
    lines = []
    for change in case.limits:
        limits = ", ".join(f"{name} {channel.quantity.format(value)}" for name, value in sorted(change.limits.items()))
        since = "always" if change.valid_from_ms == 0 else f"from {format_rfc3339(change.valid_from_ms)}"
        lines.append("Limits    " + "  ".join(filter(None, (since, limits or "none", change.author, change.reason))))
    return lines


def _clock_words(case: Case) -> str:
    explanation = case.explanation
    if explanation.level is None:
        return "silence is judged by when readings arrive"
    live, gap = (
        format_duration(timedelta(milliseconds=each)) for each in (explanation.live_ms, explanation.level.gap_ms)
    )
    return f"judged by when it was measured; late after {live}; a pause longer than {gap} is a gap"


def _span_words(episode: Episode) -> str:
    end = "goes on" if episode.ended_at is None else f"until {format_rfc3339(episode.ended_at)}"
    return f"{format_rfc3339(episode.started_at)} {end}, confirmed {format_rfc3339(episode.confirmed_at)}"


def _mark_words(moment_ms: int, what: str, readings: Sequence[Reading], case: Case) -> str:
    values = "; ".join(_reading_words(each, case) for each in readings)
    return f"{format_rfc3339(moment_ms)} {what}: {values or 'no reading is stored any more'}"


def _reading_words(reading: Reading, case: Case) -> str:
    channel = case.directory.channels[reading.channel]
    name = "" if len(case.explanation.inputs) == 1 else f"{reading.channel} "
    age_ms = reading.received_at_ms - reading.measured_at_ms
    arrived = format_duration(timedelta(milliseconds=max(age_ms, 0)))
    manner = "late" if age_ms > case.explanation.live_ms else "live"
    return f"{name}{channel.quantity.format(reading.value)}, arrived {arrived} later ({manner})"


def _count_words(explanation: Explanation) -> str:
    words = f"{explanation.readings} while it went on, {explanation.late} of them late"
    return words + (f"; {explanation.unusable} without a usable value" if explanation.unusable else "")


def _again_words(case: Case) -> str:
    if case.explanation.agrees(case.episode):
        return "judging what is stored once more, in the order of arrival, finds the same"
    found = "; ".join(_span_words(each) for each in case.explanation.again)
    return (
        f"judging what is stored once more finds {found or 'nothing'}: the rule, the limits, the registry or Vitals "
        "itself were others then, or readings are no longer kept"
    )


def _document(case: Case) -> dict[str, Any]:
    episode, explanation, rule = case.episode, case.explanation, case.version.rule
    level = explanation.level
    return {
        "episode": _episode(episode),
        "alert": None if case.alert is None else {"id": case.alert.id, "state": case.alert.state.value},
        "rule": {
            "written": None if rule is None else rule.written,
            "digest": case.version.digest or None,
            "since": format_rfc3339(case.version.since_ms) if case.version.digest else None,
        },
        "channels": [
            {"id": each.id, "node": each.node, "interval": format_duration(each.interval), "limits": dict(each.limits)}
            for each in explanation.inputs
        ],
        "limits": [
            {
                "from": format_rfc3339(each.valid_from_ms),
                "limits": dict(each.limits),
                "author": each.author,
                "reason": each.reason,
            }
            for each in case.limits
        ],
        "clock": None
        if level is None
        else {"late_after_ms": explanation.live_ms, "gap_ms": level.gap_ms, "for_ms": level.for_ms},
        "marks": [
            {
                "at": format_rfc3339(mark.moment_ms),
                "what": mark.what,
                "readings": [
                    {
                        "channel": each.channel,
                        "value": each.value,
                        "quality": each.quality.label,
                        "received_at": format_rfc3339(each.received_at_ms),
                    }
                    for each in mark.readings
                ],
            }
            for mark in explanation.marks
        ],
        "readings": explanation.readings,
        "late": explanation.late,
        "unusable": explanation.unusable,
        "gaps": [{"after": format_rfc3339(begin), "until": format_rfc3339(end)} for begin, end in explanation.gaps],
        "told": [
            {"at": format_rfc3339(each.at), "who": each.who, "what": each.what, "detail": each.detail}
            for each in case.audit
        ],
        "again": {"same": explanation.agrees(episode), "episodes": [_episode(each) for each in explanation.again]},
    }


def _episode(episode: Episode) -> dict[str, Any]:
    return {
        "id": episode.id,
        "rule": episode.rule,
        "subject": episode.subject,
        "started_at": format_rfc3339(episode.started_at),
        "confirmed_at": format_rfc3339(episode.confirmed_at),
        "ended_at": None if episode.ended_at is None else format_rfc3339(episode.ended_at),
        "extreme": episode.extreme,
    }

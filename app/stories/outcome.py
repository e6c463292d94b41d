"""What came of a story, written as an ``expected.yaml`` would say it, so that a difference can be read and pasted."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from app.stories.service import Said, Service
from app.stories.story import (
    Expected,
    ExpectedAlert,
    ExpectedEpisode,
    ExpectedMessage,
    ExpectedSilence,
    Many,
)
from domain.alert import Alert
from domain.episode import Episode
from domain.instant import format_duration, to_ms

_LINE = re.compile(r"to (?P<to>\S*) \([^)]*\): (?P<says>[A-Z]+) (?P<text>.*) ref (?P<alert>\d+)")
_REPLY = re.compile(r"to (?P<to>\S*) \((?P<address>[^)]*)\): (?P<text>.*)", re.DOTALL)


async def outcome(service: Service, start_ms: int) -> Expected:
    """Return everything that came of the story."""
    episodes = await service.alerts.episodes(limit=10_000)
    alerts = await service.alerts.alerts(open_only=False, limit=10_000)
    journal = service.parts.ground.journal
    return Expected(
        episodes=tuple(expected_episode(each, start_ms) for each in episodes),
        alerts=tuple(_alert(each) for each in reversed(alerts)),
        messages=tuple(_message(each, start_ms) for each in service.said),
        counts=tuple(
            Many(to=to, messages=number)
            for to, number in Counter(_message(each, start_ms).to for each in service.said).items()
        ),
        rejected={reason.value: count for reason, count in sorted((await journal.rejected_counts()).items())},
        stored=await journal.count(),
        not_told=tuple([silence for alert in reversed(alerts) for silence in await _silences(service, alert)]),
    )


def difference(expected: Expected, came: Expected) -> str:
    """Return a readable difference; empty where what came is what was expected."""
    return "\n".join(
        difflib.unified_diff(
            _written(expected), _written(_as_asked(expected, came)), "expected", "came", lineterm="", n=2
        )
    )


def written(came: Expected) -> str:
    """Return the outcome as the text of an ``expected.yaml``."""
    return "\n".join(_written(came.model_copy(update={"not_told": None, "counts": None})))


def _as_asked(expected: Expected, came: Expected) -> Expected:
    """Return what came, without what the case does not look at."""
    if expected.counts is not None:
        return _of_many(expected, came)
    wanted = {(each.at, each.to, each.says, each.alert): each.text for each in expected.messages}
    messages = []
    for each in came.messages:
        text = wanted.get((each.at, each.to, each.says, each.alert))
        messages.append(each if text is None or text not in each.text else each.model_copy(update={"text": text}))
    left_out = {name: None for name in ("stored", "not_told") if getattr(expected, name) is None}
    return came.model_copy(update={"messages": tuple(messages), "counts": None, **left_out})


def _of_many(expected: Expected, came: Expected) -> Expected:
    """Return what came of a story of many: how many messages each person got, and those that are named."""
    wanted = {(each.at, each.to, each.says, each.alert): each.text for each in expected.messages}
    named = [
        each.model_copy(update={"text": text})
        for each in came.messages
        if (text := wanted.get((each.at, each.to, each.says, each.alert))) is not None and text in each.text
    ]
    left_out = {name: None for name in ("stored", "not_told") if getattr(expected, name) is None}
    nothing: dict[str, object] = {"episodes": (), "alerts": (), "messages": tuple(named)}
    return came.model_copy(update=nothing | left_out)


def _written(said: Expected) -> list[str]:
    lines = _section(
        "episodes", (_flow(each) for each in sorted(said.episodes, key=lambda each: (each.start, each.rule, each.of)))
    )
    if said.counts is not None:
        lines += _section("counts", (_flow(each) for each in sorted(said.counts, key=lambda each: each.to)))
    lines += _section("alerts", (_flow(each) for each in sorted(said.alerts, key=lambda each: each.number)))
    lines += _section(
        "messages", (_flow(each) for each in sorted(said.messages, key=lambda each: (each.at, each.alert, each.to)))
    )
    rejected = ", ".join(f"{reason}: {count}" for reason, count in sorted(said.rejected.items()))
    lines.append(f"rejected: {{{rejected}}}")
    if said.stored is not None:
        lines.append(f"stored: {said.stored}")
    if said.not_told is not None:
        lines += _section("not_told", (_flow(each) for each in said.not_told))
    return lines


def _section(name: str, items: Iterable[str]) -> list[str]:
    listed = [f"  - {item}" for item in items]
    return [f"{name}:", *listed] if listed else [f"{name}: []"]


def _flow(item: ExpectedEpisode | ExpectedAlert | ExpectedMessage | ExpectedSilence | Many) -> str:
    fields = {name: getattr(item, name) for name in type(item).model_fields}
    shown = ", ".join(
        f"{name}: {_shown(value)}"
        for name, value in fields.items()
        if value not in (None, "", False) or isinstance(value, timedelta)
    )
    return f"{{{shown}}}"


def _shown(value: object) -> str:
    if isinstance(value, timedelta):
        return f"-{format_duration(-value)}" if value < timedelta(0) else format_duration(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.10g}"
    text = str(value)
    return f'"{text}"' if re.search(r"[:,{}#]|^$", text) else text


def expected_episode(episode: Episode, start_ms: int) -> ExpectedEpisode:
    """Return an episode as a case's files write it."""
    return ExpectedEpisode(
        rule=episode.rule,
        of=episode.subject,
        start=_offset(episode.started_at, start_ms),
        confirmed=_offset(episode.confirmed_at, start_ms),
        end=None if episode.ended_at is None else _offset(episode.ended_at, start_ms),
        extreme=episode.extreme,
    )


def _alert(alert: Alert) -> ExpectedAlert:
    return ExpectedAlert(
        number=alert.id,
        rule=alert.rule,
        of=alert.subject,
        state=alert.state.value,
        past=alert.past,
        by=alert.acknowledged_by,
    )


def _message(said: Said, start_ms: int) -> ExpectedMessage:
    at = timedelta(milliseconds=said.at_ms - start_ms)
    if match := _LINE.fullmatch(said.line):
        return ExpectedMessage.model_validate({"at": at, **match.groupdict()})
    match = _REPLY.fullmatch(said.line)
    if match is None:
        raise ValueError(f"the console said something else than a message: {said.line}")
    return ExpectedMessage(
        at=at, to=match["to"] or match["address"], says="REPLY", text=match["text"].replace("\n", " | ")
    )


async def _silences(service: Service, alert: Alert) -> Sequence[ExpectedSilence]:
    entries = await service.alerts.audit(alert.id)
    return [ExpectedSilence(alert=alert.id, why=each.what) for each in entries if each.what.startswith("silent_")]


def _offset(moment: datetime, start_ms: int) -> timedelta:
    return timedelta(milliseconds=to_ms(moment) - start_ms)

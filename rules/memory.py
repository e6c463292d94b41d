"""What the engine remembers, as bytes: one entry per channel and node, so that only what changed is written.

An entry is compact JSON that begins with its version. Streaks are kept by rule id and kind of condition, so that an
edited rule finds its running timer again, and a rule that became one of another kind does not.
"""

from __future__ import annotations

import json
from typing import Any

from domain.episode import Episode, Severity, SubjectKind
from domain.errors import VitalsError
from rules.compile import Level, Silence
from rules.series import ChannelState, NodeState, Silent, Window
from rules.silence import Subject, gone_quiet
from rules.streak import Streak, confirmed_episode
from rules.watch import Waiting, Watch

VERSION = 1

Json = Any
"""Whatever ``json.loads`` returns."""
_ENCODER = json.JSONEncoder(separators=(",", ":"), check_circular=False)


class SnapshotError(VitalsError):
    """A remembered entry was not written by this engine."""


def encode_channel(state: ChannelState) -> bytes:
    """Return everything that is remembered of a channel."""
    levels = state.plan.levels
    streaks = {
        level.rule: _streak(level, streak) for level, streak in zip(levels, state.streaks, strict=True) if streak
    }
    stale = {levels[index].rule: window for index, window in (state.stale or {}).items()}
    parts: list[Json] = [state.last_ms, state.last_value, _rest(state), state.heard_ms]
    if streaks or stale or state.silent:
        parts += [streaks, stale, _silent(state.silent), state.channel.facility]
    return _dump(parts)


def encode_watch(watch: Watch) -> bytes:
    """Return everything that is remembered of a watch; inputs are named by their channels."""
    streak = watch.streak
    waiting = [[each.moment_ms, watch.inputs[each.place].id, *each[2:]] for each in watch.waiting]
    streaks = {watch.plan.level.rule: _streak(watch.plan.level, streak)} if streak else {}
    stale = list(watch.stale[0]) if watch.stale else None
    return _dump([watch.last_ms, watch.previous_ms, streaks, stale, waiting, watch.channel.id, watch.channel.facility])


def load_watch(watch: Watch, parts: list[Json]) -> list[Episode]:
    """Remember a watch again; return the open episode of a rule that became one of another kind, ended."""
    last_ms, previous_ms, streaks, stale, waiting, *_ = parts
    places = {channel.id: place for place, channel in enumerate(watch.inputs)}
    watch.resume(
        last_ms,
        previous_ms,
        [Waiting(moment, places[name], *more) for moment, name, *more in waiting if name in places],
    )
    watch.stale = None if stale is None else {0: Window(*stale)}
    ended = []
    for rule, saved in streaks.items():
        if watch.plan.level.kind == saved[0]:
            watch.streak = Streak(*saved[2:]).weigh(watch.plan.level)
        else:
            ended += _ended(rule, saved, watch.channel.id, watch.channel.facility, last_ms)
    return ended


def orphaned_watch(parts: list[Json]) -> list[Episode]:
    """Return the open episode of a watch that is gone, ended."""
    last_ms, _, streaks, _, _, channel, facility = parts
    return [each for rule, saved in streaks.items() for each in _ended(rule, saved, channel, facility, last_ms)]


def encode_node(state: NodeState) -> bytes:
    """Return everything that is remembered of a node."""
    return _dump([state.heard_ms, state.back_ms, _silent(state.silent), state.facility])


def encode_clock(now_ms: int, watching_since_ms: int) -> bytes:
    """Return what is remembered of the engine's own time."""
    return _dump([now_ms, watching_since_ms])


def decode(key: str, blob: bytes) -> list[Json]:
    """Return the parts of an entry; raise ``SnapshotError`` where another program or version wrote it."""
    parts: list[Json]
    try:
        version, *parts = json.loads(blob)
    except (ValueError, TypeError):
        raise SnapshotError(f"the remembered state {key!r} cannot be read") from None
    if version != VERSION:
        raise SnapshotError(f"the remembered state {key!r} has version {version}; this engine reads {VERSION}")
    return parts


def load_channel(state: ChannelState, parts: list[Json]) -> list[Episode]:
    """Remember a channel again; return the open episodes of rules that judge it no more, ended at its last reading."""
    state.last_ms, state.last_value, rest_ms, state.heard_ms, *more = parts
    state.rest_from_ms = [_rest_of(rest_ms, level.rule, state.last_ms) for level in state.plan.levels]
    if not more:
        return []
    streaks, stale, silents, _ = more
    ended = []
    for rule, saved in streaks.items():
        place = _place(state.plan.levels, rule)
        if place is not None and state.plan.levels[place].kind == saved[0]:
            state.streaks[place] = Streak(*saved[2:]).weigh(state.plan.levels[place])
            continue
        if place is not None:
            state.rest_from_ms[place] = state.last_ms
        ended += _ended(rule, saved, state.channel.id, state.channel.facility, state.last_ms)
    windows = {
        place: Window(*saved) for rule, saved in stale.items() if (place := _place(state.plan.levels, rule)) is not None
    }
    state.stale = windows or None
    return ended + _load_silent(state, SubjectKind.CHANNEL, silents, {each.rule: each for each in state.plan.silences})


def load_node(state: NodeState, parts: list[Json], silences: tuple[Silence, ...]) -> list[Episode]:
    """Remember a node again; return the open episodes of rules that are gone."""
    state.heard_ms, state.back_ms, silents, _ = parts
    return _load_silent(state, SubjectKind.NODE, silents, {each.rule: each for each in silences})


def orphans(kind: SubjectKind, subject: str, parts: list[Json]) -> list[Episode]:
    """Return the open episodes of a channel or node that the registry knows no more, ended."""
    if kind is SubjectKind.NODE:
        heard_ms, _, silents, facility = parts
        return _all_ended(kind, subject, facility, silents, heard_ms or 0)
    if len(parts) <= _IDLE_PARTS:
        return []
    last_ms, _, _, heard_ms, streaks, _, silents, facility = parts
    ended = [episode for rule, saved in streaks.items() for episode in _ended(rule, saved, subject, facility, last_ms)]
    return ended + _all_ended(kind, subject, facility, silents, heard_ms or 0)


_IDLE_PARTS = 4


def _streak(level: Level, streak: Streak) -> list[Json]:
    return [
        level.kind,
        int(level.severity),
        streak.since_ms,
        streak.extreme,
        streak.extreme_at_ms,
        streak.confirmed_ms,
        streak.identity_ms,
        streak.told,
        streak.live,
        *([streak.clearing_ms] if streak.clearing_ms is not None else []),
    ]


def _rest(state: ChannelState) -> int | dict[str, int]:
    """Return since when each rule is at rest: one moment where all are agreed, as they mostly are."""
    rest = {level.rule: state.rest_from_ms[index] for index, level in enumerate(state.plan.levels)}
    moments = set(rest.values())
    return rest if len(moments) > 1 else next(iter(moments), state.last_ms)


def _rest_of(rest_ms: int | dict[str, int], rule: str, unknown_ms: int) -> int:
    return rest_ms.get(rule, unknown_ms) if isinstance(rest_ms, dict) else rest_ms


def _silent(silents: dict[str, Silent] | None) -> Json:
    return {
        rule: [silent.started_ms, silent.confirmed_ms, int(silent.silence.severity)]
        for rule, silent in (silents or {}).items()
    }


def _dump(parts: list[Json]) -> bytes:
    return _ENCODER.encode([VERSION, *parts]).encode()


def _place(levels: tuple[Level, ...], rule: str) -> int | None:
    return next((index for index, level in enumerate(levels) if level.rule == rule), None)


def _ended(rule: str, saved: list[Json], channel: str, facility: str, ended_ms: int) -> list[Episode]:
    streak = Streak(*saved[2:])
    if streak.confirmed_ms is None:
        return []
    return [confirmed_episode(rule, Severity(saved[1]), channel, facility, streak, ended_ms)]


def _load_silent(subject: Subject, kind: SubjectKind, silents: Json, known: dict[str, Silence]) -> list[Episode]:
    kept = {rule: Silent(saved[0], saved[1], known[rule]) for rule, saved in silents.items() if rule in known}
    subject.silent = kept or None
    gone = {rule: saved for rule, saved in silents.items() if rule not in known}
    name, facility = (
        (subject.id, subject.facility)
        if isinstance(subject, NodeState)
        else (subject.channel.id, subject.channel.facility)
    )
    return _all_ended(kind, name, facility, gone, subject.heard_ms or 0)


def _all_ended(kind: SubjectKind, subject: str, facility: str, silents: Json, at_ms: int) -> list[Episode]:
    return [
        gone_quiet(
            kind,
            subject,
            facility,
            Silent(start, confirmed, Silence(rule, Severity(severity), 0)),
            max(at_ms, confirmed),
        )
        for rule, (start, confirmed, severity) in silents.items()
    ]

"""The page of one alert: what is known of it, what belongs to it, who was told, and what a person can do now."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from dashboards.pages.alert_trend import (
    AlertPast,
    PowerLines,
    TimeLeftLine,
    power_lines,
    time_left_lines,
    trend_chart,
)
from dashboards.pages.alerts import AlertCard, AlertScene, alert_card
from dashboards.pages.chart import Chart
from dashboards.pages.wording import LocalTime, local_time
from dashboards.pages.words import noop
from domain.alert import Alert

KIND_WORDS = {
    "alarm": noop("Alarm"),
    "worse": noop("That it got worse"),
    "all_clear": noop("All-clear"),
    "past": noop("Report of the past"),
}
STATE_WORDS = {
    "queued": noop("waits to be sent"),
    "submitted": noop("sent"),
    "delivered": noop("delivered"),
    "failed": noop("could not be delivered"),
    "unknown": noop("sent, nobody knows whether it arrived"),
    "acknowledged": noop("arrived: was answered"),
    "cancelled": noop("not needed any more"),
}

_REACHED = ("submitted", "delivered", "acknowledged")
"""States of a message that somebody may have read."""


@dataclass(frozen=True, slots=True)
class Told:
    """One message about the alert; the words of kind and state are those of the telling."""

    name: str
    """Of the person; empty for a system."""
    channel: str
    kind: str
    state: str
    at: datetime
    """When it was delivered or given up, or else when it was queued."""


@dataclass(frozen=True, slots=True)
class Closed:
    """What somebody found and did."""

    by: str
    at: datetime
    said: str


@dataclass(frozen=True, slots=True)
class Background:
    """What is known of an alert besides the alert itself; all of it may be unknown."""

    together: Sequence[Alert] = ()
    """The others of its incident that are not over."""
    told: Sequence[Told] = ()
    actions: Collection[str] = ()
    """What a person can do: ``acknowledge``, ``ask_for_help``, ``shelve``, ``unshelve``, ``close``."""
    next_step_at: datetime | None = None
    """When the next people are told unless somebody answers."""
    closed: Closed | None = None
    reasons: Sequence[str] = ()
    """Allowed reasons for closing; empty: any."""


@dataclass(frozen=True, slots=True)
class ToldLine:
    """One message, in words."""

    name: str
    channel: str
    what: str
    state: str
    failed: bool
    time: LocalTime


@dataclass(frozen=True, slots=True)
class AlertPage:
    """The page, ready to be written."""

    card: AlertCard
    together: tuple[AlertCard, ...]
    told: tuple[ToldLine, ...]
    actions: frozenset[str]
    next_step: LocalTime | None
    closed: Closed | None
    closed_time: LocalTime | None
    reasons: tuple[str, ...]
    trend: Chart | None
    """None for what is not about something measured."""
    power: PowerLines
    left: tuple[TimeLeftLine, ...]


def alert_page(alert: Alert, background: Background, past: AlertPast, scene: AlertScene) -> AlertPage:
    """Return the page of an alert."""
    card = alert_card(alert, scene)
    told_at = [each.at for each in background.told if each.kind == "alarm" and each.state in _REACHED]

    def local(moment: datetime | None) -> LocalTime | None:
        return None if moment is None else local_time(moment, _zone_of(alert, scene), scene.now_ms, scene.words)

    return AlertPage(
        card=card,
        together=tuple(alert_card(each, scene) for each in background.together if each.id != alert.id),
        told=tuple(
            ToldLine(
                name=each.name,
                channel=each.channel,
                what=scene.words(KIND_WORDS[each.kind]),
                state=scene.words(STATE_WORDS[each.state]),
                failed=each.state in ("failed", "unknown"),
                time=local_time(each.at, _zone_of(alert, scene), scene.now_ms, scene.words),
            )
            for each in background.told
        ),
        actions=frozenset(background.actions),
        next_step=local(background.next_step_at),
        closed=background.closed,
        closed_time=local(background.closed.at if background.closed else None),
        reasons=tuple(background.reasons),
        trend=trend_chart(alert, card, min(told_at, default=None), past, scene),
        power=power_lines(alert, past, scene),
        left=time_left_lines(past, scene),
    )


def _zone_of(alert: Alert, scene: AlertScene) -> str:
    facility = scene.directory.facilities.get(alert.facility)
    return facility.timezone if facility else "UTC"

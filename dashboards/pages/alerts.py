"""Alerts on pages: where, what, since when, how bad, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from dashboards.pages.status import LatestReading, alert_service, is_fresh, subject_name
from dashboards.pages.wording import (
    SERVICE_WORDS,
    SEVERITY_WORDS,
    STATE_WORDS,
    DescribeAlert,
    LocalTime,
    advice_for,
    duration_text,
    local_time,
    quantity_word,
    value_text,
)
from dashboards.pages.words import Words
from domain.alert import Alert, AlertState
from domain.directory import Directory
from domain.episode import Severity
from domain.instant import to_ms
from domain.places import Facility, Service

MOST_CARDS = 60
"""Of each kind on one page; more are a flood, in which the worst and oldest count."""
NEEDS_ANSWER = {AlertState.UNACKNOWLEDGED, AlertState.RETURNED_UNACKNOWLEDGED}


def _anywhere(_: str) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class AlertCard:
    """One alert, ready to be written into a page."""

    id: int
    facility: str
    facility_name: str
    place: str
    subject: str
    """Name of the equipment or node."""
    service: Service
    service_word: str
    title: str
    phrase: str
    """What the rule says of the worst value."""
    advice: str
    severity: Severity
    severity_word: str
    state: AlertState
    state_word: str
    started: LocalTime
    lasted: str
    """How long the excursion has lasted, or did last."""
    ended: LocalTime | None
    quantity: str
    worst: str
    """The extreme value with its unit; empty where the rule has none (silence)."""
    current: str
    """The value now; empty where none is known."""
    acknowledged_by: str
    acknowledged: LocalTime | None
    needs_answer: bool
    can_take: bool
    """Whether the one who looks may answer."""
    past: bool


@dataclass(frozen=True, slots=True)
class AlertsPage:
    """The list of alerts: who waits for an answer, what is being handled, what is over."""

    sentence: str
    waiting: tuple[AlertCard, ...]
    waiting_besides: int
    """Further ones, less severe or younger, that are not shown."""
    handled: tuple[AlertCard, ...]
    handled_besides: int
    over: tuple[AlertCard, ...]


@dataclass(frozen=True, slots=True)
class AlertScene:
    """What the words of an alert depend on."""

    directory: Directory
    latest: LatestReading
    describe: DescribeAlert
    now_ms: int
    words: Words
    may_act: Callable[[str], bool] = _anywhere
    """Whether the one who looks may act on the alerts of a facility."""


def alerts_page(open_alerts: Sequence[Alert], recent: Sequence[Alert], scene: AlertScene) -> AlertsPage:
    """Return the list page; ``recent`` may hold open ones too, they are shown once."""
    worst_first = sorted(open_alerts, key=worst_and_oldest)
    waiting = [alert for alert in worst_first if alert.state in NEEDS_ANSWER]
    handled = [alert for alert in worst_first if alert.state not in NEEDS_ANSWER]
    known = {alert.id for alert in open_alerts}

    def cards(alerts: Iterable[Alert]) -> tuple[AlertCard, ...]:
        return tuple(alert_card(alert, scene) for alert in islice(alerts, MOST_CARDS))

    return AlertsPage(
        sentence=_sentence(len(waiting), len(worst_first), scene.words),
        waiting=cards(waiting),
        waiting_besides=max(len(waiting) - MOST_CARDS, 0),
        handled=cards(handled),
        handled_besides=max(len(handled) - MOST_CARDS, 0),
        over=cards(alert for alert in recent if alert.id not in known),
    )


def worst_and_oldest(alert: Alert) -> tuple[int, int, int]:
    """Return the sort key of alerts: the most severe first, then who waits longest."""
    return (-int(alert.severity), to_ms(alert.started_at), alert.id)


def alert_card(alert: Alert, scene: AlertScene) -> AlertCard:
    """Return one alert in words."""
    facility = scene.directory.facilities.get(alert.facility) or _unknown(alert.facility)
    words, text = scene.words, scene.describe(alert, scene.words)
    service = alert_service(scene.directory, alert)
    worst, quantity = _worst(alert, scene)
    end_ms = to_ms(alert.ended_at) if alert.ended_at else scene.now_ms
    return AlertCard(
        id=alert.id,
        facility=facility.id,
        facility_name=facility.name,
        place=" · ".join(part for part in (facility.district, facility.region) if part),
        subject=subject_name(scene.directory, alert),
        service=service,
        service_word=words(SERVICE_WORDS[service]),
        title=text.title,
        phrase=text.phrase,
        advice=text.advice or advice_for(service, words),
        severity=alert.severity,
        severity_word=words(SEVERITY_WORDS[alert.severity]),
        state=alert.state,
        state_word=words(STATE_WORDS[alert.state]),
        started=local_time(alert.started_at, facility.timezone, scene.now_ms, words),
        lasted=duration_text(end_ms - to_ms(alert.started_at), words),
        ended=local_time(alert.ended_at, facility.timezone, scene.now_ms, words) if alert.ended_at else None,
        quantity=quantity,
        worst=worst,
        current=_current(alert, scene),
        acknowledged_by=alert.acknowledged_by,
        acknowledged=_acknowledged(alert, facility, scene),
        needs_answer=alert.state in NEEDS_ANSWER,
        can_take=alert.state in NEEDS_ANSWER and scene.may_act(alert.facility),
        past=alert.past,
    )


def _sentence(waiting: int, still_open: int, words: Words) -> str:
    if waiting:
        return words.many("{count} alert waits for an answer", "{count} alerts wait for an answer", waiting)
    if still_open:
        return words("Every open alert has been answered ({count})", count=still_open)
    return words("No open alerts")


def _unknown(facility: str) -> Facility:
    """Return a facility to speak of when an alert has outlived its registration."""
    return Facility(id=facility, name=facility, country="", region="", district="")


def _worst(alert: Alert, scene: AlertScene) -> tuple[str, str]:
    channel = scene.directory.channels.get(alert.subject)
    if channel is None or alert.extreme is None:
        return "", ""
    return value_text(channel.quantity, alert.extreme, scene.words), quantity_word(channel.quantity.name, scene.words)


def _current(alert: Alert, scene: AlertScene) -> str:
    channel = scene.directory.channels.get(alert.subject)
    reading = scene.latest(alert.subject) if channel else None
    if channel is None or reading is None or reading.value is None:
        return ""
    return value_text(channel.quantity, reading.value, scene.words) if is_fresh(channel, reading, scene.now_ms) else ""


def _acknowledged(alert: Alert, facility: Facility, scene: AlertScene) -> LocalTime | None:
    if alert.acknowledged_at is None:
        return None
    return local_time(alert.acknowledged_at, facility.timezone, scene.now_ms, scene.words)

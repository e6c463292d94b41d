"""What led to an alert: its trend with the moments that matter, the power, and how much time is left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from dashboards.pages.alerts import AlertCard, AlertScene
from dashboards.pages.chart import Beside, Chart, build_chart
from dashboards.pages.happenings import Happening, HappeningKind, lettered
from dashboards.pages.series import Bucket, Range, Window
from dashboards.pages.state_strip import Stretch
from dashboards.pages.wording import duration_text, local_time, quantity_word, value_text
from dashboards.pages.words import Words, noop
from domain.alert import Alert
from domain.instant import DAY_MS, HOUR_MS, MINUTE_MS, to_datetime, to_ms

_LEAD_MS = 3 * HOUR_MS
_LONGEST_LEAD_MS = DAY_MS
_MOST_ROWS = 14
_ROUND_MS = 10 * MINUTE_MS
_STEPS = tuple(timedelta(minutes=minutes) for minutes in (15, 30, 60, 120, 360, 720, 1440, 10_080, 40_320))


@dataclass(frozen=True, slots=True)
class PowerNow:
    """Whether the facility has power, and since when if that is known."""

    on: bool
    since: datetime | None


class TimeLeft(NamedTuple):
    """Between which moments from now a channel's high limit is reached, if it goes on like this."""

    channel: str
    earliest_ms: float
    latest_ms: float


@dataclass(frozen=True, slots=True)
class AlertPast:
    """What was measured around an alert; all of it may be unknown."""

    window: Window
    buckets: Sequence[Bucket] = ()
    """Of the channel that the alert is about."""
    power: Sequence[Stretch] | None = None
    """None where no supply is measured."""
    power_now: PowerNow | None = None
    left: Sequence[TimeLeft] = ()


class PowerLines(NamedTuple):
    """The power in words; empty texts where nothing tells."""

    now: str
    then: str


class TimeLeftLine(NamedTuple):
    """What may reach its limit, and when."""

    subject: str
    text: str


def trend_window(alert: Alert, zone: str, now_ms: int) -> Window:
    """Return the stretch that shows how it came to an alert: some hours before, until now or until it was over."""
    started_ms, ended_ms = to_ms(alert.started_at), to_ms(alert.ended_at) if alert.ended_at else now_ms
    lasted_ms = max(ended_ms - started_ms, 0)
    lead_ms = min(max(_LEAD_MS, lasted_ms // 2), _LONGEST_LEAD_MS)
    to = min(ended_ms + max(HOUR_MS, lasted_ms // 4), now_ms) if alert.ended_at else now_ms
    from_ms, to_ms_ = started_ms - lead_ms, max(to, started_ms + MINUTE_MS)
    span = timedelta(milliseconds=to_ms_ - from_ms)
    step = next((each for each in _STEPS if span / each <= _MOST_ROWS), _STEPS[-1])
    step_ms = round(step.total_seconds() * 1000)
    from_ms -= from_ms % min(step_ms, HOUR_MS)
    last = noop("around this alert")
    return Window(from_ms, to_ms_, zone, Range("", last, last, timedelta(milliseconds=to_ms_ - from_ms), step))


def trend_chart(
    alert: Alert, card: AlertCard, told_at: datetime | None, past: AlertPast, scene: AlertScene
) -> Chart | None:
    """Return the chart, with when it began, was told and was taken; None for what is not about a channel."""
    channel = scene.directory.channels.get(alert.subject)
    if channel is None:
        return None
    moments = lettered(_moments(alert, card, told_at, past.window, scene))
    title = scene.words(
        "{name}: {what}",
        name=scene.words.isolated(card.subject),
        what=quantity_word(channel.quantity.name, scene.words),
    )
    return build_chart(channel, past.buckets, past.window, title, Beside(past.power, moments), words=scene.words)


def _moments(
    alert: Alert, card: AlertCard, told_at: datetime | None, window: Window, scene: AlertScene
) -> list[Happening]:
    words, began_ms = scene.words, to_ms(alert.started_at)

    def moment(at: datetime, what: str) -> Happening:
        at_ms = to_ms(at)
        local = local_time(at, window.zone, scene.now_ms, words)
        return Happening(kind=HappeningKind.MOMENT, start_ms=at_ms, end_ms=at_ms, what=what, started=local)

    found = [
        Happening(
            kind=HappeningKind.EXCURSION,
            start_ms=began_ms,
            end_ms=to_ms(alert.ended_at) if alert.ended_at else scene.now_ms,
            what=words("began"),
            started=card.started,
        )
    ]
    if told_at:
        found.append(moment(told_at, words("somebody was told")))
    if alert.acknowledged_at:
        by = words.isolated(alert.acknowledged_by)
        found.append(moment(alert.acknowledged_at, words("taken by {name}", name=by)))
    if alert.ended_at:
        found.append(moment(alert.ended_at, words("back to normal")))
    return [each for each in found if each.start_ms <= window.to_ms]


def power_lines(alert: Alert, past: AlertPast, scene: AlertScene) -> PowerLines:
    """Return whether there is power now, with since when, and whether there was when it began."""
    words, now = scene.words, past.power_now
    then_word = _word_at(past.power or (), to_ms(alert.started_at), words)
    if now is None or alert.ended_at:
        return PowerLines("", then_word)
    state, since = words("on") if now.on else words("off"), now.since
    if since is None:
        return PowerLines(state, then_word)
    local = local_time(since, past.window.zone, scene.now_ms, words)
    lasted = duration_text(scene.now_ms - to_ms(since), words)
    return PowerLines(
        words("{state} since {time} ({duration})", state=state, time=local.text, duration=lasted), then_word
    )


def _word_at(power: Sequence[Stretch], moment_ms: int, words: Words) -> str:
    share = next((each.share for each in power if each.start_ms <= moment_ms < each.end_ms), None)
    if share is None:
        return ""
    if 0 < share < 1:
        return words("partly on")
    return words("on") if share else words("off")


def measured_since(power: Sequence[Stretch], *, on: bool) -> datetime | None:
    """Return since when the power is as it is by what was measured; None where that began before, or in a gap."""
    if len(power) < 2 or power[-1].share != (1.0 if on else 0.0):
        return None
    before, last = power[-2:]
    return to_datetime(last.start_ms) if last.start_ms - before.end_ms < MINUTE_MS else None


def time_left_lines(past: AlertPast, scene: AlertScene) -> tuple[TimeLeftLine, ...]:
    """Return for each fridge that warms when it will be too warm, the first first."""
    return tuple(
        TimeLeftLine(_name(each, scene), _left_text(each, scene))
        for each in sorted(past.left, key=lambda each: each.earliest_ms)
    )


def _name(left: TimeLeft, scene: AlertScene) -> str:
    equipment = scene.directory.equipment.get(scene.directory.channels[left.channel].equipment)
    return equipment.name if equipment else left.channel


def _left_text(left: TimeLeft, scene: AlertScene) -> str:
    channel, words = scene.directory.channels[left.channel], scene.words
    earliest, latest = _rough(left.earliest_ms, words, up=False), _rough(left.latest_ms, words, up=True)
    limit = value_text(channel.quantity, channel.limits["high"], words)
    if earliest == latest:
        return words("about {duration} until {limit}", duration=latest, limit=limit)
    return words("about {earliest} to {latest} until {limit}", earliest=earliest, latest=latest, limit=limit)


def _rough(duration_ms: float, words: Words, *, up: bool) -> str:
    """Return a duration no finer than a forecast is: whole hours, and below two hours tens of minutes."""
    step = HOUR_MS if duration_ms >= 2 * HOUR_MS else _ROUND_MS
    count = int(-(-duration_ms // step)) if up else int(duration_ms // step)
    return duration_text(max(count * step, _ROUND_MS), words)

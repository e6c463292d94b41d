"""Strips: how long each state held, of one channel that is a state, and of a facility's power as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from typing import NamedTuple

from dashboards.pages.axes import Scale
from dashboards.pages.series import Bucket, Window, column_ms, gap_after_ms
from dashboards.pages.wording import duration_text, exact_duration_text
from dashboards.pages.words import Words, noop
from domain.instant import HOUR_MS, MINUTE_MS, SECOND_MS
from domain.places import Channel

_MOST_PARTS = 240
"""More changes than this no strip can show; they come out as shares of short stretches."""
_LEAST = 6
"""Out of 100: an outage of a minute in a day is seen."""
_IN_DAYS_MS = 100 * HOUR_MS
"""Nobody reads so many hours and minutes."""
_UNKNOWN = noop("unknown")
POWER_STATES = (noop("off"), noop("on"))


class Stretch(NamedTuple):
    """A stretch of time of which something is known: for how much of it, and how much of that the state was on."""

    start_ms: int
    end_ms: int
    share: float
    known_ms: float

    @property
    def is_known(self) -> bool:
        """Tell whether something is known of all of it."""
        return self.known_ms == self.end_ms - self.start_ms

    @property
    def on_ms(self) -> float:
        """Return for how long the state was on."""
        return self.known_ms * self.share

    @property
    def off_ms(self) -> float:
        """Return for how long it was known to be off."""
        return self.known_ms * (1 - self.share)


class StripPart(NamedTuple):
    """A stretch in the drawing's units: heights of what was on and off, out of 100; the rest is unknown."""

    x: int
    width: int
    on: int
    off: int


class Strip(NamedTuple):
    """A state over a window, ready to be drawn, and in a sentence."""

    parts: tuple[StripPart, ...]
    totals: str
    """``on 21 h, off 3 h``."""


def stretches_of(channel: Channel, buckets: Sequence[Bucket], window: Window) -> list[Stretch]:
    """Return how long each state held: until the next reading, and at most until a gap begins."""
    gap_ms = gap_after_ms(channel.interval, buckets)
    found: list[Stretch] = []
    following = [*(each.start_ms for each in buckets[1:]), window.to_ms]
    for bucket, next_ms in zip(buckets, following, strict=False):
        start_ms, end_ms = bucket.start_ms, bucket.end_ms
        if end_ms <= start_ms:  # a single reading
            end_ms = min(next_ms, start_ms + gap_ms)
        start_ms, end_ms = max(start_ms, window.from_ms), min(end_ms, window.to_ms)
        length_ms = end_ms - start_ms
        if length_ms <= 0:
            continue
        # A single reading holds until the next; a roll-up says itself for how much it stands.
        known_ms = min(bucket.covered_ms, length_ms) if bucket.covered_ms else length_ms
        share = bucket.mean if 0.0 <= bucket.mean <= 1.0 else round(bucket.mean > 0.5)
        _add(found, Stretch(start_ms, end_ms, share, known_ms))
    return found


def power_stretches(supplies: Sequence[Sequence[Stretch]]) -> list[Stretch]:
    """Return whether there was power from any of several supplies.

    It is off only where every supply that tells anything in this window is known to be off. Where supplies were on for
    parts of the same stretch, the greatest part counts: together they may have been on for longer, never for less.
    """
    telling = [each for each in supplies if each]
    if len(telling) <= 1:
        return list(telling[0]) if telling else []
    edges = sorted({edge for each in telling for stretch in each for edge in (stretch.start_ms, stretch.end_ms)})
    found: list[Stretch] = []
    places = [0] * len(telling)
    for start_ms, end_ms in pairwise(edges):
        here = []
        for number, own in enumerate(telling):
            while places[number] < len(own) and own[places[number]].end_ms <= start_ms:
                places[number] += 1
            if places[number] < len(own) and own[places[number]].start_ms <= start_ms:
                here.append(own[places[number]])
        joined = _any_of(here, len(telling), start_ms, end_ms)
        if joined is not None:
            _add(found, joined)
    return found


def _any_of(here: Sequence[Stretch], supplies: int, start_ms: int, end_ms: int) -> Stretch | None:
    length_ms = end_ms - start_ms
    known = [(each.share, each.known_ms / (each.end_ms - each.start_ms)) for each in here]
    on = max((share * part for share, part in known), default=0.0)
    off = min(((1 - share) * part for share, part in known), default=0.0) if len(here) == supplies else 0.0
    if on + off <= 0:
        return None
    return Stretch(start_ms, end_ms, on / (on + off), length_ms * min(on + off, 1.0))


def _add(found: list[Stretch], stretch: Stretch) -> None:
    """Append a stretch, or let the last one go on where the state did not change."""
    last = found[-1] if found else None
    goes_on = last and last.share == stretch.share and stretch.start_ms - last.end_ms < SECOND_MS
    if last and goes_on and last.is_known and stretch.is_known:
        found[-1] = Stretch(last.start_ms, stretch.end_ms, last.share, stretch.end_ms - last.start_ms)
    else:
        found.append(stretch)


def strip_of(stretches: Sequence[Stretch], states: tuple[str, ...], window: Window, words: Words) -> Strip:
    """Return the strip of stretches within the window; ``states`` are the words of off and on, in English."""
    on_ms, off_ms = sum(each.on_ms for each in stretches), sum(each.off_ms for each in stretches)
    unknown_ms = window.to_ms - window.from_ms - on_ms - off_ms
    totals = ((states[1], on_ms), (states[0], off_ms), (_UNKNOWN, unknown_ms))
    said = [
        words("{state} {duration}", state=words(word), duration=_duration(ms, words))
        for word, ms in totals
        if ms >= MINUTE_MS
    ]
    return Strip(_parts(stretches, window), words(", ").join(said) or words("no time covered"))


def _duration(duration_ms: float, words: Words) -> str:
    if duration_ms >= _IN_DAYS_MS:
        return duration_text(round(duration_ms), words)
    return exact_duration_text(timedelta(milliseconds=duration_ms), words)


def _parts(stretches: Sequence[Stretch], window: Window) -> tuple[StripPart, ...]:
    scale = Scale(window, 0.0, 1.0)
    shown = stretches if len(stretches) <= _MOST_PARTS else _in_columns(stretches, window)
    parts = []
    for each in shown:
        left, right = scale.x(each.start_ms), scale.x(each.end_ms)
        length_ms = each.end_ms - each.start_ms
        off = _height(each.off_ms / length_ms)
        parts.append(StripPart(left, max(right - left, 1), min(_height(each.on_ms / length_ms), 100 - off), off))
    return tuple(parts)


def _height(share: float) -> int:
    """Return a share out of 100, in which a little is seen too."""
    return max(round(share * 100), _LEAST) if share > 0 else 0


def shares_of(stretches: Sequence[Stretch], from_ms: int, width_ms: int) -> dict[int, tuple[float, float]]:
    """Return for how long the state was on and off, in milliseconds, per stretch of ``width_ms`` from ``from_ms``."""
    sums: dict[int, tuple[float, float]] = {}
    for each in stretches:
        part = 1 / (each.end_ms - each.start_ms)
        for number in range((each.start_ms - from_ms) // width_ms, -(-(each.end_ms - from_ms) // width_ms)):
            begin_ms = from_ms + number * width_ms
            share = (min(each.end_ms, begin_ms + width_ms) - max(each.start_ms, begin_ms)) * part
            on_ms, off_ms = sums.get(number, (0.0, 0.0))
            sums[number] = on_ms + each.on_ms * share, off_ms + each.off_ms * share
    return sums


def _in_columns(stretches: Sequence[Stretch], window: Window) -> list[Stretch]:
    """Return the same in as many stretches of one length as a strip can show."""
    width_ms = column_ms(window.from_ms, window.to_ms, _MOST_PARTS)
    found = []
    for number, (on_ms, off_ms) in sorted(shares_of(stretches, window.from_ms, width_ms).items()):
        begin_ms = window.from_ms + number * width_ms
        if on_ms + off_ms > 0:
            end_ms = min(begin_ms + width_ms, window.to_ms)
            found.append(Stretch(begin_ms, end_ms, on_ms / (on_ms + off_ms), on_ms + off_ms))
    return found

"""Figures beside those of the days before: how much, of how much time that is known, and better or worse in words."""

from __future__ import annotations

from dataclasses import dataclass

from dashboards.figures.tally import Cold, Compared, share
from dashboards.pages.time_spent import percent
from dashboards.pages.wording import number_text
from dashboards.pages.words import Words, noop

MINUS = "\u2212"
_POINTS = noop("{change} points")
_HOURS = noop("{change} h")


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure as a person reads it."""

    label: str
    value: str
    """``93.4 %``; ``unknown`` where nothing is known."""
    observed: str = ""
    """``of 91 % of the time observed``."""
    known: str = ""
    """The same where there is little room: ``91 % observed``."""
    change: str = ""
    """``+2.3 points, better``; empty where there is nothing to compare with."""
    better: bool | None = None
    """None where it is as before, or nobody knows."""


def cold_figures(compared: Compared, words: Words) -> tuple[Figure, Figure, Figure]:
    """Return the shares of time in range, too cold and too hot."""
    now, before = compared.now.cold, compared.before.cold
    return (
        _cold_share(words("In range"), now, before, (now.within_ms, before.within_ms), True, words),
        _cold_share(words("Too cold"), now, before, (now.below_ms, before.below_ms), False, words),
        _cold_share(words("Too hot"), now, before, (now.above_ms, before.above_ms), False, words),
    )


def power_figure(compared: Compared, words: Words) -> Figure:
    """Return how many hours of a day there was power."""
    now, before = compared.now.power, compared.before.power
    hours, hours_before = (_hours_a_day(share(each.on_ms, each.known_ms)) for each in (now, before))
    if hours is None:
        return _unknown(words("Power a day"), now.span_ms, words)
    value = words("{hours} h", hours=number_text(hours, 1, words=words))
    known = percent(now.known_ms, now.span_ms, words)
    observed = words("of {share} of the time observed", share=known)
    change = _change(hours, hours_before, _HOURS, True, words)
    return Figure(words("Power a day"), value, observed, words("{share} observed", share=known), *change)


def water_figure(compared: Compared, words: Words) -> Figure:
    """Return the share of days with water."""
    now, before = compared.now.water, compared.before.water
    with_water = share(now.days, now.known_days)
    if with_water is None:
        return _unknown(words("Water days"), now.span_days, words)
    value, known = percent(now.days, now.known_days, words), percent(now.known_days, now.span_days, words)
    observed = words("of {share} of the days observed", share=known)
    change = _points(with_water, share(before.days, before.known_days), True, words)
    return Figure(words("Water days"), value, observed, words("{share} observed", share=known), *change)


def _cold_share(
    label: str, now: Cold, before: Cold, parts: tuple[int, int], up_is_better: bool, words: Words
) -> Figure:
    found = share(parts[0], now.judged_ms)
    if found is None:
        return _unknown(label, now.span_ms, words)
    value, known = percent(parts[0], now.judged_ms, words), percent(now.judged_ms, now.span_ms, words)
    observed = words("of {share} of the time observed", share=known)
    change = _points(found, share(parts[1], before.judged_ms), up_is_better, words)
    return Figure(label, value, observed, words("{share} observed", share=known), *change)


def _unknown(label: str, span: int, words: Words) -> Figure:
    return Figure(label, words("unknown") if span else words("not measured"))


def _hours_a_day(found: float | None) -> float | None:
    return None if found is None else found * 24


def _points(now: float, before: float | None, up_is_better: bool, words: Words) -> tuple[str, bool | None]:
    return _change(now * 100, None if before is None else before * 100, _POINTS, up_is_better, words)


def _change(
    now: float, before: float | None, pattern: str, up_is_better: bool, words: Words
) -> tuple[str, bool | None]:
    """Return the difference in words, and whether it is one for the better; differences that nobody sees are none."""
    if before is None:
        return "", None
    difference = round(now - before, 1)
    if not difference:
        return words("as before"), None
    better = (difference > 0) == up_is_better
    sign = "+" if difference > 0 else MINUS
    shown = words(pattern, change=words.isolated(f"{sign}{number_text(abs(difference), 1, words=words)}"))
    return words("{change}, better", change=shown) if better else words("{change}, worse", change=shown), better

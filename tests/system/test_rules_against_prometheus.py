"""Prometheus as an outside oracle: where rules and its alerting rules mean the same, they tell the same, and when."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from domain.instant import to_ms
from domain.reading import Quality, Reading
from rules.notation import Point, parse_series
from tests.rules.judging import START_MS, World, channel, directory_of, one_rule
from tests.system.promtool import Alerting, Counted, disagreements, wrong_samples

pytestmark = pytest.mark.system

CASES_PER_INTERVAL = 20
# Prometheus looks back five minutes for a sample, so a pause has to be shorter than that, and for Vitals no gap, or
# longer than both. Where readings come every ten minutes it sees nothing between two of them: no short pauses there.
PAUSES = {30: ((1, 2, 3), (12, 15)), 60: ((1, 2, 3), (7, 9)), 600: ((1,), (4, 6))}
LEVELS = tuple(half / 2 for half in range(-2, 20))
QUANTITY = {True: ("supply", "mains-1"), False: ("temperature", "fridge-1")}


@dataclass(frozen=True)
class Meaning:
    """A rule as Vitals reads it and as Prometheus does."""

    when: str
    expr: str
    for_seconds: int
    values: tuple[float, ...]
    """What the readings are drawn from: on both sides of every limit, and the limits themselves."""
    is_state: bool = False
    has_clear: bool = False


def hysteresis(sign: str, clear: float) -> str:
    """Return what makes an alert of Prometheus go on until the clear level: it looks at its own last evaluation."""
    return f' or ({{series}} {sign} {clear} and on() ALERTS{{{{alertname="{{alert}}",alertstate="firing"}}}})'


def drawn_rule(draw: random.Random, seconds: int) -> Meaning:
    """Return a condition of any kind on values."""
    for_seconds = draw.choice([0, 0, seconds, 2 * seconds, 3 * seconds, 5 * seconds, seconds * 5 // 2])
    kind = draw.choice(["above", "below", "outside", "is"])
    if kind == "is":
        return Meaning(f"{{is: {{state: off, for: {for_seconds}s}}}}", "{series} == 0", for_seconds, (0, 1), True)
    low, high = sorted(draw.sample(LEVELS[3:-3], 2))
    values = (low - 1, low, low + 0.5, high - 0.5, high, high + 1)
    over, under = draw.choice([">", ">="]), draw.choice(["<", "<="])
    if kind == "outside":
        when = f'low: {{limit: {low}, comparison: "{under}"}}, high: {{limit: {high}, comparison: "{over}"}}'
        expr = f"{{series}} {under} {low} or {{series}} {over} {high}"
        return Meaning(f"{{outside: {{{when}, for: {for_seconds}s}}}}", expr, for_seconds, values)
    limit, sign, clear = (high, over, low) if kind == "above" else (low, under, high)
    expr, ending = f"{{series}} {sign} {limit}", ""
    has_clear = seconds < 300 and draw.random() < 0.5
    if has_clear:
        expr, ending = expr + hysteresis(sign[0], clear), f", clear: {clear}"
    when = f'{{{kind}: {{limit: {limit}, comparison: "{sign}", for: {for_seconds}s{ending}}}}}'
    return Meaning(when, expr, for_seconds, values, has_clear=has_clear)


def world_of(meaning: Meaning, seconds: int) -> World:
    """Return a world with this rule and one channel."""
    quantity, equipment = QUANTITY[meaning.is_state]
    rule = one_rule(meaning.when, applies_to=f"{{quantity: {quantity}}}")
    return World(
        rule, directory_of(channel("probe", quantity, equipment=equipment, interval=timedelta(seconds=seconds)))
    )


def told_since(world: World) -> int | None:
    """Return the start of the episode that goes on, in seconds; None where none does."""
    goes_on = [episode for episode in world.episodes.values() if episode.ended_at is None]
    assert len(goes_on) <= 1
    return (to_ms(goes_on[0].started_at) - START_MS) // 1000 if goes_on else None


def arrive(world: World, place: int, seconds: int, point: Point) -> None:
    """Let a reading arrive when it was measured."""
    moment_ms = START_MS + place * seconds * 1000
    world.arrive(Reading("probe", moment_ms, point.value, point.quality, moment_ms))


def drawn(draw: random.Random, seconds: int) -> Alerting:
    """Return a rule and a series with pauses, and what Vitals makes of them at every reading."""
    meaning = drawn_rule(draw, seconds)
    world = world_of(meaning, seconds)
    short, long = PAUSES[seconds]
    if meaning.has_clear:  # an alert that a value carried on began would go on by itself
        short = (1,)
    words: list[str] = []
    since: dict[int, int | None] = {}
    value = draw.choice(meaning.values)
    for _ in range(draw.randint(10, 40)):
        arrive(world, len(words), seconds, Point(value, Quality.GOOD))
        since[len(words)] = told_since(world)
        # An open episode stays open through a gap here and not there.
        gap = draw.random() < 0.05 and since[len(words)] is None
        pause = draw.choice(long) if gap else draw.choice((1, 1, 1, *short))
        words += [str(value), *["_"] * (pause - 1)]
        if draw.random() < 0.5:
            value = draw.choice(meaning.values)
    return Alerting(meaning.expr, meaning.for_seconds, " ".join(words), since)


def drawn_batch(seed: int) -> dict[int, list[Alerting]]:
    """Return cases by interval in seconds."""
    draw = random.Random(seed)
    return {seconds: [drawn(draw, seconds) for _ in range(CASES_PER_INTERVAL)] for seconds in PAUSES}


@pytest.mark.parametrize("seed", range(5))
def test_prometheus_tells_the_same_since_the_same_moment(seed: int, tmp_path: Path) -> None:
    """Any condition on values, comparison, clear level and ``for``: open at a reading here if firing there."""
    batch = drawn_batch(seed)
    states = [state for alerts in batch.values() for each in alerts for state in each.since.values()]
    assert 0.1 < sum(state is not None for state in states) / len(states) < 0.9
    assert disagreements(tmp_path, batch) == ""


@pytest.mark.parametrize("wrong", [None, 0])
def test_one_wrong_moment_among_all_is_found(wrong: int | None, tmp_path: Path) -> None:
    """The oracle is asked about each moment: an alert that is not told, or that began earlier, does not pass."""
    batch = drawn_batch(0)
    at, place = next(
        (at, place)
        for at, each in enumerate(batch[60])
        for place, since in reversed(each.since.items())
        if since not in (None, 0)
    )
    right = batch[60][at]
    batch[60][at] = replace_since(right, place, wrong)
    assert f"a{at}" in disagreements(tmp_path, batch)


def replace_since(alert: Alerting, place: int, since: int | None) -> Alerting:
    """Return the same with another expectation at one place."""
    return alert._replace(since={**alert.since, place: since})


@dataclass(frozen=True)
class Difference:
    """A series that is told otherwise: ``!`` where an alert is open, ``.`` where not, one a minute.

    ``?`` is at exactly five minutes, where versions of Prometheus differ.
    """

    why: str
    readings: str
    prometheus_readings: str
    for_minutes: int
    vitals: str
    prometheus: str


DIFFERENCES = [
    Difference(
        "an open episode stays open through a gap",
        readings="9x3 _x7 9x3",
        prometheus_readings="9x2 _x7 9x2",
        for_minutes=2,
        vitals="..!!!!!!!!!!!",
        prometheus="..!!!!!?....!",
    ),
    Difference(
        "the last value is not carried on",
        readings="9x2 _ 5",
        prometheus_readings="9x1 _ 5",
        for_minutes=2,
        vitals="....",
        prometheus="..!.",
    ),
    Difference(
        "more than three intervals are a gap",
        readings="9 _x3 9x4",
        prometheus_readings="9 _x3 9x3",
        for_minutes=3,
        vitals=".......!",
        prometheus="...!!!!!",
    ),
    Difference(
        "a reading without a value is unknown",
        readings="9 bad_value 9x2",
        prometheus_readings="9 stale 9x1",
        for_minutes=2,
        vitals="..!!",
        prometheus="....",
    ),
]


def since(case: Difference, place: int) -> int | None:
    """Return the second since which Prometheus' alert lasts: it is told ``for`` after that."""
    if case.prometheus[place] == ".":
        return None
    told = case.prometheus.rfind(".", 0, place) + 1
    return (told - case.for_minutes) * 60


@pytest.mark.parametrize("case", DIFFERENCES, ids=lambda case: case.why)
def test_what_prometheus_tells_otherwise(case: Difference, tmp_path: Path) -> None:
    """The differences that docs/rules.md names are what each of the two really does."""
    meaning = Meaning(f'{{above: {{limit: 8, comparison: ">", for: {case.for_minutes}min}}}}', "", 0, ())
    world = world_of(meaning, 60)
    found = ""
    for place, point in enumerate(parse_series(case.readings)):
        if point is not None:
            arrive(world, place, 60, point)
        found += "." if told_since(world) is None else "!"
    assert found == case.vitals
    firing = {place: since(case, place) for place, mark in enumerate(case.prometheus) if mark != "?"}
    alert = Alerting("{series} > 8", case.for_minutes * 60, case.prometheus_readings, firing)
    assert disagreements(tmp_path, {60: [alert]}) == ""


SERIES = {
    "5 6.5 -5": "5 6.5 -5",
    "5+0.5x10": "5+0.5x9",
    "5-1x3": "5-1x2",
    "-5+1x3": "-5+1x2",
    "5x6": "5x5",
    "5x1": "5x0",
    "5 _ _ 6": "5 _ _ 6",
    "5 _x3 6": "5 _x3 6",
    "5 sensor_gonex2 6": "5 stale stale 6",
}
"""The same series in the notation of rules and in that of Prometheus, which counts the steps and not the values."""


def places(text: str) -> dict[int, float]:
    """Return the values of a series in the notation of rules, by place."""
    points = enumerate(parse_series(text))
    return {place: point.value for place, point in points if point is not None and point.value is not None}


def test_both_notations_of_a_series_differ_in_what_they_count(tmp_path: Path) -> None:
    """``AxN`` and ``A+BxN`` are N values here and N + 1 there; ``_xN`` is N places without one in both."""
    counted = [Counted(prometheus, places(ours)) for ours, prometheus in SERIES.items()]
    assert wrong_samples(tmp_path, counted) == ""


@pytest.mark.parametrize("word", ["5x6", "5+0.5x10", "8-0.5x3"])
def test_a_word_copied_from_prometheus_is_one_value_shorter(word: str, tmp_path: Path) -> None:
    """The trap: both read it, and what follows it comes an interval earlier here."""
    (here,) = [place for place, value in places(f"{word} 99").items() if value == 99]
    first, _, times = word.partition("x")
    longer = places(f"{first}x{int(times) + 1} 99")
    assert longer[here + 1] == 99
    assert wrong_samples(tmp_path, [Counted(f"{word} 99", longer)]) == ""


@pytest.mark.parametrize(("word", "value"), [("stale", None), ("+5", 5.0), (".5", 0.5), ("1e1", 10.0)])
def test_what_only_prometheus_reads_is_refused(word: str, value: float | None, tmp_path: Path) -> None:
    """No word of Prometheus alone is silently read as something else."""
    samples = {0: 7.0, 1: value, 2: 99.0}
    there = Counted(f"7 {word} 99", {place: each for place, each in samples.items() if each is not None})
    assert wrong_samples(tmp_path, [there]) == ""
    with pytest.raises(ValueError, match="allowed"):
        parse_series(f"7 {word} 99")

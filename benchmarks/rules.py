"""The rules engine: readings judged per second with ten stateful rules each, and what an idle rule remembers."""

from __future__ import annotations

import gc
import random
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from functools import partial

from benchmarks.figure import Better, Figure
from domain.directory import Directory
from domain.document import Document
from domain.instant import MINUTE_MS
from domain.places import Channel, Equipment, EquipmentKind, Facility, Node
from domain.quantities import QUANTITIES
from domain.reading import Quality, Reading
from rules.engine import Engine
from rules.loader import load_rules
from rules.model import Rule

RULES = 10
REACH_READINGS_PER_SECOND = 50_000
REACH_BYTES_PER_IDLE_RULE = 300


def measure(quick: bool) -> Iterator[Figure]:
    channels, rounds = (500, 40) if quick else (2_000, 150)
    rules, directory = _rules(), _directory(channels)
    note = (
        f"{RULES} rules with a timer on each of {channels} channels; baseline: a dict look-up and {RULES} comparisons"
    )
    for name, value_of in (("calm", _calm), ("all timers running", _crossing)):
        stream = _stream(channels, rounds, value_of)
        bare = _per_second(stream, lambda readings: _bare(readings, channels))
        ours = _per_second(stream, lambda readings: _engine(readings, Engine(rules, directory)))
        yield Figure(f"judged, {name}", "readings/s", ours, bare, target=REACH_READINGS_PER_SECOND, note=note)
    yield from _watched(quick)
    for name, value_of in (("at rest", _calm), ("ten episodes open", _crossing)):
        rate = _snapshots_per_second(rules, directory, channels, value_of)
        yield Figure(f"remembered, {name}", "channels/s", rate, note="what changed, as bytes for the database")
    yield Figure(
        "idle memory",
        "bytes per channel and rule",
        _idle_bytes(rules, directory, channels),
        target=REACH_BYTES_PER_IDLE_RULE,
        better=Better.LOWER,
        note=f"every channel judged twice by {RULES} rules, all at rest",
    )
    yield Figure(
        "snapshot",
        "bytes per channel and rule",
        _snapshot_bytes(_settled(rules, directory, channels), channels),
        target=REACH_BYTES_PER_IDLE_RULE,
        better=Better.LOWER,
        note="as written to the database, all at rest",
    )


def _watched(quick: bool) -> Iterator[Figure]:
    """Measure rules that look back on a stretch of time or at other channels, each kind alone."""
    channels, rounds = (200, 40) if quick else (1_000, 120)
    for name, when in _WATCHED.items():
        rule = {
            "id": "watched",
            "title": "Watched",
            "severity": "warning",
            "applies_to": {"quantity": "temperature"},
            "when": when,
        }
        engine = Engine(load_rules(Document("benchmark", {"rules": [rule]})), _directory(channels))
        stream = _stream(channels, rounds, _crossing)
        bare = _per_second(stream, lambda readings: _bare(readings, channels))
        ours = _per_second(stream, partial(_engine, engine=engine))
        note = f"one such rule on each of {channels} channels, a tenth of the time beyond; baseline as above"
        yield Figure(f"judged, {name}", "readings/s", ours, bare, note=note)


_ABOVE = {"limit": 8.0, "comparison": ">"}
_WATCHED: dict[str, dict[str, object]] = {
    "exposure": {"exposure": {"above": _ABOVE, "total": "1h", "within": "24h"}},
    "change": {"changes_faster_than": {"by": 3.0, "within": "30min"}},
    "flat": {"flat_for": "2h"},
    "mean kinetic temperature": {"mean_kinetic_temperature": {"above": _ABOVE, "within": "24h"}},
    "forecast": {"time_to_limit": {"above": _ABOVE, "less_than": "2h", "fitted_over": "1h"}},
    "two channels": {
        "all": [
            {"above": _ABOVE},
            {"above": {"limit": 9.0, "comparison": ">"}, "of": {"quantity": "temperature", "at": "equipment"}},
        ]
    },
}


def _rules() -> list[Rule]:
    items = [
        {
            "id": f"warm-{index}",
            "title": "Too warm",
            "severity": "warning",
            "applies_to": {"quantity": "temperature"},
            "when": {"above": {"limit": 6.0 + index / 2, "comparison": ">", "for": f"{5 + index}min", "clear": 6.0}},
        }
        for index in range(RULES)
    ]
    return load_rules(Document("benchmark", {"rules": items}))


def _directory(channels: int) -> Directory:
    temperature = QUANTITIES["temperature"]
    return Directory(
        facilities=[Facility("f", "F", "C", "R", "D")],
        equipment=[Equipment(f"e{index}", "f", EquipmentKind.FRIDGE, "E") for index in range(channels // 2 + 1)],
        nodes=[Node(f"n{index}", "f") for index in range(channels // 4 + 1)],
        channels=[
            Channel(
                f"c{index}", "f", f"e{index // 2}", f"n{index // 4}", f"t{index}", temperature, timedelta(minutes=1)
            )
            for index in range(channels)
        ],
    )


def _calm(chance: random.Random, _minute: int) -> float:
    return 4.0 + chance.random()


def _crossing(chance: random.Random, minute: int) -> float:
    return 4.0 + 8.0 * chance.random() if minute % 40 < 10 else 11.0 + chance.random()


def _stream(channels: int, rounds: int, value_of: Callable[[random.Random, int], float]) -> list[Reading]:
    chance = random.Random(7)
    names = [f"c{index}" for index in range(channels)]
    return [
        Reading(name, minute * MINUTE_MS, value_of(chance, minute), Quality.GOOD, minute * MINUTE_MS + 500)
        for minute in range(1, rounds + 1)
        for name in names
    ]


def _per_second(stream: Sequence[Reading], work: Callable[[Sequence[Reading]], None]) -> float:
    gc.collect()
    started = time.perf_counter()
    work(stream)
    return len(stream) / (time.perf_counter() - started)


def _bare(stream: Sequence[Reading], channels: int) -> None:
    limits = {f"c{index}": [6.0 + rule / 2 for rule in range(RULES)] for index in range(channels)}
    crossed = 0
    for reading in stream:
        value = reading.value
        for limit in limits[reading.channel]:
            if value is not None and value > limit:
                crossed += 1


def _engine(stream: Sequence[Reading], engine: Engine) -> None:
    for reading in stream:
        engine.step(reading)


def _settled(
    rules: Sequence[Rule],
    directory: Directory,
    channels: int,
    value_of: Callable[[random.Random, int], float] = _calm,
    rounds: int = 2,
) -> Engine:
    engine = Engine(rules, directory)
    _engine(_stream(channels, rounds, value_of), engine)
    return engine


def _snapshots_per_second(
    rules: Sequence[Rule], directory: Directory, channels: int, value_of: Callable[[random.Random, int], float]
) -> float:
    engine = _settled(rules, directory, channels, value_of, rounds=38)
    started = time.perf_counter()
    engine.changed_state()
    return channels / (time.perf_counter() - started)


def _idle_bytes(rules: Sequence[Rule], directory: Directory, channels: int) -> float:
    gc.collect()
    tracemalloc.start()
    engine = _settled(rules, directory, channels)
    engine.changed_state()
    gc.collect()
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del engine
    return used / (channels * RULES)


def _snapshot_bytes(engine: Engine, channels: int) -> float:
    return sum(len(key) + len(blob or b"") for key, blob in engine.changed_state()) / (channels * RULES)

"""Rules, channels and a judge for the tests of local alarms."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from app.documents import parse_document
from domain.instant import MINUTE_MS
from domain.reading import Quality, Sample
from edge.alarms.board import When
from edge.alarms.judge import LocalJudge
from edge.alarms.places import directory_of
from edge.alarms.records import Record
from edge.alarms.settings import LocalAlarmSettings
from edge.alarms.timeline import Stretch, Timeline
from rules.loader import load_rules

START_MS = 1_772_431_200_000
"""2026-03-02T06:00:00Z."""
FRIDGE = "clinic/fridge-1/temperature"
RULES = load_rules(
    parse_document(
        """
        rules:
          - id: warm
            title: Too warm
            severity: warning
            applies_to: {quantity: temperature, equipment: fridge}
            when: {above: {limit: $limits.high, comparison: ">", for: 3min}}
            action: Check the door.
          - id: freezing
            title: Freezing
            severity: critical
            applies_to: {quantity: temperature, equipment: fridge}
            when: {below: {limit: 0 °C, comparison: "<=", for: 1min, clear: 2 °C}}
          - id: probe-silent
            title: Probe silent
            severity: warning
            applies_to: {quantity: temperature}
            when: {silent_for: 20min}
        """,
        "rules.yaml",
    )
)
WHEN = {"warm": When.LINK_DOWN, "freezing": When.ALWAYS, "probe-silent": When.LINK_DOWN}


def alarm_settings(**changed: Any) -> LocalAlarmSettings:
    """Return settings with one fridge."""
    return LocalAlarmSettings.model_validate(
        {
            "place": "Bukasa HC3",
            "rules": [{"rule": rule, "when": when} for rule, when in WHEN.items()],
            "channels": {
                "fridge": {
                    "channel": FRIDGE,
                    "quantity": "temperature",
                    "equipment": "fridge",
                    "name": "Fridge 1",
                    "limits": {"high": 8},
                }
            },
        }
        | changed
    )


DIRECTORY = directory_of(alarm_settings(), node="pi-1", interval=timedelta(minutes=1))


def new_judge(stretches: tuple[Stretch, ...] = (), last_ms: int | None = None, *, boot: str = "boot-1") -> LocalJudge:
    """Return a judge on a machine that started a minute before ``START_MS``."""
    timeline = Timeline(stretches, last_ms)
    timeline.start(boot, MINUTE_MS, START_MS)
    return LocalJudge(RULES, WHEN, DIRECTORY, timeline=timeline)


def fridge(at_minute: float, value: float | None, *, unit: str | None = None) -> Sample:
    """Return a sample of the fridge, so many minutes after the start."""
    quality = Quality.GOOD if value is not None else Quality.SENSOR_GONE
    return Sample("fridge", START_MS + round(at_minute * MINUTE_MS), value, quality, unit)


def measure(judge: LocalJudge, samples: Iterable[Sample]) -> None:
    """Judge samples one by one, each at its own moment."""
    for sample in samples:
        judge.take([sample], sample.measured_at_ms - START_MS + MINUTE_MS, sample.measured_at_ms)


def series(*values: float | None, first: float = 0) -> list[Sample]:
    """Return a sample a minute."""
    return [fridge(first + index, value) for index, value in enumerate(values)]


class Saved:
    """What was written down of a judge: all that a killed agent leaves."""

    def __init__(self) -> None:
        self._engine: dict[str, bytes] = {}
        self._records: list[Record] = []
        self._stretches: tuple[Stretch, ...] = ()
        self._last_ms: int | None = None

    def save(self, judge: LocalJudge) -> None:
        """Write down what the judge knows now."""
        for key, state in judge.engine_state():
            if state is None:
                self._engine.pop(key, None)
            else:
                self._engine[key] = state
        self._records = [replace(record) for record in judge.records.values()]
        self._stretches, self._last_ms = judge.timeline.stretches, judge.timeline.last_ms

    def restored(self, boot: str = "boot-1") -> LocalJudge:
        """Return a judge of a later life."""
        judge = new_judge(self._stretches, self._last_ms, boot=boot)
        judge.restore(self._engine.items(), [replace(record) for record in self._records])
        return judge

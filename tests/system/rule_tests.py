"""Prometheus' own unit tests of rules, made by code: series, moments, and exactly which alerts fire there."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import yaml

from tests.system.servers import require

Series = Mapping[str, Sequence[float]]
"""By name with labels: one value a minute."""
_SHOWN = "alertname, facility, region, service, window"


class Fires(NamedTuple):
    """An alert, as far as tests tell one from another."""

    alertname: str
    facility: str = ""
    region: str = ""
    service: str = ""
    window: str = ""

    def __str__(self) -> str:
        labels = (f'{name}="{value}"' for name, value in self._asdict().items() if value)
        return "{" + ", ".join(labels) + "}"


class RuleTest(NamedTuple):
    """One story for a set of rules."""

    rules: Mapping[str, str]
    """The text of each rule file."""
    series: Series
    firing: Mapping[int, Sequence[Fires]] = {}
    """By minute: exactly these fire ..."""
    among: str = 'alertname!="VitalsWatchdog"'
    """... of those with such labels."""
    values: Mapping[tuple[int, str], Mapping[str, float]] = {}
    """By minute and expression: the samples."""
    every: int = 1
    """Minutes between two evaluations: the tool takes the same for all groups."""


def disagreement(folder: Path, test: RuleTest) -> str:
    """Return what promtool finds different; empty where it agrees."""
    promtool = require("promtool", package="prometheus")
    for name, text in test.rules.items():
        (folder / name).write_text(text, "utf-8")
    firing = f'count by ({_SHOWN}) (ALERTS{{alertstate="firing", {test.among}}})'
    wanted = [
        {
            "expr": firing,
            "eval_time": f"{minute}m",
            "exp_samples": [{"labels": str(each), "value": 1} for each in fires],
        }
        for minute, fires in test.firing.items()
    ] + [
        {
            "expr": expr,
            "eval_time": f"{minute}m",
            "exp_samples": [{"labels": labels, "value": value} for labels, value in samples.items()],
        }
        for (minute, expr), samples in test.values.items()
    ]
    story = {
        "interval": "1m",
        "input_series": [
            {"series": name, "values": " ".join(f"{value:g}" for value in values)}
            for name, values in test.series.items()
        ],
        "promql_expr_test": wanted,
    }
    # The tool's own order is chance, and what reads a recording before it is made is late by an evaluation.
    order = [group["name"] for text in test.rules.values() for group in yaml.safe_load(text)["groups"]]
    document = {
        "rule_files": list(test.rules),
        "evaluation_interval": f"{test.every}m",
        "group_eval_order": order,
        "tests": [story],
    }
    (folder / "test.json").write_text(json.dumps(document), "utf-8")  # JSON is YAML
    ran = subprocess.run(
        [promtool, "test", "rules", "test.json"], cwd=folder, capture_output=True, text=True, check=False, timeout=120
    )
    return "" if ran.returncode == 0 else ran.stdout + ran.stderr


def steady(value: float, minutes: int) -> list[float]:
    """Return a value that stays."""
    return [value] * (minutes + 1)


def counted(flags: Sequence[bool]) -> list[float]:
    """Return a counter of seconds in which something was so, from one flag a minute; one value more than flags."""
    values = [0.0]
    for flag in flags:
        values.append(values[-1] + 60 * flag)
    return values

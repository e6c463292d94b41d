"""Prometheus as an oracle for rules: what promtool computes for a series and an expression."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.system.servers import require


class Alerting(NamedTuple):
    """One alerting rule over one series, and what is expected of it; ``{series}`` stands for the series' name."""

    expr: str
    for_seconds: int
    values: str
    """In Prometheus' own notation, one value an interval."""
    since: dict[int, int | None]
    """By number of the evaluation: since which second the alert is firing, counted from the first; None for not."""


class Counted(NamedTuple):
    """A series in Prometheus' notation, and at which places of it a sample with which value is expected."""

    values: str
    samples: dict[int, float]


def disagreements(folder: Path, alerts: Mapping[int, Sequence[Alerting]]) -> str:
    """Return what promtool finds different, by interval in seconds; empty where it agrees with every expectation."""
    paths = [_alert_test(folder, seconds, each) for seconds, each in alerts.items() if each]
    return _run(folder, paths)


def wrong_samples(folder: Path, series: Sequence[Counted]) -> str:
    """Return what promtool finds different in the samples of these series; empty where it agrees."""
    tests = []
    for number, each in enumerate(series):
        wanted = [
            {
                # A moment has a sample of its own, and not the one before it, where a second holds one.
                "expr": f"last_over_time(s{number}[1s])",
                "eval_time": f"{place}m",
                "exp_samples": [{"labels": f"s{number}", "value": each.samples[place]}]
                if place in each.samples
                else [],
            }
            for place in range(max(each.samples, default=0) + 3)
        ]
        tests.append(
            {
                "interval": "1m",
                "input_series": [{"series": f"s{number}", "values": each.values}],
                "promql_expr_test": wanted,
            }
        )
    return _run(folder, [_written(folder / "series.yml", {"evaluation_interval": "1m", "tests": tests})])


def _alert_test(folder: Path, seconds: int, alerts: Sequence[Alerting]) -> Path:
    rules = [
        {"alert": f"a{at}", "expr": each.expr.format(series=f"s{at}", alert=f"a{at}"), "for": f"{each.for_seconds}s"}
        for at, each in enumerate(alerts)
    ]
    group = {"name": "g", "interval": f"{seconds}s", "rules": rules}
    _written(folder / f"rules-{seconds}.yml", {"groups": [group]})
    tests = [
        {
            "interval": f"{seconds}s",
            "input_series": [{"series": f"s{at}", "values": each.values} for at, each in enumerate(alerts)],
            "promql_expr_test": [
                _expected(f"a{at}", place * seconds, since)
                for at, each in enumerate(alerts)
                for place, since in each.since.items()
            ],
        }
    ]
    document = {"rule_files": [f"rules-{seconds}.yml"], "evaluation_interval": f"{seconds}s", "tests": tests}
    return _written(folder / f"test-{seconds}.yml", document)


def _expected(alert: str, second: int, since: int | None) -> dict[str, object]:
    firing = f'ALERTS{{alertname="{alert}",alertstate="firing"}}'
    state = f'ALERTS_FOR_STATE{{alertname="{alert}"}}'
    return {
        "expr": f"{state} and ignoring(alertstate) {firing}",
        "eval_time": f"{second}s",
        "exp_samples": [] if since is None else [{"labels": state, "value": since}],
    }


def _written(path: Path, document: Mapping[str, object]) -> Path:
    path.write_text(json.dumps(document), encoding="utf-8")  # JSON is YAML
    return path


def _run(folder: Path, paths: Sequence[Path]) -> str:
    promtool = require("promtool", package="prometheus")
    command = [promtool, "test", "rules", *(path.name for path in paths)]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)
    return "" if ran.returncode == 0 else ran.stdout + ran.stderr

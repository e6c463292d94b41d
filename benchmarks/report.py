"""Figures as a table for people and as JSON for comparisons over time."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.figure import Better, Figure

_HEAD = ("figure", "ours", "baseline", "ratio", "target", "reached")
_REACHED = {True: "yes", False: "NO", None: ""}


def table(figures: Sequence[Figure]) -> str:
    """Return the figures as an aligned text table."""
    rows = [_HEAD, *(_row(figure) for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    return "\n".join(_line(row, widths) for row in rows)


def write(path: Path, topic: str, figures: Sequence[Figure], *, quick: bool, measured_at: datetime) -> None:
    """Write one topic's figures with the machine they were measured on."""
    document = {
        "topic": topic,
        "quick": quick,
        "measured_at": measured_at.astimezone(UTC).isoformat(timespec="seconds"),
        "machine": _machine(),
        "figures": [_plain(figure) for figure in figures],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def _row(figure: Figure) -> tuple[str, ...]:
    sign = "≥" if figure.better is Better.HIGHER else "≤"
    targets = [f"{sign} {_number(figure.target)} {figure.unit}"] if figure.target is not None else []
    targets += [f"ratio {sign} {figure.target_ratio:g}"] if figure.target_ratio is not None else []
    return (
        figure.name,
        f"{_number(figure.ours)} {figure.unit}",
        _number(figure.baseline),
        "" if figure.ratio is None else f"{figure.ratio:.2f}",
        ", ".join(targets),
        _REACHED[figure.reached],
    )


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _plain(figure: Figure) -> dict[str, Any]:
    values = asdict(figure) | {"better": figure.better.value}
    return values | {"ratio": figure.ratio, "reached": figure.reached}


def _machine() -> dict[str, Any]:
    return {
        "system": platform.platform(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
    }

"""Command line of the benchmarks."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import benchmarks
from benchmarks import report
from benchmarks.figure import Figure

RESULTS = Path(__file__).parent / "results"
_HARNESS = {"__main__", "figure", "report"}


def topics() -> list[str]:
    """Return the names of the modules that measure something."""
    names = (module.name for module in pkgutil.iter_modules(benchmarks.__path__))
    return sorted(name for name in names if name not in _HARNESS and not name.startswith("_"))


def run_topic(topic: str, *, quick: bool) -> list[Figure]:
    """Measure one topic, saying each figure as it comes, and write its results."""
    module = importlib.import_module(f"benchmarks.{topic}")
    figures = []
    for figure in module.measure(quick):
        print(f"  {topic}: {figure.name}", file=sys.stderr)
        figures.append(figure)
    report.write(RESULTS / f"{topic}.json", topic, figures, quick=quick, measured_at=datetime.now(UTC))
    return figures


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure the topics asked for, all by default; print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure the figures of Vitals.")
    parser.add_argument("topics", nargs="*", metavar="TOPIC", help=f"one or more of: {', '.join(topics())}")
    parser.add_argument("--quick", action="store_true", help="small loads: seconds instead of minutes")
    options = parser.parse_args(arguments)
    unknown = sorted(set(options.topics) - set(topics()))
    if unknown:
        parser.error(f"no such topic: {', '.join(unknown)}; there are: {', '.join(topics())}")
    figures = [figure for topic in options.topics or topics() for figure in run_topic(topic, quick=options.quick)]
    print(report.table(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())

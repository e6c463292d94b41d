"""The commands on Grafana dashboards."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path


def build_dashboards(folder: Path | None, *, say: Callable[[str], None]) -> None:
    """Write every dashboard as JSON."""
    from dashboards.grafana.build import JSON_FOLDER, write

    for path in write(folder or JSON_FOLDER):
        say(str(path))

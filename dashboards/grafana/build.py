"""Builds every dashboard and writes it; the foundation SDK (pinned, a development package) is needed only for this."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from dashboards.grafana.limits import DEFAULT_LIMITS, Limits
from domain.errors import OperatorError

JSON_FOLDER = Path(__file__).parent / "json"
"""Where the built dashboards are kept."""
VITALS_URL: Final = "http://127.0.0.1:8080"
"""Where the committed dashboards believe the service's own pages to be."""
BOARDS: Final = (
    "national", "region", "facility", "equipment", "cold_chain", "power", "water", "sla", "data_quality", "alerts",
    "service",
)  # fmt: skip
"""Modules of ``dashboards.grafana.boards``, and the names of the files."""


def build_all(limits: Limits = DEFAULT_LIMITS, vitals_url: str = VITALS_URL) -> dict[str, dict[str, Any]]:
    """Return every dashboard by its name; raise ``OperatorError`` where the SDK is not installed."""
    try:
        import_module("grafana_foundation_sdk")
    except ModuleNotFoundError as error:
        raise OperatorError("building dashboards needs the Python package grafana-foundation-sdk==0.0.21") from error
    from dashboards.grafana.board import as_json

    modules = {name: import_module(f"dashboards.grafana.boards.{name}") for name in BOARDS}
    return {name: as_json(module.board(limits), vitals_url) for name, module in modules.items()}


def write(folder: Path = JSON_FOLDER, limits: Limits = DEFAULT_LIMITS, vitals_url: str = VITALS_URL) -> list[Path]:
    """Write every dashboard into the folder and return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, dashboard in build_all(limits, vitals_url).items():
        path = folder / f"{name}.json"
        path.write_text(as_text(dashboard), encoding="utf-8")
        written.append(path)
    return written


def read(folder: Path = JSON_FOLDER) -> dict[str, dict[str, Any]]:
    """Return the dashboards that a folder holds, by name; raise ``OperatorError`` where it holds none."""
    found = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.json"))}
    if not found:
        raise OperatorError(f"no dashboard in {folder}; `vitals dashboards build` writes them")
    return found


def as_text(dashboard: dict[str, Any]) -> str:
    """Return the file's text: sorted and indented, so that a change reads as a change."""
    return json.dumps(dashboard, indent=2, sort_keys=True, ensure_ascii=False) + "\n"

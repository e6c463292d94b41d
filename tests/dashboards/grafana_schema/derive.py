"""Derives the JSON Schemas of this folder from the types that Grafana publishes (npm, Apache-2.0).

Run by hand when another version of Grafana is to be held; needs node, npm and the network:
``python -m tests.dashboards.grafana_schema.derive 11.6.0 13.2.3``.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

GENERATOR: Final = "ts-json-schema-generator@2.3.0"
PANELS: Final = ("stat", "table", "timeseries", "state-timeline", "text")
"""Types of panels that the dashboards have."""


def derive(version: str, folder: Path) -> dict[str, Any]:
    """Return the schemas of one version: of a dashboard, and of the options and fields of each type of panel."""
    subprocess.run(
        ["npm", "install", "--no-audit", "--no-fund", f"@grafana/schema@{version}", GENERATOR, "typescript@5"],
        cwd=folder,
        check=True,
    )
    found = {"dashboard": _schema(folder, _types(folder, "dashboard/x"), "Dashboard")}
    for panel in PANELS:
        path = _types(folder, f"composable/{panel.replace('-', '')}/panelcfg/x")
        for kind in ("Options", "FieldConfig"):
            if f"interface {kind} " in path.read_text("utf-8"):
                found[f"{panel} {kind}"] = _schema(folder, path, kind)
    return found


def _types(folder: Path, where: str) -> Path:
    """Return the file of types; releases keep it in different folders."""
    found = (folder / "node_modules/@grafana/schema/dist").glob(f"*/raw/{where}/*types.gen.d.ts")
    return max(found)  # ``types`` of newer releases, ``esm`` of older ones


def _schema(folder: Path, path: Path, kind: str) -> dict[str, Any]:
    command = ["npx", "ts-json-schema-generator", "--path", str(path), "--type", kind, "--no-type-check"]
    made = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    found: dict[str, Any] = _bare(json.loads(made.stdout))
    return found


def _bare(value: Any) -> Any:
    """Return a schema without what is only for people."""
    if isinstance(value, dict):
        return {name: _bare(item) for name, item in value.items() if not _for_people(name, item)}
    return [_bare(item) for item in value] if isinstance(value, list) else value


def _for_people(name: str, item: object) -> bool:
    return name in ("description", "deprecated", "default") and not isinstance(item, dict)


if __name__ == "__main__":
    for wanted in sys.argv[1:]:
        with tempfile.TemporaryDirectory() as temporary:
            schemas = derive(wanted, Path(temporary))
        path = Path(__file__).with_name(f"{wanted}.json")
        path.write_text(json.dumps(schemas, indent=1, sort_keys=True) + "\n", encoding="utf-8")

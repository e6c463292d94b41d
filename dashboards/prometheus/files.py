"""The rule files, by name."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from dashboards.prometheus.recording import recording_groups
from dashboards.prometheus.rule import Setting
from dashboards.prometheus.service import service_groups
from dashboards.prometheus.slo import slo_groups
from dashboards.sla.targets import Target

USUAL_TARGETS = (Target(ratio=0.95),)
"""What the committed files are made for."""


def rule_files(targets: Collection[Target], setting: Setting | None = None) -> dict[str, dict[str, Any]]:
    """Return the document of each rule file for what is promised."""
    setting = setting or Setting()
    return {
        "recording.yml": {"groups": recording_groups(setting)},
        "targets.yml": {"groups": slo_groups(targets, setting)},
        "service.yml": {"groups": service_groups(setting)},
    }

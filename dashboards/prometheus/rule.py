"""What a rule file is made of, as plain data in the order in which people read it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dashboards.prometheus.times import duration
from domain.episode import Severity


@dataclass(frozen=True, slots=True)
class Setting:
    """What is the same for all rules of a set."""

    pace: float = 1
    """How many times faster than in life time runs: windows and waits are so many times shorter."""
    runbooks: str = "docs/prometheus.md"
    """Address of the page that says what to do, without the anchor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """Something that a person is told."""

    name: str
    expr: str
    severity: Severity | None
    """None for what is no trouble."""
    summary: str
    description: str
    lasts: int = 0
    """Seconds for which it must have been true."""
    labels: Mapping[str, str] = field(default_factory=dict)

    def document(self, setting: Setting) -> dict[str, Any]:
        """Return it as it stands in a file."""
        waits = {"for": duration(self.lasts, setting.pace)} if self.lasts else {}
        return {
            "alert": self.name,
            "expr": self.expr,
            **waits,
            "labels": {"severity": self.severity.label if self.severity else "none", **self.labels},
            "annotations": {
                "summary": self.summary,
                "description": self.description,
                "runbook_url": f"{setting.runbooks}#{self.name.lower()}",
            },
        }


def recorded(name: str, expr: str, **labels: str) -> dict[str, Any]:
    """Return a recording rule."""
    return {"record": name, "expr": expr, **({"labels": labels} if labels else {})}


def group(name: str, interval: float, rules: Iterable[Mapping[str, Any]], setting: Setting) -> dict[str, Any]:
    """Return a group of rules that are evaluated one after the other, every so many seconds."""
    return {"name": name, "interval": duration(interval, setting.pace), "rules": [dict(each) for each in rules]}

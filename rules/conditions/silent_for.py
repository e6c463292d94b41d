"""``silent_for``: nothing usable has come for so long, on the service's clock; the registry says what should come."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field, model_validator

from rules.conditions.base import Part
from rules.values import Duration, spaced


class SilentFor(Part):
    """How long nothing may come; written ``silent_for: 30min``."""

    duration: Duration = Field(alias="for")

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, raw: Any) -> Any:
        return raw if isinstance(raw, (Mapping, SilentFor)) else {"for": raw}

    def words(self, *, node: bool) -> str:
        """Return e.g. ``has sent nothing for 30 min``."""
        what = "nothing" if node else "no usable reading, although its node reports,"
        return f"has sent {what} for {spaced(self.duration)}"

"""Settings of the built-in pages."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict


class PagesSettings(BaseModel):
    """What an operator may want to change about the pages."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    outline: Path | None = None
    """A GeoJSON file, or a folder of them, with the outlines that maps are drawn on, e.g. districts; by default the
    outline of the country that the facilities name."""

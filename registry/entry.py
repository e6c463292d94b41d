"""What every entry of a registry document is."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Entry(BaseModel):
    """Base of every entry: unknown fields are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)

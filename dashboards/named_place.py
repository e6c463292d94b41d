"""A place as somebody writes it down in the configuration."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from domain.places import Place


class NamedPlace(BaseModel):
    """Which facilities are meant; an empty part means all."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    country: str = ""
    region: str = ""
    district: str = ""
    facility: str = ""

    @property
    def place(self) -> Place:
        """Return it as the rest of the service knows it."""
        return Place(self.country, self.region, self.district, self.facility)

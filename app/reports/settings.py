"""Which reports are sent by themselves: to whom, of which places, and when."""

from __future__ import annotations

from datetime import time
from email.utils import parseaddr
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from dashboards.named_place import NamedPlace

_KINDS = ("contact", "team", "roster")


def _recipient(word: str) -> str:
    kind, _, id_ = word.partition(":")
    if (kind in _KINDS and id_) or ("@" in word and parseaddr(word)[1] == word):
        return word
    raise ValueError("contact:ID, team:ID, roster:ID, or an e-mail address")


class MonthlySettings(BaseModel):
    """The report on each month, by e-mail, as PDF and CSV; one for each place."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    to: tuple[Annotated[str, AfterValidator(_recipient)], ...] = Field(min_length=1)
    """``contact:ID``, ``team:ID``, ``roster:ID`` (whoever is on call when it is sent), or an e-mail address."""
    of: tuple[NamedPlace, ...] = (NamedPlace(),)
    day: int = Field(default=2, ge=1, le=28)
    """Of the following month: late readings of the last day are in by then."""
    at: time = time(7, 0)
    """By the clocks of the place."""
    language: str = "en"
    """For addresses; people get it in their own."""


class ReportsSettings(BaseModel):
    """What is sent by itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    monthly: tuple[MonthlySettings, ...] = ()

    @model_validator(mode="after")
    def _names_each_place_once(self) -> ReportsSettings:
        places = [each for one in self.monthly for each in one.of]
        if len(set(places)) < len(places):
            raise ValueError("each place stands in one entry of monthly; name all its recipients there")
        return self

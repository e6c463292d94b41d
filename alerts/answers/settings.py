"""How answers by text are read and how many of them are answered."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class AnswersSettings(BaseModel):
    """Everything that can be set about answers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    country_prefix: str = Field(default="", pattern=r"^(\+[1-9]\d{0,3})?$")
    """What a national telephone number begins with when it is called from abroad, ``+256``; empty: only numbers in
    the international form are recognised."""
    trunk_prefix: str = Field(default="0", pattern=r"^\d{0,2}$")
    """What stands before a national number at home, and not in the international form."""
    answers_per_hour: int = Field(default=30, ge=0)
    """To one sender; further texts are read and, where they mean something, acted on, but answered only where something
    changed. Two machines that answer each other end here."""
    stranger_answers_per_day: int = Field(default=2, ge=0)
    """To a sender who is no contact; further texts are only kept."""
    stranger_language: str = Field(default="en", pattern=r"^[a-z]{2,3}(-[A-Za-z]{2,4})?$")
    """What strangers are answered in."""
    ask: str = Field(default="", max_length=60)
    """Whom to ask about alarms that somebody no longer wants: a name, a number. Empty: the district's office."""
    keep_days: int = Field(default=1095, ge=1)
    """How long texts are kept."""

"""What the API says of people: who answers for a place, step by step, and why."""

from __future__ import annotations

from pydantic import Field

from api.models import Model, Moment


class WhyDetail(Model):
    """What names a person in a step."""

    word: str = Field(
        description="What the chain says: contact:ID, team:ID, roster:ID, or the level of the place",
        examples=["roster:kasese-duty", "district"],
    )
    override: bool = Field(description="On call by an override of the roster, instead of whom the rotations name")
    override_reason: str = Field(description="Why there is an override; empty where nobody said, or there is none")
    until: Moment | None = Field(description="Of a roster: when it is somebody else's turn, if that is in sight")


class OnCallPerson(Model):
    """Somebody who is told; addresses stay in the registry."""

    contact: str = Field(description="Id of the contact")
    name: str
    language: str = Field(description="BCP 47", examples=["en", "sw"])
    lanes: list[list[str]] = Field(
        description="How they are told: every lane at once, and over the first channel of each that works; "
        "empty: they have no address on a channel that is configured",
        examples=[[["sms_modem", "voice"]]],
    )
    quiet_until: Moment | None = Field(description="Not woken for this severity before; null: told at any time")
    why: list[WhyDetail]


class OnCallStep(Model):
    """A step of the chain."""

    after_seconds: float | None = Field(
        description="Since the first step that names anybody, unless somebody answers; null: left out, it names nobody"
    )
    to: list[str] = Field(description="Whom the chain names")
    people: list[OnCallPerson]


class OnCall(Model):
    """Who answers for a place at a moment."""

    at: Moment
    severity: str = Field(description="Of the alerts that this is about", examples=["critical"])
    facility: str | None = Field(description="Id of the facility; null where an area was asked for")
    place: str = Field(description="Name of the facility or area")
    chain: str = Field(description="Id of the escalation chain; empty: the usual one")
    steps: list[OnCallStep]
    repeat_every_seconds: float | None = Field(description="After the last step its people are told again so often")
    repeat_times: int

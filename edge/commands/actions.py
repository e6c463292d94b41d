"""What a node can be told to do: a row per command, with its arguments and the deed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from domain.command import CommandName, Refusal
from domain.errors import Fault, VitalsError
from domain.instant import to_ms

Deed = Callable[[Any], Awaitable[str]]
"""Does it, and returns what was done, for a person. Raises ``NotDoneError``."""


class NotDoneError(VitalsError):
    """A command that is understood and cannot be obeyed."""

    fault = Fault.SENDER

    def __init__(self, reason: Refusal, detail: str) -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(detail)


class Arguments(BaseModel):
    """What a command may say beside its name; by itself nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class IdentifyArguments(Arguments):
    """How long to be seen or heard."""

    seconds: int = Field(default=30, ge=1, le=600)


class ResendArguments(Arguments):
    """Which readings to send again: from the first moment up to, and without, the second."""

    since: AwareDatetime = Field(alias="from")
    until: AwareDatetime = Field(alias="to")

    @model_validator(mode="after")
    def _is_a_range(self) -> ResendArguments:
        if self.since >= self.until:
            raise ValueError("from lies before to")
        return self

    @property
    def range_ms(self) -> tuple[int, int]:
        """Return the range in milliseconds since 1970."""
        return to_ms(self.since), to_ms(self.until)


class Action(NamedTuple):
    """One command."""

    arguments: type[Arguments]
    deed: Deed


class Deeds(NamedTuple):
    """The parts of a node that do what it is told."""

    sample_now: Callable[[], Awaitable[str]]
    identify: Callable[[int], Awaitable[str]]
    restart: Callable[[], Awaitable[str]]
    resend: Callable[[int, int], Awaitable[str]]
    """Takes the range in milliseconds since 1970."""


def actions_of(deeds: Deeds) -> Mapping[str, Action]:
    """Return the rows, one for each command there is."""
    return {
        CommandName.SAMPLE_NOW: Action(Arguments, lambda _: deeds.sample_now()),
        CommandName.IDENTIFY: Action(IdentifyArguments, lambda arguments: deeds.identify(arguments.seconds)),
        CommandName.RESTART: Action(Arguments, lambda _: deeds.restart()),
        CommandName.RESEND: Action(ResendArguments, lambda arguments: deeds.resend(*arguments.range_ms)),
    }


def read_arguments(action: Action, written: Mapping[str, Any]) -> Arguments:
    """Return the arguments of a command; raise ``NotDoneError`` naming every one that is wrong."""
    try:
        return action.arguments.model_validate(written)
    except ValidationError as error:
        found = [f"{'.'.join(map(str, each['loc'])) or 'arguments'}: {each['msg']}" for each in error.errors()]
        raise NotDoneError(Refusal.BAD_ARGUMENTS, "; ".join(found)) from None

"""Errors that say whose fault it is and whether trying again can help."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Fault(StrEnum):
    """Who has to act before the same call can succeed."""

    SENDER = "sender"
    """A device or a client sent something that cannot be accepted."""
    OPERATOR = "operator"
    """The configuration, the rules or the machine need a person."""
    PEER = "peer"
    """Another server (broker, store, gateway) is away or refuses."""
    SERVICE = "service"
    """Vitals itself is wrong: a bug."""


class VitalsError(Exception):
    """Base of every error that Vitals raises on purpose."""

    fault: Fault = Fault.SERVICE
    retry: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a document: where it stands, what was found, what is allowed there."""

    source: str
    line: int
    column: int
    field: str
    found: str
    allowed: str

    def __str__(self) -> str:
        where = f"{self.source}:{self.line}:{self.column}"
        return f"{where}: {self.field}: found {self.found}; allowed: {self.allowed}"


class DocumentError(VitalsError):
    """A configuration, rule or registry document cannot be used; every problem found is listed."""

    fault = Fault.OPERATOR

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class OperatorError(VitalsError):
    """A person who runs Vitals has to do something; the message is one clear sentence."""

    fault = Fault.OPERATOR


class PeerError(VitalsError):
    """Another server did not do its part; trying again later may help."""

    fault = Fault.PEER
    retry = True

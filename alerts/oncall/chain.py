"""The escalation chain of a place, and the people of each of its steps; pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from domain.directory import Directory
from domain.episode import Severity
from domain.people import Contact, EscalationChain, EscalationStep
from domain.places import Facility

USUAL: Final = EscalationChain(
    id="",
    steps=(
        EscalationStep(timedelta(0), ("facility",)),
        EscalationStep(timedelta(minutes=15), ("district",)),
        EscalationStep(timedelta(minutes=30), ("region",)),
        EscalationStep(timedelta(minutes=60), ("country",)),
    ),
)
"""Where the registry names no chain: those who answer for the facility, then for its district, region, country.

0, 15 and 30 minutes are the usual steps of a cold chain's escalation.
"""


def chain_of(facility: Facility, severity: Severity, directory: Directory) -> EscalationChain:
    """Return the chain for alerts of this severity at a facility: the one for the smallest place that it is in."""
    raise NotImplementedError


def people_of(step: EscalationStep, facility: Facility, directory: Directory, at: datetime) -> tuple[Contact, ...]:
    """Return whom a step names at a moment, each once; ids that are not registered are passed over."""
    raise NotImplementedError

"""What share of the time a service is promised to be up, by place."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from dashboards.named_place import NamedPlace
from domain.places import Facility, Service


class Target(NamedPlace):
    """A promise for the facilities of a place."""

    ratio: float = Field(gt=0, lt=1)
    """Availability: the share of the time up in the time that is known, such as 0.95."""
    service: Service | None = None
    """Of which service; left out: of all."""


class SlaSettings(BaseModel):
    """What was agreed on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    targets: tuple[Target, ...] = ()
    """For a service of a facility the narrowest place counts; of two for the same place the one that names the
    service, then the later one. Where none fits nothing is promised."""


def target_of(targets: Sequence[Target], facility: Facility, service: Service) -> float | None:
    """Return the availability promised for a service of a facility; None where nothing is promised."""
    fitting = [each for each in targets if each.service in (None, service) and each.place.covers(facility)]
    # Of several equally narrow ones ``max`` takes the first.
    found = max(reversed(fitting), key=_narrowness, default=None)
    return None if found is None else found.ratio


def _narrowness(target: Target) -> tuple[int, bool]:
    parts = (target.country, target.region, target.district, target.facility)
    deepest = max((depth for depth, part in enumerate(parts, start=1) if part), default=0)
    return deepest, target.service is not None

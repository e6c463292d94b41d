"""Which promise holds for a service of a facility."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from dashboards.sla.targets import Target, target_of
from domain.places import Facility, Service

HERE = Facility("kilembe", "Kilembe", "Uganda", "Western", "Kasese")


def test_nothing_is_promised_where_nothing_was_said() -> None:
    """A target of another place or service is no promise."""
    elsewhere = [Target(ratio=0.9, district="Bushenyi"), Target(ratio=0.9, service=Service.WATER)]
    assert target_of(elsewhere, HERE, Service.POWER) is None


def test_the_narrowest_place_counts_then_the_service_then_the_later_one() -> None:
    """A district's promise beats the nation's wherever it stands, and what names the service what does not."""
    targets = [
        Target(ratio=0.97, district="Kasese"),
        Target(ratio=0.95),
        Target(ratio=0.99, service=Service.COLD_CHAIN),
    ]
    assert target_of(targets, HERE, Service.COLD_CHAIN) == 0.97
    assert target_of([*targets, Target(ratio=0.9, facility="kilembe")], HERE, Service.POWER) == 0.9
    assert target_of(targets[1:], HERE, Service.COLD_CHAIN) == 0.99
    assert target_of([*targets[1:], Target(ratio=0.96)], HERE, Service.POWER) == 0.96


@pytest.mark.parametrize("ratio", [0, 1, 95])
def test_a_share_of_the_time_is_more_than_none_and_less_than_all(ratio: float) -> None:
    """95 for 95 % is a mistake that is told, and so is a promise that can never be kept or broken."""
    with pytest.raises(ValidationError):
        Target(ratio=ratio)

"""Whose visits and equipment somebody sees."""

from __future__ import annotations

from datetime import timedelta

from api.sight import services_for
from domain.access import Grant, Principal, Role
from domain.instant import to_datetime
from domain.places import Place
from domain.upkeep import UpkeepState
from tests.api.world import World


async def test_visits_and_upkeep_end_at_the_border(world: World) -> None:
    """Of a facility elsewhere there is no visit, no last visit and no state of its equipment."""
    for facility in ("kasese-hc3", "bwera-hospital"):
        world.visit(facility, timedelta(days=2), found="all well")
        world.say(f"{facility}/fridge-0", UpkeepState.OUT_OF_SERVICE)
    amina = Principal("user:amina", "Amina", frozenset({Grant(Role.VIEWER, Place(facility="kasese-hc3"))}))
    seen = services_for(amina, Role.VIEWER, world.services())
    now = to_datetime(world.clock.now_ms())
    for facility, visits in (("kasese-hc3", 1), ("bwera-hospital", 0)):
        found = await seen.visits(facility, now - timedelta(days=9), now, limit=9)
        assert len(found) == visits
    assert list(await seen.last_visits(["kasese-hc3", "bwera-hospital"])) == ["kasese-hc3"]
    assert seen.directory().out_of_service == {"kasese-hc3/fridge-0"}

"""A collector's desk with nodes that wait, until the registry has them."""

from __future__ import annotations

from typing import Any

from api.services import IntakeDesk
from collector.waiting import WaitingNode
from domain.instant import MINUTE_MS
from domain.reading import Sample
from tests.api.registry_world import RegistryWorld

SENT = (
    Sample("fridge-0/temperature", 0, 4.2, unit="Cel"),
    Sample("freezer-1/t", 0, -18.4, unit="Cel"),
    Sample("mystery", 0, 7.0),
)


def desk_with(world: RegistryWorld, node: str = "pi-7", samples: tuple[Sample, ...] = SENT) -> IntakeDesk:
    """Return a desk at which a node waits that was heard ten seconds ago."""
    now_ms = world.world.clock.now_ms()
    heard = tuple(each._replace(measured_at_ms=now_ms - 12_000) for each in samples)

    async def waiting() -> list[WaitingNode]:
        found = WaitingNode(node, now_ms - 20 * MINUTE_MS, now_ms - 10_000, 41, heard)
        return [] if node in world.directory.nodes else [found]

    async def nothing(*_: Any, **__: Any) -> Any:
        return []

    return IntakeDesk(
        letters=nothing,
        letter_groups=nothing,
        replay=nothing,
        waiting=waiting,
        node_of=lambda _: None,
        post=nothing,
    )

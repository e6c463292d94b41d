"""The pages of nodes over HTTP: all of them, one of them with what it sends, and labels to print."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from api.claim_pages import heard_of
from api.page_parts import page
from api.problems import NotFoundError
from api.registry_forms import desk_of
from api.registry_pages import node_rows
from api.visit import Acting, Viewing, Visit
from dashboards.pages.claim import WaitingRow, waiting_row
from dashboards.pages.labels import Label, label_of
from dashboards.pages.node import FirstReading, node_page
from dashboards.pages.registry import NodeRow
from dashboards.pages.render import Pages
from domain.access import Role
from domain.instant import to_ms
from domain.places import Channel
from domain.reading import Reading
from domain.topics import is_node_name

NodeName = Annotated[str, Path(max_length=64)]
MOST_LABELS: Final = 60
MOST_NODES: Final = 500


@dataclass(frozen=True, slots=True)
class NodesPage:
    """All nodes."""

    waiting: tuple[WaitingRow, ...]
    knows_waiting: bool
    """Whether this process takes anything in, and who asks may claim."""
    nodes: tuple[NodeRow, ...]
    left_out: int


def add_node_pages(router: APIRouter, pages: Pages) -> None:
    """Add the pages of nodes."""

    @router.get("/registry/nodes")
    async def show_nodes(visit: Viewing, part: Annotated[str, Query(max_length=10)] = "") -> Response:
        return await page(visit, pages, "nodes.html", await _nodes(visit), live=part == "live")

    @router.get("/registry/nodes/labels")
    async def show_labels(visit: Acting, node: Annotated[str, Query(max_length=5_000)] = "") -> Response:
        named = dict.fromkeys(each for each in node.replace(",", " ").split() if is_node_name(each))
        service = f"{visit.request.url.scheme}://{visit.request.url.netloc}"
        view: tuple[Label, ...] = tuple(label_of(service, each) for each in list(named)[:MOST_LABELS])
        return await page(visit, pages, "labels.html", view)

    @router.get("/registry/nodes/{node}")
    async def show_node(visit: Viewing, node: NodeName, part: Annotated[str, Query(max_length=10)] = "") -> Response:
        directory = visit.services.directory()
        found = directory.nodes.get(node)
        if found is None:
            raise NotFoundError("node", node)
        channels = list((directory.channels_of_node(node) or {}).values())
        readings = [FirstReading(each, await _since_claimed(visit, each)) for each in channels]
        facility, now_ms = directory.facilities[found.facility], visit.services.clock.now_ms()
        view = node_page(node, facility, readings, directory, now_ms, visit.words)
        return await page(visit, pages, "node.html", view, live=part == "live")


async def _nodes(visit: Visit) -> NodesPage:
    directory, now_ms, words = visit.services.directory(), visit.services.clock.now_ms(), visit.words
    rows = sorted(node_rows(visit, list(directory.nodes)), key=lambda row: (not row.silent, row.id))
    intake = visit.services.intake if visit.principal.may_somewhere(Role.TECHNICIAN) else None
    waiting = [] if intake is None else await intake.waiting()
    return NodesPage(
        waiting=tuple(waiting_row(each.node, heard_of(each), now_ms, words) for each in waiting),
        knows_waiting=intake is not None,
        nodes=tuple(rows[:MOST_NODES]),
        left_out=max(len(rows) - MOST_NODES, 0),
    )


async def _since_claimed(visit: Visit, channel: Channel) -> Reading | None:
    """Return the newest reading of a channel that its present node can have sent."""
    reading = visit.services.latest(channel.id)
    if reading is None:
        return None
    changes = await desk_of(visit.services).changes(limit=1, item=("channels", channel.id))
    # What was there before may be another node's.
    taken_over = changes and not changes[0].added and "node" in changes[0].after
    return None if taken_over and reading.received_at_ms < to_ms(changes[0].at) else reading

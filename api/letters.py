"""Dead letters and nodes that wait to be registered, over HTTP."""

from __future__ import annotations

import base64
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query

from api.models import (
    LetterDetail,
    LetterGroupDetail,
    LetterList,
    Moment,
    ReplayOrder,
    ReplayResult,
    WaitingList,
    WaitingNodeDetail,
    WaitingSample,
)
from api.problems import NotFoundError, RequestError
from api.services import IntakeDesk, Services
from api.visit import Administering
from collector.journal.letters import Letter, LetterFilter, LetterGroup
from collector.waiting import WaitingNode
from domain.instant import to_datetime, to_ms
from domain.rejection import Reason

LetterId = Annotated[int, Path(ge=1, lt=2**62)]
NodeName = Annotated[str | None, Query(max_length=64)]
MOST_LETTERS = 500


def letter_routes() -> APIRouter:
    """Return the routes under ``/deadletters`` and ``/nodes/waiting``."""
    router = APIRouter(tags=["intake"], responses={503: {"description": "This process takes nothing in"}})

    @router.get("/deadletters", summary="What was refused, newest first")
    async def list_letters(
        visit: Administering,
        reason: Reason | None = None,
        node: NodeName = None,
        since: Moment | None = None,
        limit: Annotated[int, Query(ge=1, le=MOST_LETTERS)] = 100,
    ) -> LetterList:
        """Return how much was refused, by reason and node, and the last of it."""
        desk = desk_of(visit.services)
        wanted = LetterFilter(reason, node, 0 if since is None else to_ms(since))
        letters = await desk.letters(wanted, limit=limit, newest_first=True)
        return LetterList(
            groups=[_group(each) for each in await desk.letter_groups(wanted)],
            letters=[_letter(each) for each in letters],
        )

    @router.get("/deadletters/{letter_id}", summary="One letter", responses={404: {"description": "Unknown letter"}})
    async def get_letter(visit: Administering, letter_id: LetterId) -> LetterDetail:
        """Return one letter whole."""
        found = await desk_of(visit.services).letters(LetterFilter(after_id=letter_id - 1, upto_id=letter_id), limit=1)
        if not found:
            raise NotFoundError("dead letter", letter_id)
        return _letter(found[0])

    @router.post("/deadletters/replay", summary="Send letters through once more")
    async def replay_letters(visit: Administering, order: ReplayOrder) -> ReplayResult:
        """Replay what the order names; answer when all of it is stored, or refused again."""
        wanted = LetterFilter(order.reason, order.node, 0 if order.since is None else to_ms(order.since))
        if order.id is not None:
            wanted = wanted._replace(after_id=order.id - 1, upto_id=order.id)
        done = await desk_of(visit.services).replay(wanted)
        return ReplayResult(letters=done.letters, readings=done.readings, refused=dict(done.refused), left=done.left)

    @router.get("/nodes/waiting", summary="Nodes that nobody has registered")
    async def list_waiting(visit: Administering) -> WaitingList:
        """Return who sends without being in the registry, the last heard first."""
        return WaitingList(nodes=[_waiting(each) for each in await desk_of(visit.services).waiting()])

    return router


def desk_of(services: Services) -> IntakeDesk:
    """Return the collector's desk; raise ``RequestError`` (503) in a process that takes nothing in."""
    if services.intake is None:
        raise RequestError(HTTPStatus.SERVICE_UNAVAILABLE, "This process takes nothing in; ask the collector's.")
    return services.intake


def _group(group: LetterGroup) -> LetterGroupDetail:
    return LetterGroupDetail(
        reason=group.reason,
        node=group.node,
        letters=group.letters,
        payload_bytes=group.payload_bytes,
        first_received_at=to_datetime(group.first_ms),
        last_received_at=to_datetime(group.last_ms),
    )


def _letter(letter: Letter) -> LetterDetail:
    number, refused = letter
    return LetterDetail(
        id=number,
        reason=refused.reason,
        detail=refused.detail,
        topic=refused.topic,
        node=refused.node,
        received_at=to_datetime(refused.received_at_ms),
        payload_base64=base64.b64encode(refused.payload).decode(),
    )


def _waiting(node: WaitingNode) -> WaitingNodeDetail:
    return WaitingNodeDetail(
        node=node.node,
        first_received_at=to_datetime(node.first_ms),
        last_received_at=to_datetime(node.last_ms),
        messages=node.messages,
        channels=[
            WaitingSample(
                name=sample.name,
                measured_at=to_datetime(sample.measured_at_ms),
                value=sample.value,
                unit=sample.unit,
                quality=sample.quality.label,
            )
            for sample in node.samples
        ],
    )

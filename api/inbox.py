"""What people wrote to us and what was answered, over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from alerts.answers.inbox import Kept
from alerts.answers.masking import masked, without_numbers
from api.models import Model, Moment
from api.services import alert_desk_of
from api.visit import Managing


class InboxText(Model):
    """Something that somebody wrote."""

    id: int
    received_at: Moment
    channel: str = Field(description="Over which it came", examples=["sms_modem", "telegram"])
    sender: str = Field(description="The end of the address that it came from", examples=["…001"])
    contact: str = Field(description="Id of the contact who wrote; empty for a stranger")
    text: str = Field(description="What they wrote; telephone numbers in it are masked")
    meaning: str = Field(
        description="What it was taken for: going, help, done, status, how, stop, unclear, stranger, echo, machine"
    )
    alerts: list[int] = Field(description="Numbers of the alerts that it was about")
    answer: str = Field(description="What was answered, telephone numbers masked; empty: nothing")


class InboxList(Model):
    """Texts, newest first."""

    texts: list[InboxText]
    next: int | None = Field(description="Ask again with `before` at this number: there are older ones")


def inbox_routes() -> APIRouter:
    """Return the route ``/inbox``."""
    router = APIRouter(tags=["people"], responses={503: {"description": "This process tells nobody"}})

    @router.get("/inbox", summary="What people wrote, newest first")
    async def list_inbox(
        visit: Managing,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
        before: Annotated[int | None, Query(ge=1, lt=2**63, description="Only texts with smaller numbers")] = None,
    ) -> InboxList:
        """Return what came in over SMS and other channels, what it was taken for, and what was answered."""
        found = await alert_desk_of(visit.services).inbox(limit=limit + 1, before_id=before)
        shown = found[:limit]
        return InboxList(texts=[_text(each) for each in shown], next=shown[-1].id if len(found) > limit else None)

    return router


def _text(kept: Kept) -> InboxText:
    return InboxText(
        id=kept.id,
        received_at=kept.received_at,
        channel=kept.channel,
        sender=masked(kept.sender),
        contact=kept.contact,
        text=without_numbers(kept.text),
        meaning=kept.meaning,
        alerts=list(kept.alerts),
        answer=without_numbers(kept.answered),
    )

"""What a person does with an alert, the same from the API and a page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from http import HTTPStatus

from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.actions import Acted
from alerts.change import Actor
from alerts.closing import Closing
from alerts.lifecycle import ImpossibleEventError
from api.alerting_models import ClosingStatement, Shelving
from api.models import Acknowledgement
from api.problems import RequestError
from api.services import alert_desk_of
from api.visit import Visit
from dashboards.pages.words import Words
from domain.alert import Alert
from domain.instant import to_datetime


class _NotNowError(RequestError):
    """What somebody wants to do is not possible in the alert's state; a program is told what would be."""

    def said(self, words: Words) -> str:
        """Return the sentence for a person, who saw a page on which it was possible."""
        return words("This is not possible any more: somebody was faster, or it is over. Look at the alert again.")


class Deeds:
    """Each returns the alert as it is then; an unknown one, or what is not possible now, raises ``RequestError``."""

    def __init__(self, visit: Visit, way: str) -> None:
        """``way``: ``api`` or ``page``, for the record."""
        self._visit, self._way, self._desk = visit, way, alert_desk_of(visit.services)

    async def ask_for_help(self, alert_id: int, said: Acknowledgement) -> Alert:
        """Tell the next people of the escalation at once."""
        by, now, actions = self._actor(said), self._now, self._desk.actions
        return await self._act(alert_id, lambda on: actions.ask_for_help(on, alert_id, by=by, now=now, note=said.note))

    async def shelve(self, alert_id: int, said: Shelving) -> Alert:
        """Put the alert aside for some hours."""
        by, now, actions = self._actor(said), self._now, self._desk.actions
        until = now + timedelta(hours=said.hours)
        return await self._act(
            alert_id, lambda on: actions.shelve(on, alert_id, until=until, reason=said.reason, by=by, now=now)
        )

    async def unshelve(self, alert_id: int, said: Acknowledgement) -> Alert:
        """Let a shelved alert speak again."""
        by, now, actions = self._actor(said), self._now, self._desk.actions
        return await self._act(alert_id, lambda on: actions.unshelve(on, alert_id, by=by, now=now, note=said.note))

    async def close(self, alert_id: int, said: ClosingStatement) -> Alert:
        """Keep what was found and done; raises ``ActionRefusedError`` where something that is asked for is missing."""
        by, now, actions = self._actor(said), self._now, self._desk.actions
        closing = Closing(said.reason, said.action, said.doses_affected, said.note)
        self._desk.require(closing)
        return await self._act(alert_id, lambda on: actions.close(on, alert_id, closing, by=by, now=now))

    def _actor(self, said: Acknowledgement) -> Actor:
        return Actor(self._visit.signature(said.by), self._visit.origin(self._way))

    @property
    def _now(self) -> datetime:
        return to_datetime(self._visit.services.clock.now_ms())

    async def _act(self, alert_id: int, action: Callable[[AsyncConnection], Awaitable[Acted]]) -> Alert:
        try:
            return await self._desk.act(alert_id, action)
        except ImpossibleEventError as error:
            raise _NotNowError(HTTPStatus.CONFLICT, str(error)) from None

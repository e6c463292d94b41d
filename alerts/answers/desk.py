"""The desk where answers arrive: one transaction reads a text, does what it says, and queues the reply."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from alerts.actions import Actions
from alerts.answers import replies
from alerts.answers.acting import act
from alerts.answers.addresses import contacts_at, is_machine
from alerts.answers.inbox import Inbox
from alerts.answers.meant import open_alerts
from alerts.answers.parse import Answer, Meaning, parse
from alerts.answers.parts import Scene
from alerts.answers.replies import Reader
from alerts.answers.settings import AnswersSettings
from alerts.answers.told import ToldBundle, told_to
from alerts.change import Actor, AlertChange
from alerts.facts import Power, RuleText
from alerts.notifiers.notifier import IncomingText
from alerts.routing import Route
from alerts.whole import whole
from domain.directory import Directory
from domain.people import Contact

log = logging.getLogger(__name__)
_ECHO = "echo"
_STRANGER = "stranger"
_MACHINE = "machine"


@dataclass(frozen=True, slots=True)
class Known:
    """What the desk asks for at every text, since all of it changes while the service runs."""

    directory: Callable[[], Directory]
    rules: Callable[[], Mapping[str, RuleText]]
    now: Callable[[], datetime]
    power_of: Callable[[str], Power | None]


@dataclass(frozen=True, slots=True)
class _Case:
    """One text that is being dealt with."""

    connection: AsyncConnection
    inbox: Inbox
    number: int
    incoming: IncomingText
    route: Route | None
    """None where the channel is no longer configured: then there is no way back."""
    now: datetime
    directory: Directory

    @property
    def is_sms(self) -> bool:
        return self.route is not None and self.route.medium == "sms"

    @property
    def can_reply(self) -> bool:
        # Somebody who pressed a digit during a call heard that it was taken; a second call would only disturb.
        return self.route is not None and not self.route.on_request


@dataclass(frozen=True, slots=True)
class _Said:
    """What came of a text."""

    reply: str
    alerts: tuple[int, ...] = ()
    changes: tuple[AlertChange, ...] = ()
    took_effect: bool = False


class AnswerDesk:
    """Does what people write, whatever channel carries it.

    ``routes`` are the channels that are configured; ``publish`` is told of changed alerts after the commit.
    """

    def __init__(
        self,
        database: AsyncEngine,
        actions: Actions,
        known: Known,
        *,
        routes: Sequence[Route],
        settings: AnswersSettings,
        publish: Callable[[Sequence[AlertChange]], None],
    ) -> None:
        self._database = database
        self._actions = actions
        self._known = known
        self._routes = {route.channel: route for route in routes}
        self._settings = settings
        self._publish = publish

    async def hear(self, incoming: IncomingText) -> None:
        """Do what a text says; returns once all of it is committed. The same text again changes nothing."""
        await whole(self._hear(incoming))

    async def forget(self) -> int:
        """Delete the texts that were kept long enough and return how many."""
        async with self._database.begin() as connection:
            return await Inbox(connection).forget(self._known.now() - timedelta(days=self._settings.keep_days))

    async def _hear(self, incoming: IncomingText) -> None:
        clean = IncomingText(*map(_storable, incoming))
        try:
            async with self._database.begin() as connection:
                changes = await self._keep_and_answer(connection, clean)
        except IntegrityError:
            # Either another desk kept it at this very moment, or something is wrong that a repetition will not heal.
            async with self._database.begin() as connection:
                if not await Inbox(connection).has(clean, self._known.now()):
                    raise
            return
        self._publish(changes)

    async def _keep_and_answer(self, connection: AsyncConnection, incoming: IncomingText) -> Sequence[AlertChange]:
        inbox, now = Inbox(connection), self._known.now()
        number = await inbox.keep(incoming, now)
        if number is None:
            return ()
        route = self._routes.get(incoming.channel)
        medium = route.medium if route else ""
        case = _Case(connection, inbox, number, incoming, route, now, self._known.directory())
        if is_machine(medium, incoming.sender):
            await inbox.note(number, contact="", meaning=_MACHINE)
            return ()
        if await inbox.is_echo(incoming, now):
            await inbox.note(number, contact="", meaning=_ECHO)
            return ()
        people = contacts_at(incoming.sender, route, case.directory.contacts.values(), self._settings) if route else ()
        if not people:
            await self._stranger(case)
            return ()
        return await self._contact(case, people)

    async def _reply(self, case: _Case, contact: str, text: str) -> None:
        if text:
            await self._actions.reply(
                case.connection,
                channel=case.incoming.channel,
                address=case.incoming.sender,
                contact=contact,
                text=text,
                now=case.now,
                key=f"answer-{case.number}",
            )

    async def _stranger(self, case: _Case) -> None:
        answered = await case.inbox.answered_within_day(case.incoming, case.now)
        may = case.can_reply and answered < self._settings.stranger_answers_per_day
        reply = replies.stranger(Reader(self._settings.stranger_language, case.is_sms)) if may else ""
        await self._reply(case, "", reply)
        await case.inbox.note(case.number, contact="", meaning=_STRANGER, answered=reply)

    async def _contact(self, case: _Case, people: Sequence[Contact]) -> Sequence[AlertChange]:
        contact, told = await self._who(case.connection, people)
        answer = parse(case.incoming.text)
        scene = Scene(case.directory, self._known.rules(), contact.language, case.now, self._known.power_of)
        said = await self._answer(case, contact, told, answer, scene)
        answered = await case.inbox.answered_within_hour(case.incoming, case.now)
        may = case.can_reply and (said.took_effect or answered < self._settings.answers_per_hour)
        reply = said.reply if may else ""
        await self._reply(case, contact.id, reply)
        await case.inbox.note(
            case.number, contact=contact.id, meaning=answer.meaning.value, alerts=said.alerts, answered=reply
        )
        log.info("%s wrote over %s: %s", contact.id, case.incoming.channel, answer.meaning.value)
        return said.changes

    async def _who(
        self, connection: AsyncConnection, people: Sequence[Contact]
    ) -> tuple[Contact, Sequence[ToldBundle]]:
        """Return who writes and what they were told; of several with one address the first who was told of anything."""
        for contact in people:
            told = await told_to(connection, contact.id)
            if told:
                return contact, told
        return people[0], ()

    async def _answer(
        self, case: _Case, contact: Contact, told: Sequence[ToldBundle], answer: Answer, scene: Scene
    ) -> _Said:
        reader = Reader(contact.language, case.is_sms)
        if answer.meaning.acts:
            return await self._act(case, contact, told, answer, scene)
        opened = open_alerts(told)
        example = opened[0].id if opened else None
        if answer.meaning is Meaning.STATUS:
            return _Said(replies.status(reader, scene, opened), tuple(alert.id for alert in opened))
        if answer.meaning is Meaning.STOP:
            return _Said(replies.stop(reader, self._settings.ask))
        if answer.meaning is Meaning.HOW:
            return _Said(replies.how(reader, example))
        return _Said(replies.unclear(reader, example))

    async def _act(
        self, case: _Case, contact: Contact, told: Sequence[ToldBundle], answer: Answer, scene: Scene
    ) -> _Said:
        by = Actor(contact.name, f"{case.incoming.channel} {case.incoming.sender}", contact.id)
        done = await act(self._actions, case.connection, answer, told, by=by, scene=scene, contact=contact)
        reply = replies.acted(Reader(contact.language, case.is_sms), scene, done.outcomes, done.meant)
        return _Said(reply, tuple(alert.id for alert in done.meant.alerts), done.changes, done.took_effect)


def _storable(text: str) -> str:
    """Return the text without what PostgreSQL refuses: NUL, and halves of characters."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")

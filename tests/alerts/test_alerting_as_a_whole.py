"""Random lives of alerts on the real store, with agenda, dispatcher and answers, against the laws of alerting."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from alerts.change import Actor
from alerts.closing import Closing
from alerts.lifecycle import ImpossibleEventError
from alerts.notification import NotificationState
from alerts.silences import Silence, SilenceKind
from domain.episode import ChangeKind, Episode, EpisodeChange, Severity, episode_id
from domain.instant import to_ms
from tests.alerts.alerting_laws import check
from tests.alerts.given import an_episode, of_rule
from tests.alerts.whole_alerting import CHANNELS, Service

PHONES = ("+256700000001", "+256700000003")
API = Actor("Amina", "api")
WHICH = st.integers(0, 7)
SUBJECTS = st.sampled_from([("heat", "kasese-3"), ("mains", "kasese-3"), ("cut-off", "kasese-3"), ("heat", "lonely")])
SHORT = st.sampled_from([1, 20, 30, 31, 60, 180, 600, 901, 1800]).map(lambda seconds: timedelta(seconds=seconds))
HOW = st.sampled_from(["works", "works", "reports", "busy", "refuses"])
LONG = st.integers(1, 30).map(lambda hours: timedelta(hours=hours))


class Alerting(RuleBasedStateMachine):
    """What may happen to alerts, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self._runner = asyncio.Runner()
        self._folder = tempfile.TemporaryDirectory()
        self._episodes: dict[str, Episode] = {}

    def teardown(self) -> None:
        """Leave neither thread nor file behind."""
        self._do(self._service.stop())
        self._runner.close()
        self._folder.cleanup()

    @initialize(hours=st.integers(0, 23), lines=st.tuples(HOW, HOW, HOW))
    def begin(self, hours: int, lines: tuple[str, str, str]) -> None:
        """Start the service at some hour of the day, with channels that may be broken."""
        self._service = self._do(_fresh(f"{self._folder.name}/vitals.db"))
        self._service.clock.move(timedelta(hours=hours))
        for channel, how in zip(CHANNELS, lines, strict=True):
            self._service.lines[channel].how = how

    @rule(what=SUBJECTS, severity=st.sampled_from(Severity), live=st.sampled_from([True, True, False]))
    def open(self, what: tuple[str, str], severity: Severity, live: bool) -> None:
        """Something goes wrong, unless it does already."""
        name, facility = what
        now = self._service.now
        if any((each.rule, each.facility) == what and each.ended_at is None for each in self._episodes.values()):
            return
        found = of_rule(name, an_episode(facility=facility)) if name != "heat" else an_episode(facility=facility)
        episode = replace(
            found,
            severity=severity,
            started_at=now - timedelta(minutes=30),
            confirmed_at=now,
            extreme_at=now,
            id=episode_id(name, found.subject, to_ms(now)),
        )
        if episode.id not in self._episodes:
            self._say(ChangeKind.OPENED, episode, live=live)

    @precondition(lambda self: self._episodes)
    @rule(which=WHICH, by=st.sampled_from([0.5, 3.0]), severity=st.sampled_from(Severity), live=st.booleans())
    def worsen(self, which: int, by: float, severity: Severity, live: bool) -> None:
        """It goes further out, or gets more severe."""
        episode = self._one(which)
        if episode.ended_at is None:
            worse = replace(episode, extreme=(episode.extreme or 0.0) + by, severity=max(severity, episode.severity))
            self._say(ChangeKind.WORSENED, worse, live=live)

    @precondition(lambda self: self._episodes)
    @rule(which=WHICH, live=st.booleans())
    def end(self, which: int, live: bool) -> None:
        """It is over."""
        episode = self._one(which)
        if episode.ended_at is None:
            kind = ChangeKind.ENDED if live else ChangeKind.AMENDED
            self._say(kind, replace(episode, ended_at=self._service.now), live=live)

    @precondition(lambda self: self._episodes)
    @rule(which=WHICH, live=st.booleans())
    def reopen(self, which: int, live: bool) -> None:
        """Late data show that an end was none; live ones, that it goes on."""
        self._say(ChangeKind.AMENDED, replace(self._one(which), ended_at=None), live=live)

    @precondition(lambda self: self._episodes)
    @rule(which=WHICH)
    def retract(self, which: int) -> None:
        """Late data show that it never was."""
        episode = self._one(which)
        self._say(ChangeKind.RETRACTED, episode, live=False)
        self._episodes[episode.id] = replace(episode, ended_at=self._service.now)

    @rule(phone=st.sampled_from(PHONES), text=st.sampled_from(["1", "2", "9", "1 {0}", "2 {0}", "9 {0}"]), which=WHICH)
    def reply(self, phone: str, text: str, which: int) -> None:
        """Somebody writes."""
        self._do(self._service.hear(phone, text.format(1 + which)))

    @precondition(lambda self: self._episodes)
    @rule(which=WHICH, what=st.sampled_from(["acknowledge", "help", "close", "shelve"]), lasts=LONG)
    def act(self, which: int, what: str, lasts: timedelta) -> None:
        """Somebody does something over the API; what cannot be done is refused and changes nothing."""
        number, now, actions = 1 + which % len(self._episodes), self._service.now, self._service.store.actions
        doings = {
            "acknowledge": lambda on: actions.acknowledge(on, number, by=API, now=now),
            "help": lambda on: actions.ask_for_help(on, number, by=API, now=now),
            "close": lambda on: actions.close(on, number, Closing(reason="power"), by=API, now=now),
            "shelve": lambda on: actions.shelve(on, number, until=now + lasts, reason="known", by=API, now=now),
        }
        with suppress(ImpossibleEventError):
            self._do(self._service.act(doings[what]))

    @rule(
        begins=st.sampled_from([0, 1, 40]),
        lasts=st.one_of(st.none(), LONG, LONG),
        named=st.sampled_from(["kasese-3", "lonely", ""]),
    )
    def maintain(self, begins: int, lasts: timedelta | None, named: str) -> None:
        """Somebody works on a place, or on all fridges."""
        start = self._service.now + timedelta(minutes=begins)
        silence = Silence(
            kind=SilenceKind.MAINTENANCE,
            reason="service",
            created_by="amina",
            created_at=self._service.now,
            start=start,
            end=None if lasts is None else start + lasts,
            facility=named,
            rule="" if named else "heat",
        )
        self._do(self._service.store.silence(silence))

    @rule()
    def take_silences_back(self) -> None:
        """Work is done earlier."""
        for silence in self._do(self._service.store.silences(self._service.now)):
            self._do(self._service.store.cancel_silence(silence.id, by="amina", now=self._service.now))

    @rule(duration=st.one_of(SHORT, SHORT, LONG))
    def wait(self, duration: timedelta) -> None:
        """Time passes while the service runs."""
        self._do(self._service.pass_time(duration))

    @rule(at=st.sampled_from([6, 8, 22]))
    def wait_until(self, at: int) -> None:
        """Time passes to an hour at which something ends or begins at Kasese."""
        local = self._service.now.astimezone(ZoneInfo("Africa/Kampala"))
        until = datetime.combine(local.date() + timedelta(days=local.hour >= at), local.timetz()).replace(
            hour=at, minute=0, second=0, microsecond=0
        )
        self._do(self._service.pass_time(until - self._service.now))

    @rule(duration=st.one_of(SHORT, LONG))
    def stand_still(self, duration: timedelta) -> None:
        """Time passes while the service is down."""
        self._service.clock.move(duration)
        self._do(self._service.restart())
        self._do(self._service.settle())

    @rule(channel=st.sampled_from(CHANNELS), how=HOW)
    def change_line(self, channel: str, how: str) -> None:
        """A channel begins or ceases to work."""
        self._service.lines[channel].how = how

    @rule(which=WHICH, state=st.sampled_from([NotificationState.DELIVERED, NotificationState.FAILED]))
    def report(self, which: int, state: NotificationState) -> None:
        """A gateway says what came of a message, in time or late."""
        taken = [row for row in self._do(self._service.rows("notifications")) if row.delivery_reference]
        if taken:
            row = taken[-1 - which % len(taken)]
            outbox = self._service.store.outbox
            self._do(outbox.report(row.channel, row.delivery_reference, state, now=self._service.now))

    @rule()
    def restart(self) -> None:
        """A restart changes nothing and forgets no timer."""
        self._do(self._service.settle())
        before = self._do(self._service.everything()), self._do(self._service.next_due())
        self._do(self._service.restart())
        self._do(self._service.settle())
        assert before == (self._do(self._service.everything()), self._do(self._service.next_due()))

    @invariant()
    def laws_hold(self) -> None:
        """Whatever happened, all that is due is done at once, and the laws hold."""
        self._do(self._service.settle())
        assert self._service.complaints.records == []
        taken = {line.channel: [message.key for message in line.taken] for line in self._service.lines.values()}
        check(self._do(self._service.everything()), taken)

    def _one(self, which: int) -> Episode:
        return list(self._episodes.values())[which % len(self._episodes)]

    def _say(self, kind: ChangeKind, episode: Episode, *, live: bool) -> None:
        self._episodes[episode.id] = episode
        self._do(self._service.record(EpisodeChange(kind, episode, live)))

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self._runner.run(work)


async def _fresh(path: str) -> Service:
    service = Service(path)
    await service.store.create_tables()
    return service


TestAlerting = Alerting.TestCase
TestAlerting.settings = settings(max_examples=4, stateful_step_count=30, deadline=None)

"""Two districts on a real store of alerts, and a client that is whoever a test says.

Everything of the second district is called after zebras, so that a test finds its traces in an answer.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any, Generic

import httpx
from fastapi import FastAPI, Request
from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.answers.inbox import Inbox
from alerts.measures.compute import Measures
from alerts.measures.reader import read_measures
from alerts.measures.rows import Period
from alerts.notifiers.notifier import IncomingText
from alerts.oncall.roster import Span
from alerts.silences import Silence, SilenceKind
from api.alert_desk import AlertDesk
from api.create import create_api
from api.jobs import JobState, Order
from api.registry_services import RegistryDesk
from api.report_services import ReportDesk, ReportKind, ReportOrder
from api.rule_services import BacktestOrder, RuleDesk
from api.services import CalendarTaken, IntakeDesk, RosterDesk, Services
from api.settings import ApiSettings
from app.rule_desk import read, written
from app.rule_documents import rules_of
from collector.journal.letters import Letter, LetterFilter, LetterGroup
from collector.journal.rollup import Rollup
from collector.lanes import Outcome
from collector.replaying import Replayed
from collector.waiting import WaitingNode
from dashboards.pages.series import Resolution
from domain.access import Principal
from domain.directory import Directory
from domain.episode import ChangeKind, Episode, EpisodeChange, Severity, SubjectKind, episode_id
from domain.errors import DocumentError, Problem
from domain.instant import to_ms
from domain.people import Contact, EscalationChain, EscalationStep, Override, Roster, Rotation, Team
from domain.places import EquipmentKind, Facility, LimitScope, Node, Place
from domain.reading import Sample
from domain.rejection import Reason, Rejected
from domain.topics import UpLane
from domain.upkeep import Visit
from registry.history import SharedLimitChange
from rules.catalogue import USUAL
from tests.alerts.given import MINUTE, ROUTES, Judge, sqlite_database
from tests.api.world import NOON, World

NEAR, NEXT, FAR = "near-hc3", "near-hc2", "far-hc4"
NEAR_FRIDGE, NEXT_FRIDGE, FAR_FRIDGE = (f"{each}/fridge-0/temperature" for each in (NEAR, NEXT, FAR))
NEAR_ALERT, NEXT_ALERT, FAR_ALERT = 1, 2, 3
MARK = "zebra"
"""In every name of the second district, and of nothing else."""
LETTERS = (
    Letter(1, Rejected(Reason.NOT_SENML, "no pack", "vitals/v1/near-hc3-gw/up/live", "near-hc3-gw", b"n", to_ms(NOON))),
    Letter(2, Rejected(Reason.NOT_SENML, "zebra", "vitals/v1/far-hc4-gw/up/live", "far-hc4-gw", b"z", to_ms(NOON))),
)
CONTACTS = (
    Contact("amina", "Amina", phone="+256700000001", facilities=(NEAR,)),
    Contact("joseph", "Joseph", email="joseph@example.org", district="Kasese"),
    Contact("minister", "The Minister", phone="+256700000009"),
    Contact("far-okello", "Zebra Okello", phone="+256700000077", email="zebra@example.org", district="Zebraland"),
    Contact("far-nurse", "Zebra Nurse", phone="+256700000078", facilities=(FAR,)),
)


class Tried(Generic[Order]):
    """Keeps orders of jobs that nobody works off."""

    def __init__(self) -> None:
        self.states: dict[int, JobState[Order]] = {}

    def start(self, order: Order) -> JobState[Order]:
        """Keep an order under the next free number."""
        number = next(each for each in count(1) if each not in self.states)
        return self.keep(number, order)

    def keep(self, number: int, order: Order) -> JobState[Order]:
        """Keep an order under a number."""
        self.states[number] = JobState(number=number, order=order)
        return self.states[number]

    def get(self, number: int) -> JobState[Order] | None:
        """Return an order."""
        return self.states.get(number)

    def all(self) -> list[JobState[Order]]:
        """Return all orders."""
        return list(self.states.values())

    def cancel(self, number: int) -> None:
        """Let it stand."""

    async def wait(self, number: int, seconds: float) -> None:
        """Do not wait."""


@dataclass
class Districts:
    """What stands behind the client."""

    judge: Judge
    database: AsyncEngine
    world: World
    client: httpx.AsyncClient = field(init=False)
    principal: Principal | None = None
    taken: list[str] = field(default_factory=list)
    tried: Tried[BacktestOrder] = field(default_factory=lambda: Tried[BacktestOrder]())

    async def recognise(self, request: Request) -> Principal | None:
        """Return who asks; whoever opened a stream is gone at its first heartbeat, so that it ends."""
        streams = request.url.path.endswith("/events")
        if streams and getattr(request.state, "listens", False):
            return None
        request.state.listens = True
        return self.principal


@asynccontextmanager
async def two_districts(path: str) -> AsyncIterator[Districts]:
    """Give both districts, with an alert at each facility, on a fresh file."""
    async with sqlite_database(path) as database:
        districts = await districts_on(database)
        transport = httpx.ASGITransport(application_of(districts), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            districts.client = client
            yield districts


async def districts_on(database: AsyncEngine) -> Districts:
    """Return both districts on a database, without a client."""
    world = a_world()
    judge = Judge(database, ROUTES, directory=world.directory())
    await judge.store.create_tables()
    districts = Districts(judge, database, world)
    await _tell(districts)
    return districts


def application_of(districts: Districts) -> FastAPI:
    """Return what serves them."""
    quick = ApiSettings(hosts=("127.0.0.1", "testserver"), heartbeat_seconds=0.05, event_interval_seconds=0.05)
    return create_api(services_of(districts), quick, recognise=districts.recognise)


class _Districts(World):
    """A world with people, in two districts."""

    def directory(self) -> Directory:
        """Return the registry, with people, teams, rosters and chains."""
        if self._directory is None:
            self._directory = Directory(
                facilities=self.facilities,
                equipment=self.equipment,
                nodes=self.nodes,
                channels=self.channels,
                contacts=CONTACTS,
                teams=(Team("near", "Near", ("amina",)), Team("far", "Zebra team", ("far-okello", "far-nurse"))),
                rosters=(
                    Roster("near-duty", "Near", "UTC", (Rotation(("joseph",), NOON),)),
                    Roster("wide-duty", "All", "UTC", (Rotation(("minister",), NOON),)),
                    Roster(
                        "far-duty",
                        "Zebra duty",
                        "UTC",
                        (Rotation(("far-okello", "joseph"), NOON),),
                        (Override("far-nurse", NOON, NOON + timedelta(hours=1), "zebra crossing"),),
                    ),
                ),
                chains=(
                    EscalationChain("near", _steps("facility", "roster:near-duty"), district="Kasese"),
                    EscalationChain("far", _steps("team:far", "roster:far-duty"), district="Zebraland"),
                    EscalationChain("wide", _steps("facility", "roster:wide-duty"), from_severity=Severity.CRITICAL),
                ),
            )
        return self._directory


def _steps(*words: str) -> tuple[EscalationStep, ...]:
    return tuple(EscalationStep(number * 15 * MINUTE, (word,)) for number, word in enumerate(words))


def a_world() -> World:
    """Return the two districts with readings."""
    world = _Districts(days=0)
    world.clock.advance(40 * MINUTE)
    world.equipment, world.nodes, world.channels, world.readings, world.alert_by_id = [], [], [], {}, {}
    world.facilities = [
        Facility(NEAR, "Near HC3", "Uganda", "West", "Kasese", "Africa/Kampala"),
        Facility(NEXT, "Near HC2", "Uganda", "West", "Kasese", "Africa/Kampala"),
        Facility(FAR, "Zebra Hospital", "Uganda", "Zebra Region", "Zebraland", "Africa/Kampala"),
    ]
    for each in world.facilities:
        world.nodes.append(Node(f"{each.id}-gw", each.id, f"Gateway of {each.name}"))
        channel = world.add_channel(each.id, EquipmentKind.FRIDGE, f"Fridge of {each.name}", "temperature")
        world.take(channel, 9.4)
        world.visit(each.id, timedelta(days=2), found=f"all well at {each.name}")
    return world


def services_of(districts: Districts) -> Services:
    """Return the services over the store and the world."""
    judge, world = districts.judge, districts.world
    rules = rules_of(catalogue=USUAL, files=())
    far = BacktestOrder(rule=rules[0], days=7, end=NOON, facilities=frozenset({FAR}), by="Zebra Okello")
    districts.tried.keep(2, far)
    store = judge.store
    return world.services(
        alerts=store.alerts,
        alert=store.alert,
        standings=store.reading.standings,
        acknowledge=store.acknowledge,
        episodes=store.episodes,
        alert_desk=AlertDesk(store),
        measures=_measures(districts),
        rollups=_no_rollups,
        equipment_metrics=lambda _: [
            '# TYPE vitals_equipment_door gauge\nvitals_equipment_door{facility="far-hc4"} 1\n'
        ],
        metrics=lambda _: ['# TYPE vitals_up gauge\nvitals_up{facility="far-hc4",name="Zebra Hospital"} 1\n'],
        rosters=_rosters(districts),
        intake=_intake(),
        registry=_registry(world),
        rules=RuleDesk(
            rules=lambda: rules,
            others=list,
            trouble=str,
            firings=store.reading.firings,
            written=written,
            read=read,
            backtests=districts.tried,
        ),
        reports=_reports(),
    )


def _reports() -> ReportDesk:
    """Return a desk that takes orders of both kinds; the second of each was ordered by others."""
    ordered: Tried[ReportOrder] = Tried()
    ordered.keep(
        2,
        ReportOrder(
            kind=ReportKind.SLA, place=Place(facility=FAR), start=NOON - timedelta(days=30), end=NOON,
            facilities=frozenset({FAR}), zone="UTC", by="Zebra Okello",
        ),
    )  # fmt: skip

    async def file(*_: object) -> bytes:
        return b"a report"

    async def nothing(*_: object) -> None:
        return None

    return ReportDesk(jobs=ordered, prepare=nothing, file=file, issue=nothing, issued_by=lambda _: "")


async def _no_rollups(channel: str, from_ms: int, to_ms: int, resolution: Resolution) -> Sequence[Rollup]:
    """Return that nothing was rolled up: the world would make hours for two hundred years that somebody asks for."""
    return []


def _nothing(*_: object) -> None:
    return None


def _measures(districts: Districts) -> Callable[..., Awaitable[Measures]]:
    async def measures(period: Period, place: Place, within: frozenset[str] | None = None) -> Measures:
        return await read_measures(districts.database, period, place, districts.world.directory(), within)

    return measures


def _rosters(districts: Districts) -> RosterDesk:
    def people(roster: str) -> str:
        directory = districts.world.directory()
        return ", ".join(directory.contacts[each].name for each in sorted(directory.rosters[roster].contacts))

    async def calendar(roster: str, _: Span) -> bytes:
        return f"BEGIN:VCALENDAR {people(roster)} END:VCALENDAR".encode()

    async def take(roster: str, content: bytes, *_: object, **__: object) -> CalendarTaken:
        if not content.startswith(b"BEGIN:VCALENDAR"):
            raise DocumentError([Problem(roster, 1, 1, "calendar", "something else", "a calendar")])
        districts.taken.append(roster)
        return CalendarTaken(1, 1, 0)

    return RosterDesk(calendar, take)


def _registry(world: World) -> RegistryDesk:
    async def nothing(*_: object, **__: object) -> None:
        return None

    async def no_entries(*_: object, **__: object) -> Sequence[Any]:
        return []

    async def no_limits() -> Mapping[LimitScope, SharedLimitChange]:
        return {}

    async def same(said: Any) -> Any:
        return said

    async def visit(number: int) -> Visit | None:
        return next((each for each in world.visit_log if each.id == number), None)

    return RegistryDesk(
        change=nothing,
        changes=no_entries,
        limit_changes=no_entries,
        shared_limit_changes=no_limits,
        say=same,
        history=no_entries,
        note=same,
        visit=visit,
    )


def _intake() -> IntakeDesk:
    async def letters(wanted: LetterFilter, *, limit: int, newest_first: bool = False) -> Sequence[Letter]:
        return [each for each in LETTERS if wanted.after_id < each.id][:limit]

    async def groups(_: LetterFilter) -> Sequence[LetterGroup]:
        return []

    async def replay(_: LetterFilter) -> Replayed:
        return Replayed()

    async def waiting() -> Sequence[WaitingNode]:
        return [WaitingNode("pi-7", to_ms(NOON), to_ms(NOON), 1, (Sample("fridge-0/temperature", to_ms(NOON), 4.5),))]

    async def post(node: str, payload: bytes, lane: UpLane) -> Outcome:
        raise AssertionError((node, payload, lane))

    return IntakeDesk(
        letters=letters, letter_groups=groups, replay=replay, waiting=waiting, node_of=_nothing, post=post
    )


async def _tell(districts: Districts) -> None:
    """Let something happen everywhere: alerts, answers, silences, texts."""
    judge, store = districts.judge, districts.judge.store
    for facility, channel in ((NEAR, NEAR_FRIDGE), (NEXT, NEXT_FRIDGE), (FAR, FAR_FRIDGE)):
        await judge.record(EpisodeChange(ChangeKind.OPENED, an_excursion(facility, channel), True))
    await store.acknowledge(FAR_ALERT, by="Zebra Okello", now=judge.now, origin="sms +256700000077", note="zebra")
    await store.acknowledge(NEXT_ALERT, by="Joseph", now=judge.now, origin="sms +256700000002", note="on 0700 000 002")
    for place, reason in _SILENCES:
        await store.silence(a_silence(place, reason, judge.now))
    async with districts.database.begin() as connection:
        inbox = Inbox(connection)
        for contact, text, about, meaning in _TEXTS:
            number = await inbox.keep(IncomingText("sms", f"+25670{len(text)}", text, f"{contact}{text}"), judge.now)
            assert number is not None
            await inbox.note(number, contact=contact, meaning=meaning, alerts=about, answered=f"answer to: {text}")


_SILENCES = (
    (Place(facility=NEAR), "works"),
    (Place(district="Zebraland"), "zebra works"),
    (Place(), "all"),
    (Place(facility=NEAR), "more"),
)
_TEXTS: Sequence[tuple[str, str, Sequence[int], str]] = (
    ("amina", "I go", (NEAR_ALERT,), "going"),
    ("minister", "mine: near", (NEAR_ALERT,), "going"),
    ("minister", "status zebra", (NEAR_ALERT,), "status"),
    ("minister", "both zebra", (NEAR_ALERT, FAR_ALERT), "going"),
    ("far-okello", "zebra goes", (FAR_ALERT,), "going"),
    ("", "zebra stranger", (), "stranger"),
)
TOLD_NEAR = ("mine: near", "I go")
"""The texts that tell of nothing far away, newest first."""


def an_excursion(facility: str, channel: str, started_at: datetime = NOON) -> Episode:
    """Return a fridge that is too warm."""
    return Episode(
        id=episode_id("heat", channel, to_ms(started_at)),
        rule="heat",
        severity=Severity.WARNING,
        subject_kind=SubjectKind.CHANNEL,
        subject=channel,
        facility=facility,
        started_at=started_at,
        confirmed_at=started_at + 30 * MINUTE,
        extreme=9.4,
        extreme_at=started_at + 10 * MINUTE,
    )


def a_silence(place: Place, reason: str, now: datetime) -> Silence:
    """Return maintenance of another rule at a place."""
    return Silence(
        kind=SilenceKind.MAINTENANCE,
        reason=reason,
        created_by="Zebra Okello" if MARK in reason else "Joseph",
        created_at=now,
        start=now,
        rule="another",
        country=place.country,
        region=place.region,
        district=place.district,
        facility=place.facility,
    )

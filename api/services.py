"""What the API serves, as callables that ``app`` passes in: no route knows who stands behind them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import NamedTuple, Protocol

from alerts.allowed import Standing
from alerts.facts import Power
from alerts.measures.compute import Measures
from alerts.measures.rows import Period
from alerts.notifiers.notifier import Callback, Heard
from alerts.oncall.roster import Span
from api.alert_desk import AlertDesk
from api.exposition import Render
from api.problems import RequestError
from api.registry_services import RegistryDesk
from api.report_services import ReportDesk
from api.rule_services import RuleDesk
from collector.journal.letters import Letter, LetterFilter, LetterGroup
from collector.journal.rollup import Rollup
from collector.lanes import Outcome
from collector.replaying import Replayed
from collector.waiting import WaitingNode
from dashboards.figures.places import Figures
from dashboards.pages.outlines.shape import OutlinesOf
from dashboards.pages.outlines.shipped import shipped_outlines
from dashboards.pages.series import Resolution
from dashboards.pages.status import FacilityStatus, LatestReading
from dashboards.pages.wording import DescribeAlert, plain_alert_text
from dashboards.pages.words import Saying, nothing_to_say
from domain.alert import Alert
from domain.directory import Directory
from domain.episode import Episode
from domain.instant import Clock
from domain.kept import Kept
from domain.place_hour import HourQuestion, PlaceHour
from domain.places import Place
from domain.reading import Reading
from domain.topics import UpLane
from domain.upkeep import Visit


class ReadSeries(Protocol):
    """Raw readings of one channel with ``from_ms <= measured_at_ms < to_ms``, oldest first, at most ``limit``."""

    async def __call__(self, channel: str, from_ms: int, to_ms: int, *, limit: int) -> Sequence[Reading]:
        """Return the readings, unusable ones too."""


class ReadRollups(Protocol):
    """Roll-ups of one channel that share time with ``[from_ms, to_ms)``, oldest first."""

    async def __call__(self, channel: str, from_ms: int, to_ms: int, resolution: Resolution) -> Sequence[Rollup]:
        """Return one per hour or day of which anything is known; ``resolution`` is never RAW."""


class ReadHours(Protocol):
    """Hours of many places that begin in ``[from_ms, to_ms)``, in short and in any order."""

    async def __call__(self, questions: Mapping[str, HourQuestion], from_ms: int, to_ms: int) -> Sequence[PlaceHour]:
        """Return those of which anything is stored, by place."""


class ReadAlerts(Protocol):
    """Alerts, newest first."""

    async def __call__(
        self,
        *,
        open_only: bool,
        facility: str | None,
        limit: int,
        within: frozenset[str] | None = None,
        rule: str | None = None,
    ) -> Sequence[Alert]:
        """Return at most ``limit`` alerts of one facility, of those ``within``, or of one rule; None means all."""


class AcknowledgeAlert(Protocol):
    """Records that somebody has taken an alert; saying so twice changes nothing."""

    async def __call__(self, alert_id: int, *, by: str, now: datetime, origin: str, note: str) -> Alert:
        """Return the alert as it is now; an unknown one raises a ``VitalsError``."""


class ReadEpisodes(Protocol):
    """Episodes of one facility that overlap ``[from_, to)``, oldest first."""

    async def __call__(self, *, facility: str, from_: datetime, to: datetime, limit: int) -> Sequence[Episode]:
        """Return at most ``limit`` episodes."""


class ReadVisits(Protocol):
    """Visits of one facility with ``from_ <= at < to`` as they stand after corrections, the last first."""

    async def __call__(self, facility: str, from_: datetime, to: datetime, *, limit: int) -> Sequence[Visit]:
        """Return at most ``limit`` visits."""


class ReadMeasures(Protocol):
    """How alerting did in a period at a place."""

    async def __call__(self, period: Period, place: Place, within: frozenset[str] | None = None) -> Measures:
        """Return the measures of all facilities there, or of those ``within``."""


class ReadLetters(Protocol):
    """Dead letters, in the order of arrival or the newest first."""

    async def __call__(self, wanted: LetterFilter, *, limit: int, newest_first: bool = False) -> Sequence[Letter]:
        """Return at most ``limit`` letters."""


class HearCallback(Protocol):
    """Takes what a message gateway posts to us."""

    async def __call__(self, channel: str, token: str, callback: Callback) -> Heard | None:
        """Return what to answer once everything is kept; None where nobody listens under this channel and token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeDesk:
    """What the collector offers to those who look after it."""

    letters: ReadLetters
    letter_groups: Callable[[LetterFilter], Awaitable[Sequence[LetterGroup]]]
    replay: Callable[[LetterFilter], Awaitable[Replayed]]
    waiting: Callable[[], Awaitable[Sequence[WaitingNode]]]
    node_of: Callable[[str], str | None]
    """Whose token this is; None for one that lets nobody in."""
    post: Callable[[str, bytes, UpLane], Awaitable[Outcome]]
    """Takes a payload of a node and returns after the commit; raises ``IntakeBusyError``."""


class CalendarTaken(NamedTuple):
    """What came of a calendar that was taken as a roster's overrides."""

    events: int
    """Those that reach into the window."""
    added: int
    """Overrides that were not registered before."""
    forgotten: int
    """Overrides that are registered no more."""


class TakeCalendar(Protocol):
    """Takes the events of a calendar that reach into a window as overrides of a roster."""

    async def __call__(
        self, roster: str, content: bytes, window: Span, *, add: bool, people: Collection[str] | None = None
    ) -> CalendarTaken:
        """Return what changed, once it is in force; ``DocumentError`` names events that cannot be used.

        Events may name every contact, or only these ``people``.
        """


@dataclass(frozen=True, slots=True)
class RosterDesk:
    """Rosters as calendars."""

    calendar: Callable[[str, Span], Awaitable[bytes]]
    take: TakeCalendar


def everywhere(_: str) -> bool:
    """Tell that something may be done at every facility."""
    return True


@dataclass(frozen=True, slots=True)
class PartState:
    """Whether one part of the service can do its work, in a sentence."""

    name: str
    ready: bool
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything that routes and pages call."""

    clock: Clock
    directory: Callable[[], Directory]
    latest: LatestReading
    """The newest reading of a channel, from memory."""
    series: ReadSeries
    rollups: ReadRollups
    hours: ReadHours
    kept: Callable[[str], Awaitable[Kept]]
    """From when on what of a channel is kept."""
    statuses: Callable[[], Sequence[FacilityStatus]]
    """How every facility is, worst first, said in English; from memory, as of a moment ago."""
    open_alerts: Callable[[], Sequence[Alert]]
    """The alerts that are not over, newest first, from memory."""
    alerts: ReadAlerts
    alert: Callable[[int], Awaitable[Alert | None]]
    standings: Callable[[Sequence[int]], Awaitable[Mapping[int, Standing]]]
    """Incidents and closings of alerts, by the numbers of the alerts."""
    acknowledge: AcknowledgeAlert
    episodes: ReadEpisodes
    visits: ReadVisits
    """How equipment is stands in ``directory().upkeep``."""
    last_visits: Callable[[Collection[str]], Awaitable[Mapping[str, Visit]]]
    """The last visit of each of some facilities, for those that were ever visited."""
    metrics: Render
    """The service and the facilities, for Prometheus."""
    equipment_metrics: Render
    """Every channel, for Prometheus; or as many as the operator allows."""
    parts: Callable[[], Sequence[PartState]]
    """The state of each part, for readiness; must not block."""
    power: Callable[[str], Power | None] = lambda _: None
    """Whether a facility has power, and since when if that is known; None where nothing tells."""
    describe: DescribeAlert = plain_alert_text
    """What the rule behind an alert says, and what to do."""
    intake: IntakeDesk | None = None
    """None in a process that takes nothing in."""
    registry: RegistryDesk | None = None
    """None in a process without a registry of its own."""
    rosters: RosterDesk | None = None
    """None in a process without a registry of its own."""
    alert_desk: AlertDesk | None = None
    """What lets people look into the telling of alerts and act on it; None in a process that tells nobody."""
    may_act: Callable[[str], bool] = everywhere
    """Whether who asks may act on the alerts of a facility."""
    hear_callback: HearCallback | None = None
    """None where no channel hears its gateway."""
    figures: Callable[[], Figures]
    """How every facility did, from memory."""
    measures: ReadMeasures | None = None
    """None where there is no database of alerts."""
    rules: RuleDesk | None = None
    """None in a process that does not judge."""
    reports: ReportDesk | None = None
    """None in a process that makes none."""
    outlines: OutlinesOf = shipped_outlines
    """What maps are drawn on, for the countries that facilities name."""
    notice: Saying = nothing_to_say
    """A sentence at the head of every page, e.g. that the demo's time runs faster; empty for none."""


def alert_desk_of(services: Services) -> AlertDesk:
    """Return the desk of alerts; raise ``RequestError`` (503) in a process that tells nobody."""
    if services.alert_desk is None:
        raise RequestError(HTTPStatus.SERVICE_UNAVAILABLE, "This process tells nobody; ask the judge's.")
    return services.alert_desk

"""A small world in memory that the API and the pages can serve: for their tests, and to look at pages.

``python -m tests.api.world --port 8090`` serves it on loopback.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import math
import time
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import uvicorn

from alerts.allowed import Standing
from alerts.facts import Power
from api.create import create_api
from api.services import PartState, Services
from api.settings import ApiSettings
from collector.journal.rollup import Bucket, Rollup, daily, floor_to, hourly, rolled_up
from dashboards.figures.facility import facility_figures
from dashboards.figures.places import Figures
from dashboards.figures.watched import watch
from dashboards.pages.series import Resolution
from dashboards.pages.status import FacilityStatus, facility_statuses
from dashboards.pages.wording import AlertText
from dashboards.pages.words import Words
from domain.alert import Alert, AlertState
from domain.channel_day import ChannelDay
from domain.directory import Directory
from domain.episode import Episode, Severity, SubjectKind, episode_id
from domain.errors import Fault, VitalsError
from domain.instant import DAY_MS, HOUR_MS, MINUTE_MS, to_datetime, to_ms
from domain.kept import Kept
from domain.limits import ALWAYS_MS, LimitsSince
from domain.place_hour import HourQuestion, PlaceHour
from domain.places import Channel, Equipment, EquipmentKind, Facility, Node
from domain.quantities import QUANTITIES
from domain.reading import Quality, Reading
from domain.upkeep import Upkeep, UpkeepState, Visit

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
INTERVAL = timedelta(minutes=10)
WORDS = {
    "heat": AlertText("too warm", "Move the vaccines to fridge 1 or a cold box.", "above 8.0 °C for 1 h"),
    "mains_lost": AlertText("no mains power"),
    "silent": AlertText("not heard"),
}


class UnknownAlertError(VitalsError):
    """There is no such alert."""

    fault = Fault.SENDER


class SteppedClock:
    """A clock that stands where a test puts it, or runs with the machine's."""

    def __init__(self, now_ms: int, *, running: bool = False) -> None:
        self._offset_ms = now_ms - (round(time.time() * 1000) if running else 0)
        self._running = running

    def now_ms(self) -> int:
        """Return the moment."""
        return self._offset_ms + (round(time.time() * 1000) if self._running else 0)

    def advance(self, step: timedelta) -> None:
        """Move on."""
        self._offset_ms += round(step.total_seconds() * 1000)

    async def sleep(self, seconds: float) -> None:
        """Not needed here."""
        await asyncio.sleep(seconds)


class World:
    """Facilities, readings and alerts, and the callables that the API asks for."""

    def __init__(self, *, days: int = 2, copies: int = 0, running: bool = False) -> None:
        self.clock = SteppedClock(to_ms(NOON), running=running)
        self.days = days
        self.facilities: list[Facility] = []
        self.equipment: list[Equipment] = []
        self.nodes: list[Node] = []
        self.channels: list[Channel] = []
        self.readings: dict[str, list[Reading]] = {}
        self.alert_by_id: dict[int, Alert] = {}
        self.notes: list[tuple[int, str, str, str]] = []
        self.ready = True
        self.kept = Kept()
        self.upkeep: list[Upkeep] = []
        self._figures = Figures()
        self.visit_log: list[Visit] = []
        self.power: dict[str, Power] = {}
        self._build(copies)
        self._directory: Directory | None = None

    def directory(self) -> Directory:
        """Return the registry."""
        if self._directory is None:
            self._directory = Directory(
                facilities=self.facilities,
                equipment=self.equipment,
                nodes=self.nodes,
                channels=self.channels,
                upkeep=self.upkeep,
            )
        return self._directory

    def services(self, **changes: object) -> Services:
        """Return what the API needs, with some parts exchanged."""
        services = Services(
            clock=self.clock,
            directory=self.directory,
            latest=self.latest,
            series=self.series,
            rollups=self.rollups,
            hours=self.hours,
            kept=self.keeps,
            statuses=self.statuses,
            open_alerts=self.open_alerts,
            alerts=self.alerts,
            alert=self.alert,
            standings=self.standings,
            acknowledge=self.acknowledge,
            episodes=self.episodes,
            visits=self.visits,
            last_visits=self.last_visits,
            figures=self.figures,
            power=self.power.get,
            equipment_metrics=lambda _: ["# TYPE vitals_equipment_door gauge\nvitals_equipment_door 1\n"],
            metrics=lambda _: ["# TYPE vitals_up gauge\nvitals_up 1\n"],
            parts=self.parts,
            describe=self.describe,
        )
        return dataclasses.replace(services, **changes)  # type: ignore[arg-type]  # names are checked by replace itself

    # What the collector knows.

    def latest(self, channel: str) -> Reading | None:
        """Return the newest reading."""
        found = self.readings.get(channel)
        return found[-1] if found else None

    def take(self, channel: str, value: float | None, quality: Quality = Quality.GOOD) -> None:
        """Add a reading that is measured and arrives now."""
        now_ms = self.clock.now_ms()
        self.readings.setdefault(channel, []).append(Reading(channel, now_ms, value, quality, now_ms))

    async def series(self, channel: str, from_ms: int, to_ms: int, *, limit: int) -> Sequence[Reading]:
        """Return raw readings."""
        return [each for each in self.readings.get(channel, []) if from_ms <= each.measured_at_ms < to_ms][:limit]

    async def rollups(self, channel: str, from_ms: int, to_ms: int, resolution: Resolution) -> Sequence[Rollup]:
        """Return roll-ups, each as long as its step, made by the journal's own functions."""
        limits = next(each.limits for each in self.channels if each.id == channel)
        history = (LimitsSince(ALWAYS_MS, limits.get("low"), limits.get("high")),)
        cover_ms = 2 * round(INTERVAL.total_seconds() * 1000)
        rows = [(each[1], each[2], +each[3], each[4]) for each in self.readings.get(channel, [])]
        begin, end = floor_to(from_ms, resolution.step_ms), floor_to(to_ms - 1, resolution.step_ms) + resolution.step_ms
        rows = [row for row in rows if begin - cover_ms <= row[0] < end]
        hours = hourly(rows, begin, end, cover_ms, history)
        if resolution is Resolution.DAY:
            return rolled_up(
                daily(start, hours[(start - begin) // HOUR_MS :][:24]) for start in range(begin, end, DAY_MS)
            )
        return rolled_up(hours)

    async def hours(self, questions: Mapping[str, HourQuestion], from_ms: int, to_ms: int) -> Sequence[PlaceHour]:
        """Return hours of places from the roll-ups of their channels."""
        found: dict[tuple[str, int], PlaceHour] = {}
        for place, (limited, supplies) in questions.items():
            for channel in (*limited, *supplies):
                for each in await self.rollups(channel, from_ms, to_ms, Resolution.HOUR):
                    off = channel in supplies and each.minimum is not None and each.minimum < 1
                    known = found.get((place, each.start_ms), PlaceHour(place, each.start_ms, False, False))
                    found[place, each.start_ms] = known._replace(
                        known=known.known or each.covered_seconds > 0,
                        troubled=known.troubled or off or each.below_seconds > 0 or each.above_seconds > 0,
                    )
        return list(found.values())

    async def keeps(self, channel: str) -> Kept:
        """Return from when on what is kept."""
        return self.kept

    def figures(self) -> Figures:
        """Return how every facility did, worked out from the readings."""
        end_ms = floor_to(self.clock.now_ms(), DAY_MS)
        if self._figures.end_ms != end_ms or self._figures.by_facility.keys() != self.directory().facilities.keys():
            found = {
                each.id: facility_figures(watch(self.directory(), each.id), self.days_of(each.id, end_ms), end_ms)
                for each in self.facilities
            }
            self._figures = Figures(end_ms, self.clock.now_ms(), found)
        return self._figures

    def days_of(self, facility: str, end_ms: int) -> list[ChannelDay]:
        """Return the days of what a facility measures."""
        found = []
        for channel in self.directory().channels_of(facility):
            for start, total, lowest, highest, count, covered, below, above, judged in self._days(channel, end_ms):
                mean = total / count if count else None
                spent = (covered, judged, below, above)
                found.append(ChannelDay(channel.id, start, count, mean, lowest, highest, *spent))
        return found

    def _days(self, channel: Channel, end_ms: int) -> list[Bucket]:
        history = (LimitsSince(ALWAYS_MS, channel.limits.get("low"), channel.limits.get("high")),)
        rows = [(each[1], each[2], +each[3], each[4]) for each in self.readings.get(channel.id, []) if each[1] < end_ms]
        if not rows:
            return []
        begin = floor_to(rows[0][0], DAY_MS)
        hours = hourly(rows, begin, end_ms, 2 * round(INTERVAL.total_seconds() * 1000), history)
        return [daily(hours[number][0], hours[number : number + 24]) for number in range(0, len(hours), 24)]

    # What the alerts know.

    def open_alerts(self) -> Sequence[Alert]:
        """Return the alerts that are not over, newest first."""
        found = [alert for alert in self.alert_by_id.values() if alert.state is not AlertState.NORMAL]
        return sorted(found, key=lambda alert: -alert.id)

    def statuses(self) -> Sequence[FacilityStatus]:
        """Return how every facility is, worst first, computed anew."""
        return facility_statuses(self.directory(), self.latest, self.open_alerts(), self.clock.now_ms(), self.describe)

    async def alerts(
        self,
        *,
        open_only: bool,
        facility: str | None,
        limit: int,
        within: frozenset[str] | None = None,
        rule: str | None = None,
    ) -> Sequence[Alert]:
        """Return alerts, newest first."""
        found = [
            alert
            for alert in self.alert_by_id.values()
            if facility in (None, alert.facility)
            and (within is None or alert.facility in within)
            and rule in (None, alert.rule)
            and not (open_only and alert.state is AlertState.NORMAL)
        ]
        return sorted(found, key=lambda alert: -alert.id)[:limit]

    async def alert(self, alert_id: int) -> Alert | None:
        """Return one alert."""
        return self.alert_by_id.get(alert_id)

    async def standings(self, alerts: Sequence[int]) -> Mapping[int, Standing]:
        """Return that each alert is an incident by itself, and that none is closed."""
        return {alert: Standing(alert) for alert in alerts}

    async def acknowledge(self, alert_id: int, *, by: str, now: datetime, origin: str, note: str) -> Alert:
        """Take an alert; the second time changes nothing."""
        alert = self.alert_by_id.get(alert_id)
        if alert is None:
            raise UnknownAlertError(alert_id)
        if alert.acknowledged_at is not None or alert.state is AlertState.NORMAL:
            return alert
        state = AlertState.ACKNOWLEDGED if alert.ended_at is None else AlertState.NORMAL
        alert = dataclasses.replace(alert, state=state, acknowledged_at=now, acknowledged_by=by)
        self.alert_by_id[alert_id] = alert
        self.notes.append((alert_id, by, origin, note))
        return alert

    async def episodes(self, *, facility: str, from_: datetime, to: datetime, limit: int) -> Sequence[Episode]:
        """Return the episodes behind the alerts."""
        found = [
            Episode(
                each.episode, each.rule, each.severity, each.subject_kind, each.subject, each.facility,
                each.started_at, each.raised_at, each.ended_at, each.extreme,
            )
            for each in self.alert_by_id.values()
            if each.facility == facility and each.started_at < to and (each.ended_at is None or each.ended_at > from_)
        ]  # fmt: skip
        return sorted(found, key=lambda each: each.started_at)[:limit]

    # What people noted.

    def say(self, equipment: str, state: UpkeepState, *, why: str = "", ago: timedelta = timedelta(0)) -> None:
        """Let Grace say how a piece of equipment is."""
        now = to_datetime(self.clock.now_ms())
        self.upkeep.append(Upkeep(equipment, state, now - ago, now, "Grace", why, len(self.upkeep) + 1))
        self._directory = None

    def visit(self, facility: str, ago: timedelta, **more: str) -> Visit:
        """Let Grace have visited a facility."""
        now = to_datetime(self.clock.now_ms())
        entry = Visit(facility=facility, at=now - ago, by="Grace", said_at=now, said_by="Grace", **more)  # type: ignore[arg-type]  # names are checked by the class
        self.visit_log.append(dataclasses.replace(entry, id=len(self.visit_log) + 1))
        return self.visit_log[-1]

    async def visits(self, facility: str, from_: datetime, to: datetime, *, limit: int) -> Sequence[Visit]:
        """Return visits, the last first."""
        found = [each for each in self.visit_log if each.facility == facility and from_ <= each.at < to]
        return sorted(found, key=lambda each: each.at, reverse=True)[:limit]

    async def last_visits(self, facilities: Collection[str]) -> Mapping[str, Visit]:
        """Return the last visit of each facility."""
        in_order = sorted(self.visit_log, key=lambda each: each.at)
        return {each.facility: each for each in in_order if each.facility in facilities}

    def describe(self, alert: Alert, words: Words) -> AlertText:
        """Return what a rule says."""
        return WORDS.get(alert.rule, AlertText(alert.rule))

    def parts(self) -> Sequence[PartState]:
        """Return the state of the parts."""
        broker = "The broker answers." if self.ready else "The broker at localhost:1883 does not answer."
        return [PartState("journal", True, "Commits arrive."), PartState("broker", self.ready, broker)]

    # Building.

    def add_facility(
        self,
        id_: str,
        name: str,
        district: str = "Kasese",
        timezone: str = "Africa/Kampala",
        place: tuple[float | None, float | None] = (None, None),
    ) -> None:
        """Register a facility with its node; ``place`` is latitude and longitude."""
        self.facilities.append(Facility(id_, name, "Uganda", "Rwenzori", district, timezone, *place))
        self.nodes.append(Node(f"{id_}-gw", id_, "Gateway"))
        self._directory = None

    def add_channel(
        self, facility: str, kind: EquipmentKind, name: str, quantity: str, limits: dict[str, float] | None = None
    ) -> str:
        """Register a piece of equipment (once) and a channel of it; return the channel's id."""
        equipment = f"{facility}/{kind.value}-{sum(item.facility == facility for item in self.equipment)}"
        known = next((item for item in self.equipment if item.facility == facility and item.name == name), None)
        if known is None:
            known = Equipment(equipment, facility, kind, name, "VLS 054A" if kind is EquipmentKind.FRIDGE else "")
            self.equipment.append(known)
        id_ = f"{known.id}/{quantity}"
        self.channels.append(
            Channel(
                id_,
                facility,
                known.id,
                f"{facility}-gw",
                id_,
                QUANTITIES[quantity],
                INTERVAL,
                limits=limits or {},
                own_limits=limits or {},
            )
        )
        self._directory = None
        return id_

    def raise_alert(
        self, rule: str, severity: Severity, facility: str, subject: str, ago: timedelta, **more: object
    ) -> Alert:
        """Raise an alert that started some time ago."""
        started = to_datetime(self.clock.now_ms()) - ago
        kind = SubjectKind.NODE if subject in {node.id for node in self.nodes} else SubjectKind.CHANNEL
        alert = Alert(
            id=4821 + len(self.alert_by_id),
            episode=episode_id(rule, subject, to_ms(started)),
            rule=rule,
            severity=severity,
            state=AlertState.UNACKNOWLEDGED,
            subject_kind=kind,
            subject=subject,
            facility=facility,
            started_at=started,
            raised_at=started,
        )
        alert = dataclasses.replace(alert, **more)  # type: ignore[arg-type]  # names are checked by replace itself
        self.alert_by_id[alert.id] = alert
        return alert

    def _build(self, copies: int) -> None:
        warm = self._clinic("kasese-hc3", "Kasese Health Centre III", (0.183, 30.083), trouble=True)
        self.raise_alert("heat", Severity.CRITICAL, "kasese-hc3", warm, timedelta(hours=2, minutes=10), extreme=11.3)
        self.raise_alert(
            "mains_lost",
            Severity.WARNING,
            "kasese-hc3",
            next(each.id for each in self.channels if each.quantity.name == "supply"),
            timedelta(hours=3),
            state=AlertState.ACKNOWLEDGED,
            acknowledged_by="Amina",
            acknowledged_at=NOON - timedelta(hours=2),
        )
        self._clinic("bwera-hospital", "Bwera Hospital", (0.031, 29.774), silent_for=timedelta(hours=5))
        self.raise_alert("silent", Severity.WARNING, "bwera-hospital", "bwera-hospital-gw", timedelta(hours=5))
        fine = self._clinic("kilembe-hc2", "Kilembe Health Centre II", (0.2, 30.01))
        self.raise_alert(
            "heat",
            Severity.CRITICAL,
            "kilembe-hc2",
            fine,
            timedelta(hours=20),
            state=AlertState.NORMAL,
            ended_at=NOON - timedelta(hours=17),
            extreme=9.1,
            acknowledged_by="Joseph",
            acknowledged_at=NOON - timedelta(hours=19),
        )
        for number in range(copies):
            place = (-0.8 + 4 * (number * 0.618 % 1), 30.3 + 3.6 * (number * 0.755 % 1))
            self._clinic(f"hc-{number}", f"Health Post {number + 1}", place)

    def _clinic(
        self,
        id_: str,
        name: str,
        place: tuple[float, float],
        *,
        trouble: bool = False,
        silent_for: timedelta = timedelta(0),
    ) -> str:
        self.add_facility(id_, name, place=place)
        safe = {"low": 2.0, "high": 8.0}
        first = self.add_channel(id_, EquipmentKind.FRIDGE, "Fridge 1", "temperature", safe)
        second = self.add_channel(id_, EquipmentKind.FRIDGE, "Fridge 2", "temperature", safe)
        voltage = self.add_channel(id_, EquipmentKind.MAINS, "Grid", "voltage", {"low": 207.0, "high": 253.0})
        supply = self.add_channel(id_, EquipmentKind.MAINS, "Grid", "supply")
        tank = self.add_channel(id_, EquipmentKind.TANK, "Roof tank", "tank_level", {"low": 0.2})
        space = self.add_channel(id_, EquipmentKind.GATEWAY, "Gateway", "free_space")
        now_ms = to_ms(NOON)
        end_ms = now_ms - round(silent_for.total_seconds() * 1000)
        step_ms = round(INTERVAL.total_seconds() * 1000)
        for at_ms in range(now_ms - self.days * 24 * HOUR_MS, end_ms + 1, step_ms):
            hours_left = (now_ms - at_ms) / HOUR_MS
            if 9.0 < hours_left < 10.2:
                continue  # a gap that charts must show
            wave = math.sin(at_ms / HOUR_MS * 2.1) + 0.3 * math.sin(at_ms / HOUR_MS * 11)
            off = trouble and hours_left < 3
            warm = max(3.0 - hours_left, 0.0) * 2.3 if trouble else 0.0
            self._put(first, at_ms, 4.6 + 0.5 * wave + warm * 0.3)
            self._put(second, at_ms, 4.4 + 0.6 * wave + warm)
            self._put(voltage, at_ms, 0.0 if off else 231 + 6 * wave)
            self._put(supply, at_ms, 0.0 if off else 1.0)
            self._put(tank, at_ms, 0.55 + 0.4 * math.sin(at_ms / HOUR_MS / 5))
            self._put(space, at_ms, 11e9)
        return second

    def _put(self, channel: str, at_ms: int, value: float) -> None:
        self.readings.setdefault(channel, []).append(
            Reading(channel, at_ms, round(value, 3), Quality.GOOD, at_ms + 2_000)
        )


def with_hostile_names(world: World, names: Sequence[str]) -> World:
    """Add a facility for each name: it is the name of the facility, its equipment and whoever took its alert."""
    for number, name in enumerate(names):
        id_ = f"hostile-{number}"
        world.add_facility(id_, name, district=name)
        channel = world.add_channel(id_, EquipmentKind.FRIDGE, name, "temperature", {"high": 8.0})
        world.take(channel, 9.4)
        world.raise_alert(
            name or "empty",
            Severity.WARNING,
            id_,
            channel,
            timedelta(minutes=30),
            extreme=9.4,
            state=AlertState.ACKNOWLEDGED,
            acknowledged_by=name,
            acknowledged_at=to_datetime(world.clock.now_ms() - MINUTE_MS),
        )
    return world


async def serve(port: int, copies: int) -> None:
    """Serve a world whose clock runs, until interrupted."""
    world = World(days=31, copies=copies, running=True)
    services = world.services(
        notice=lambda words: words("Demo: a simulated district in which time runs {speed} times faster.", speed="120")
    )
    application = create_api(services, ApiSettings())

    async def keep_measuring() -> None:
        while True:
            await asyncio.sleep(5)
            for channel in world.channels:
                if channel.facility != "bwera-hospital":
                    newest = world.latest(channel.id)
                    world.take(channel.id, newest.value if newest else 0.0)

    measuring = asyncio.create_task(keep_measuring())
    try:
        await uvicorn.Server(uvicorn.Config(application, port=port, log_level="warning")).serve()
    finally:
        measuring.cancel()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8090)
    parser.add_argument("--copies", type=int, default=9)
    arguments = parser.parse_args()
    asyncio.run(serve(arguments.port, arguments.copies))

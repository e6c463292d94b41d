"""What every mirror is, what it shows, and the loop that keeps mirrors up to date.

A mirror follows the state, so nothing has to be queued for it: what it missed it learns with the next look.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from alerts.facts import RuleText
from domain.alert import Alert, AlertState
from domain.directory import Directory
from domain.episode import Severity, SubjectKind
from domain.errors import PeerError

log = logging.getLogger(__name__)

_SHOWN_STATES = frozenset({AlertState.UNACKNOWLEDGED, AlertState.ACKNOWLEDGED})


@dataclass(frozen=True, slots=True)
class Shown:
    """One alert as mirrors show it."""

    reference: int
    rule: str
    title: str
    action: str
    severity: Severity
    state: AlertState
    subject: str
    equipment: str
    """Its name; empty where the subject is none."""
    facility: str
    facility_name: str
    country: str
    region: str
    district: str
    since: datetime
    acknowledged_by: str = ""


class Mirror(Protocol):
    """One place that shows alerts."""

    @property
    def name(self) -> str:
        """Return what it is called in the log and in metrics."""

    @property
    def repeat_real_seconds(self) -> float:
        """Return how often it wants to show a state that has not changed."""

    async def show(self, state: Sequence[Shown]) -> None:
        """Show exactly this; raises ``PeerError`` where the other side does not take it."""


def shown(alerts: Iterable[Alert], directory: Directory, rules: Mapping[str, RuleText]) -> tuple[Shown, ...]:
    """Return what mirrors show: what goes on and is not shelved, suppressed or out of service; in order of number."""
    live = (alert for alert in alerts if alert.state in _SHOWN_STATES and not alert.past and alert.ended_at is None)
    return tuple(_shown(alert, directory, rules) for alert in sorted(live, key=lambda alert: alert.id))


def _shown(alert: Alert, directory: Directory, rules: Mapping[str, RuleText]) -> Shown:
    text = rules.get(alert.rule, RuleText(alert.rule))
    place = directory.facilities.get(alert.facility)
    return Shown(
        reference=alert.id,
        rule=alert.rule,
        title=text.title,
        action=text.action,
        severity=alert.severity,
        state=alert.state,
        subject=alert.subject,
        equipment=_equipment(alert, directory),
        facility=alert.facility,
        facility_name=place.name if place else alert.facility,
        country=place.country if place else "",
        region=place.region if place else "",
        district=place.district if place else "",
        since=alert.started_at,
        acknowledged_by=alert.acknowledged_by,
    )


def _equipment(alert: Alert, directory: Directory) -> str:
    equipment = alert.subject
    if alert.subject_kind is SubjectKind.CHANNEL:
        channel = directory.channels.get(alert.subject)
        equipment = channel.equipment if channel else ""
    found = directory.equipment.get(equipment)
    return found.name if found else ""


class Mirrors:
    """Keeps mirrors up to date, each at its own pace, so that one that is away holds up no other."""

    def __init__(
        self,
        mirrors: Sequence[Mirror],
        look: Callable[[], Awaitable[Sequence[Shown]]],
        *,
        look_real_seconds: float = 2.0,
        retry_real_seconds: float = 5.0,
    ) -> None:
        """``look`` returns the state of this moment; ``show`` is repeated ``retry_real_seconds`` after a failure."""
        self._mirrors, self._look = tuple(mirrors), look
        self._look_seconds, self._retry_seconds = look_real_seconds, retry_real_seconds
        self._changed = {mirror.name: asyncio.Event() for mirror in mirrors}
        self._failing: dict[str, str] = {}

    def ring(self) -> None:
        """Say that something may have changed; without, the next look finds it."""
        for changed in self._changed.values():
            changed.set()

    @property
    def failing(self) -> Mapping[str, str]:
        """Why mirrors do not show the state at present, by name."""
        return dict(self._failing)

    async def run(self) -> None:
        """Follow the state until cancelled."""
        async with asyncio.TaskGroup() as lanes:
            for mirror in self._mirrors:
                lanes.create_task(self._follow(mirror), name=f"mirror {mirror.name}")

    async def _follow(self, mirror: Mirror) -> None:
        loop = asyncio.get_running_loop()
        last: Sequence[Shown] | None = None
        due = loop.time()
        while True:
            self._changed[mirror.name].clear()
            pause = self._look_seconds
            try:
                state = tuple(await self._look())
                if state != last or loop.time() >= due:
                    last = None
                    await mirror.show(state)
                    last, due = state, loop.time() + mirror.repeat_real_seconds
                if self._failing.pop(mirror.name, None):
                    log.info("mirror %s shows the state again", mirror.name)
            except PeerError as error:
                self._fail(mirror, str(error))
                pause = self._retry_seconds
            except Exception:
                # The database may be away, or we have a defect: the next look may succeed.
                log.exception("mirror %s could not be brought up to date", mirror.name)
                pause = self._retry_seconds
            await self._pause(mirror, pause)

    async def _pause(self, mirror: Mirror, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._changed[mirror.name].wait(), seconds)

    def _fail(self, mirror: Mirror, why: str) -> None:
        if self._failing.get(mirror.name) != why:
            log.warning("mirror %s does not show the state: %s", mirror.name, why)
        self._failing[mirror.name] = why

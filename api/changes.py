"""What changed since the last look: one event for each change, written once for all who listen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from pydantic import BaseModel

from api.services import Services, everywhere
from api.translate import Translator
from dashboards.pages.status import FacilityStatus
from domain.alert import Alert
from domain.instant import format_rfc3339

MOST_AT_ONCE = 64
"""A listener that is further behind is told to load everything again, and so is everybody when more happens at once."""
_AT_A_TIME = 2000
"""Facilities looked at before other requests get their turn; most are as they were."""


@dataclass(frozen=True, slots=True)
class Change:
    """One event for those who want it."""

    facility: str
    frame: bytes
    closely: bool = False
    """Only for listeners who watch this one facility: it happens with every reading."""
    to_all: bool = False
    """It is about no facility."""


@dataclass(slots=True)
class Seen:
    """What listeners know already."""

    nothing: bool = True
    """Before the first look."""
    statuses: Sequence[FacilityStatus] = ()
    open_alerts: Sequence[Alert] = ()
    facilities: dict[str, FacilityStatus] = field(default_factory=dict)
    alerts: dict[int, Alert] = field(default_factory=dict)

    def take(self, statuses: Sequence[FacilityStatus], open_alerts: Sequence[Alert]) -> None:
        """Know these from now on."""
        self.nothing = False
        if statuses is not self.statuses:
            self.statuses, self.facilities = statuses, {each.facility.id: each for each in statuses}
        if open_alerts is not self.open_alerts:
            self.open_alerts, self.alerts = open_alerts, {each.id: each for each in open_alerts}


def frame(name: str, data: BaseModel | str) -> bytes:
    """Return one server-sent event."""
    text = data if isinstance(data, str) else data.model_dump_json()
    return f"event: {name}\ndata: {text}\n\n".encode("utf-8", "replace")


RESET = Change("", frame("reset", "{}"), to_all=True)
"""Tells listeners to load everything again."""


async def look(services: Services, seen: Seen, watched: Callable[[str], bool] = everywhere) -> list[Change]:
    """Return what changed since ``seen``, which is brought up to date; the first look only takes in what is there.

    ``watched`` tells of which facilities somebody wants to know every reading.
    """
    statuses, open_alerts = services.statuses(), services.open_alerts()
    if seen.nothing:
        seen.take(statuses, open_alerts)
        return []
    changes: list[Change] = []
    translator = Translator(services, services.directory())
    if statuses is not seen.statuses:
        for number, status in enumerate(statuses):
            if number % _AT_A_TIME == _AT_A_TIME - 1:
                await asyncio.sleep(0)
            if seen.facilities.get(status.facility.id) is not status:
                changes.extend(_facility_changes(translator, status, seen, watched))
    if open_alerts is not seen.open_alerts:
        changes.extend(await _alert_changes(services, open_alerts, seen))
    seen.take(statuses, open_alerts)
    return changes


def _facility_changes(
    translator: Translator, status: FacilityStatus, seen: Seen, watched: Callable[[str], bool]
) -> Iterator[Change]:
    id_, known = status.facility.id, seen.facilities.get(status.facility.id)
    if known is None or _in_short(known) != _in_short(status):
        yield Change(id_, frame("facility", translator.facility(status)))
    if (known is None or known.last_heard_ms != status.last_heard_ms) and watched(id_):
        heard = "null" if status.last_heard_ms is None else f'"{format_rfc3339(status.last_heard_ms)}"'
        yield Change(id_, frame("heard", f'{{"last_heard":{heard}}}'), closely=True)


def _in_short(status: FacilityStatus) -> tuple[object, ...]:
    """Return what of a status is told when it changes; words that only grow older are not."""
    return (status.overall, tuple(each.status for each in status.services), status.open_alerts)


async def _alert_changes(services: Services, open_alerts: Sequence[Alert], seen: Seen) -> list[Change]:
    now_open = {alert.id: alert for alert in open_alerts}
    changed = [alert for alert in open_alerts if seen.alerts.get(alert.id) != alert]
    gone = seen.alerts.keys() - now_open.keys()
    if len(changed) + len(gone) > MOST_AT_ONCE:
        return [RESET]
    for number in gone:
        over = await services.alert(number)
        if over is not None:
            changed.append(over)
    translator = await Translator.of(services, changed)
    return [Change(alert.facility, frame("alert", translator.alert(alert))) for alert in changed]

"""How every facility is, kept up to date piece by piece: the board decides when to judge anew, never how.

Whoever owns one tells it what happened (readings came, alerts changed, the registry is another) and lets it do a
little at a time. A facility is judged anew when something about it changed or when its words would change by time
alone; a reading that says of a channel that all is still well moves only the moment at which its facility was heard.
"""

from __future__ import annotations

import dataclasses
import heapq
from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from dashboards.pages.status import (
    FacilityStatus,
    LatestReading,
    facility_status,
    worst_first,
)
from dashboards.pages.steady import holds_until_ms, is_well
from dashboards.pages.wording import DescribeAlert, plain_alert_text
from domain.alert import Alert
from domain.directory import Directory
from domain.places import Facility

HEARD_FOR_ONE_JUDGED = 5
"""To see that a facility is as well as it was costs a fraction of judging it."""

_Key = tuple[int, int, int, str, str]


@dataclass(slots=True)
class _Entry:
    """What is known of one facility."""

    status: FacilityStatus
    key: _Key
    well: frozenset[str]
    """Channels that say that all is well."""
    until_ms: int | None
    """When it is to be judged anew though nothing comes; None: never."""
    woken_ms: int | None
    """When the board looks whether that moment has come: at most too early."""


class Board:
    """Every facility's status, worst first; call it from one thread, except for ``statuses``."""

    def __init__(self, latest: LatestReading, describe: DescribeAlert = plain_alert_text) -> None:
        self._latest, self._describe = latest, describe
        self._directory = Directory()
        self._alerts: dict[str, tuple[Alert, ...]] = {}
        self._entries: dict[str, _Entry] = {}
        self._order: list[_Key] = []
        self._changed: dict[str, None] = {}
        """Facilities to be judged, in the order in which that was noted."""
        self._heard: dict[str, list[str]] = {}
        """Channels that were heard, by facility."""
        self._waiting: list[tuple[int, str]] = []
        """A heap of the moments at which facilities are looked at again."""
        self._now_ms = 0
        self._published: tuple[FacilityStatus, ...] = ()
        self._fresh = True

    @property
    def statuses(self) -> Sequence[FacilityStatus]:
        """Return the status of every facility as last published, worst first."""
        return self._published

    def note_directory(self, directory: Directory) -> None:
        """Take another registry: whatever is gone is gone at once, all else is judged anew, what is new first."""
        self._directory = directory
        for facility in self._entries.keys() - directory.facilities.keys():
            self._forget(facility)
        new = [each for each in directory.facilities if each not in self._entries]
        self._changed = dict.fromkeys([*new, *directory.facilities])
        self._heard.clear()

    def note_words(self) -> None:
        """Judge everything anew: rules have other words."""
        self._changed |= dict.fromkeys(self._directory.facilities)

    def note_alerts(self, open_alerts: Iterable[Alert]) -> None:
        """Take the alerts that are open now, newest first."""
        grouped: dict[str, list[Alert]] = {}
        for alert in open_alerts:
            grouped.setdefault(alert.facility, []).append(alert)
        before, self._alerts = self._alerts, {facility: tuple(alerts) for facility, alerts in grouped.items()}
        for facility in before.keys() | self._alerts.keys():
            if before.get(facility) != self._alerts.get(facility) and facility in self._directory.facilities:
                self._changed[facility] = None

    def note_heard(self, channels: Iterable[str]) -> None:
        """Take that the newest readings of these channels are others than before."""
        known, heard = self._directory.channels, self._heard
        for id_ in channels:
            channel = known.get(id_)
            if channel is not None and channel.facility in self._directory.facilities:
                heard.setdefault(channel.facility, []).append(id_)

    def bring_up(self, now_ms: int, at_most: int) -> bool:
        """Judge at most so many facilities; tell whether any are left to be judged."""
        self._note_time(now_ms)
        for _ in range(min(at_most * HEARD_FOR_ONE_JUDGED, len(self._heard))):
            facility, channels = self._heard.popitem()
            if facility not in self._changed and not self._is_as_well(facility, channels):
                self._changed[facility] = None
        for facility in tuple(islice(self._changed, at_most)):
            del self._changed[facility]
            self._judge(self._directory.facilities[facility])
        return bool(self._changed or self._heard)

    def publish(self) -> None:
        """Show what is known now."""
        if not self._fresh:
            self._published = tuple([self._entries[key[-1]].status for key in self._order])
            self._fresh = True

    def _note_time(self, now_ms: int) -> None:
        if now_ms < self._now_ms:  # the clock was set back: what was silent may be fresh again
            self._changed |= dict.fromkeys(self._directory.facilities)
        self._now_ms = now_ms
        while self._waiting and self._waiting[0][0] <= now_ms:
            woken_ms, facility = heapq.heappop(self._waiting)
            entry = self._entries.get(facility)
            if entry is None or entry.woken_ms != woken_ms:
                continue  # it was judged since, and waits for another moment
            entry.woken_ms = None
            if entry.until_ms is not None and entry.until_ms > now_ms:
                self._wake_at(entry, entry.until_ms)
            else:
                self._changed[facility] = None

    def _wake_at(self, entry: _Entry, moment_ms: int) -> None:
        """Look at a facility again at a moment, unless that happens sooner anyway."""
        if entry.woken_ms is None or moment_ms < entry.woken_ms:
            entry.woken_ms = moment_ms
            heapq.heappush(self._waiting, (moment_ms, entry.status.facility.id))

    def _is_as_well(self, facility: str, channels: Sequence[str]) -> bool:
        """Tell whether all that these channels change is when the facility was heard, which is noted."""
        entry = self._entries.get(facility)
        if entry is None or not entry.well.issuperset(channels):
            return False
        heard_ms = 0
        for id_ in channels:
            reading = self._latest(id_)
            if reading is None or not is_well(self._directory, self._directory.channels[id_], reading, self._now_ms):
                return False
            heard_ms = max(heard_ms, reading.received_at_ms)
        known_ms = entry.status.last_heard_ms
        if known_ms is None or heard_ms < known_ms:
            return False
        if heard_ms > known_ms:
            entry.status = dataclasses.replace(entry.status, last_heard_ms=heard_ms)
            self._fresh = False
        return True

    def _judge(self, facility: Facility) -> None:
        directory, latest, now_ms = self._directory, self._latest, self._now_ms
        channels, alerts = directory.channels_of(facility.id), self._alerts.get(facility.id, ())
        status = facility_status(facility, directory, latest, alerts, now_ms, self._describe)
        well = frozenset(each.id for each in channels if is_well(directory, each, latest(each.id), now_ms))
        until_ms = holds_until_ms(channels, latest, now_ms)
        known, key = self._entries.get(facility.id), worst_first(status)
        if known is None or known.status != status:
            self._fresh = False
        if known is None or known.key != key:
            self._forget(facility.id)
            insort(self._order, key)
        entry = _Entry(status, key, well, until_ms, None if known is None else known.woken_ms)
        self._entries[facility.id] = entry
        if until_ms is not None:
            self._wake_at(entry, until_ms)

    def _forget(self, facility: str) -> None:
        known = self._entries.pop(facility, None)
        if known is not None:
            del self._order[bisect_left(self._order, known.key)]
            self._fresh = False

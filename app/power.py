"""Whether a facility has power, and since when: the sentence that a technician needs beside every alarm."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from alerts.facts import Power
from dashboards.pages.status import silent_after_ms
from domain.directory import Directory
from domain.instant import to_datetime, to_ms
from domain.reading import Reading
from domain.supplies import ON, is_supply


class _Supply(NamedTuple):
    """What the newest reading of a supply said."""

    on: bool
    measured_at_ms: int


class PowerWatch:
    """Follows the supplies of every facility as readings come in."""

    def __init__(self, directory: Callable[[], Directory]) -> None:
        self._directory = directory
        self._seen: Directory | None = None
        self._facility_of: dict[str, str | None] = {}
        """By channel, found out when it is first heard; None: it tells of no power."""
        self._supplies: dict[str, dict[str, _Supply]] = {}
        self._known: dict[str, Power] = {}

    def update(self, readings: Sequence[Reading]) -> None:
        """Take readings in order of arrival; one that came late says nothing about now."""
        directory = self._directory()
        if directory is not self._seen:
            self._seen, self._facility_of = directory, {}
        facility_of = self._facility_of
        for channel, measured_at_ms, value, _, _ in readings:  # every reading of the country passes here
            try:
                facility = facility_of[channel]
            except KeyError:
                facility = facility_of[channel] = _told_of(directory, channel)
            if facility is not None and value is not None:
                self._note(facility, channel, _Supply(value >= ON, measured_at_ms))

    def of(self, facility: str) -> Power | None:
        """Return whether the facility has power from any supply; None where nothing tells."""
        return self._known.get(facility)

    def on_now(self, facility: str, now_ms: int) -> bool | None:
        """Return whether there is power by the supplies that speak of now: gone only where every one says so.

        None where nothing tells. A supply from which nothing ever came is not installed yet.
        """
        known = self._directory().channels
        said = [
            supply.on if now_ms - supply.measured_at_ms <= silent_after_ms(known[id_]) else None
            for id_, supply in self._supplies.get(facility, {}).items()
            if id_ in known
        ]
        if True in said:
            return True
        return False if said and None not in said else None

    def restore(self, latest: Mapping[str, Reading]) -> None:
        """Take up the newest stored readings; since when is not known from them."""
        self.update(sorted(latest.values(), key=lambda reading: reading.measured_at_ms))
        self._known = {facility: Power(power.on) for facility, power in self._known.items()}

    def _note(self, facility: str, channel: str, said: _Supply) -> None:
        supplies = self._supplies.setdefault(facility, {})
        newest = supplies.get(channel)
        if newest is not None and said.measured_at_ms < newest.measured_at_ms:
            if said.on != newest.on:
                self._doubt(facility, said.measured_at_ms)
            return
        supplies[channel] = said
        has_power = any(supply.on for supply in supplies.values())
        known = self._known.get(facility)
        if known is None or known.on != has_power:
            since = None if known is None else to_datetime(said.measured_at_ms)
            self._known[facility] = Power(has_power, since)

    def _doubt(self, facility: str, moment_ms: int) -> None:
        """Forget since when it is as it is: at this later moment a supply was otherwise."""
        known = self._known[facility]
        if known.since is not None and to_ms(known.since) < moment_ms:
            self._known[facility] = Power(known.on)


def _told_of(directory: Directory, id_: str) -> str | None:
    """Return of which facility's power a channel tells; None for one that tells of none."""
    channel = directory.channels.get(id_)
    return channel.facility if channel is not None and is_supply(directory, channel) else None

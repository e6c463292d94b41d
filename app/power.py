"""Whether a facility has power, and since when: the sentence that a technician needs beside every alarm."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from alerts.facts import Power
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
        self._supplies: dict[str, dict[str, _Supply]] = {}
        self._known: dict[str, Power] = {}

    def update(self, readings: Sequence[Reading]) -> None:
        """Take readings in order of arrival; one that came late says nothing about now."""
        directory = self._directory()
        for reading in readings:
            channel = directory.channels.get(reading.channel)
            if channel is None or reading.value is None or not is_supply(directory, channel):
                continue
            self._note(channel.facility, reading.channel, _Supply(reading.value >= ON, reading.measured_at_ms))

    def of(self, facility: str) -> Power | None:
        """Return whether the facility has power from any supply; None where nothing tells."""
        return self._known.get(facility)

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

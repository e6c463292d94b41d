"""Whether a facility has power, and since when: the sentence that a technician needs beside every alarm."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from alerts.facts import Power
from domain.directory import Directory
from domain.instant import to_datetime
from domain.places import EquipmentKind
from domain.reading import Reading


class PowerWatch:
    """Follows the supplies of every facility as readings come in."""

    def __init__(self, directory: Callable[[], Directory]) -> None:
        self._directory = directory
        self._on: dict[str, dict[str, bool]] = {}
        self._known: dict[str, Power] = {}
        self._since_ms: dict[str, int] = {}

    def update(self, readings: Sequence[Reading]) -> None:
        """Take readings in order of arrival; those older than the last change of their facility change nothing."""
        channels = self._directory().channels
        for reading in readings:
            channel = channels.get(reading.channel)
            if channel is None or reading.value is None or not self._is_supply(reading.channel):
                continue
            if reading.measured_at_ms >= self._since_ms.get(channel.facility, 0):
                self._note(channel.facility, reading.channel, reading.value >= 0.5, reading.measured_at_ms)

    def of(self, facility: str) -> Power | None:
        """Return whether the facility has power from any supply; None where nothing tells."""
        return self._known.get(facility)

    def restore(self, latest: Mapping[str, Reading]) -> None:
        """Take up the newest stored readings; since when is not known from them."""
        self.update(sorted(latest.values(), key=lambda reading: reading.measured_at_ms))
        self._known = {facility: Power(power.on) for facility, power in self._known.items()}

    def _is_supply(self, channel_id: str) -> bool:
        directory = self._directory()
        channel = directory.channels[channel_id]
        if channel.quantity.name == "supply":
            return True
        equipment = directory.equipment.get(channel.equipment)
        return (
            channel.quantity.name == "running" and equipment is not None and equipment.kind is EquipmentKind.GENERATOR
        )

    def _note(self, facility: str, channel: str, on: bool, moment_ms: int) -> None:
        supplies = self._on.setdefault(facility, {})
        supplies[channel] = on
        has_power = any(supplies.values())
        known = self._known.get(facility)
        if known is None or known.on != has_power:
            since = None if known is None else to_datetime(moment_ms)
            self._known[facility] = Power(has_power, since)
            self._since_ms[facility] = moment_ms

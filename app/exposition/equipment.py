"""What Prometheus is told of every channel, for as many as a setting allows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Final, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from api.exposition import END, Exposition
from app.exposition.text import Family, Kind, labels, written
from dashboards.figures.watched import is_probe
from dashboards.sla.live_range import TimeInRange
from domain.directory import Directory, once_per_directory
from domain.places import Channel, Facility
from domain.quantities import QUANTITIES, Quantity
from domain.reading import Reading


class MetricsSettings(BaseModel):
    """How much Prometheus is told."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    equipment_channels: int = Field(default=20_000, ge=0)
    """Of so many channels at most ``/metrics/equipment`` tells: of whole facilities, in the order of their ids."""


class _Told(NamedTuple):
    """How a quantity is told where its canonical unit is none of Prometheus' base units."""

    name: str
    scale: float


_TOLD: Final[Mapping[str, _Told]] = {
    "energy": _Told("energy_joules", 3600.0),
    "free_chlorine": _Told("free_chlorine_grams_per_litre", 0.001),
    # The word is kept for what histograms count.
    "queue_depth": _Told("queue_depth", 1.0),
}
LAST_READING: Final = Family(
    "vitals_equipment_last_reading_timestamp_seconds",
    Kind.GAUGE,
    "When the newest reading of the channel was measured; 0: never.",
)
IN_RANGE: Final = Family(
    "vitals_equipment_in_range_seconds",
    Kind.COUNTER,
    "Seconds within the limits since this process started, by live readings; from 0 after a restart.",
)
OBSERVED: Final = Family(
    "vitals_equipment_observed_seconds",
    Kind.COUNTER,
    "Seconds that live readings cover since this process started; from 0 after a restart.",
)
OMITTED: Final = Family(
    "vitals_equipment_channels_omitted", Kind.GAUGE, "Channels that are not told of here, for there are too many."
)


def family_of(quantity: Quantity) -> Family:
    """Return the family of the newest values of a quantity."""
    told = _TOLD.get(quantity.name)
    name = told.name if told else quantity.measurement
    values = ", ".join(f"{number} {word}" for number, word in enumerate(quantity.states))
    text = f"Newest usable value of the channel: {values}." if values else "Newest usable value of the channel."
    return Family(f"vitals_equipment_{name}", Kind.GAUGE, text)


FAMILIES: Final = (*map(family_of, QUANTITIES.values()), LAST_READING, IN_RANGE, OBSERVED, OMITTED)


class _Row(NamedTuple):
    channel: str
    text: str
    """Its labels, without braces."""


class _Chosen(NamedTuple):
    """What is told of, in text that changes only with the registry."""

    by_quantity: Mapping[str, Sequence[_Row]]
    rows: Sequence[_Row]
    probes: Sequence[_Row]
    omitted: int


class EquipmentText:
    """Writes the families of channels; remembers the text of their labels for as long as the registry is the same."""

    def __init__(
        self,
        directory: Callable[[], Directory],
        latest: Callable[[str], Reading | None],
        range_of: Callable[[str], TimeInRange],
        settings: MetricsSettings,
    ) -> None:
        self._directory, self._latest, self._range_of = directory, latest, range_of
        self._chosen = once_per_directory(partial(_choose, most=settings.equipment_channels))

    def render(self, form: Exposition) -> Iterator[str]:
        """Give the text in parts; they can be asked for in any thread."""
        chosen = self._chosen(self._directory())
        for quantity in QUANTITIES.values():
            if rows := chosen.by_quantity.get(quantity.name):
                yield from written(family_of(quantity), form, rows, partial(self._values, quantity=quantity))
        yield from written(LAST_READING, form, chosen.rows, self._moments)
        yield from written(IN_RANGE, form, chosen.probes, self._in_range)
        yield from written(OBSERVED, form, chosen.probes, self._observed)
        yield from written(OMITTED, form, [chosen.omitted], lambda found: [f"{OMITTED.sample} {found[0]}.0\n"])
        yield END[form]

    def _values(self, rows: Sequence[_Row], quantity: Quantity) -> list[str]:
        name, told = family_of(quantity).sample, _TOLD.get(quantity.name)
        scale = 1.0 if told is None else told.scale
        found = ((text, self._latest(channel)) for channel, text in rows)
        return [
            f"{name}{{{text}}} {reading.value * scale}\n"
            for text, reading in found
            if reading is not None and reading.value is not None and reading.quality.usable
        ]

    def _moments(self, rows: Sequence[_Row]) -> list[str]:
        found = ((text, self._latest(channel)) for channel, text in rows)
        return [
            f"{LAST_READING.sample}{{{text}}} {0.0 if reading is None else reading.measured_at_ms / 1000}\n"
            for text, reading in found
        ]

    def _in_range(self, rows: Sequence[_Row]) -> list[str]:
        return [f"{IN_RANGE.sample}{{{text}}} {self._range_of(channel).in_range_ms / 1000}\n" for channel, text in rows]

    def _observed(self, rows: Sequence[_Row]) -> list[str]:
        return [f"{OBSERVED.sample}{{{text}}} {self._range_of(channel).observed_ms / 1000}\n" for channel, text in rows]


def _choose(directory: Directory, most: int) -> _Chosen:
    by_quantity: defaultdict[str, list[_Row]] = defaultdict(list)
    rows: list[_Row] = []
    probes: list[_Row] = []
    for facility, channels in _whole_facilities(directory, most):
        place = labels(
            country=facility.country, district=facility.district, facility=facility.id, region=facility.region
        )
        for channel in channels:
            row = _Row(channel.id, f"{place},{_labels(directory, channel)}")
            rows.append(row)
            by_quantity[channel.quantity.name].append(row)
            if is_probe(channel, directory):
                probes.append(row)
    return _Chosen(dict(by_quantity), rows, probes, len(directory.channels) - len(rows))


def _whole_facilities(directory: Directory, most: int) -> Iterable[tuple[Facility, Sequence[Channel]]]:
    """Give facilities in the order of their ids, with their channels, up to the first that does not fit."""
    left = most
    for id_ in sorted(directory.facilities):
        channels = directory.channels_of(id_)
        left -= len(channels)
        if left < 0:
            return
        yield directory.facilities[id_], channels


def _labels(directory: Directory, channel: Channel) -> str:
    equipment = directory.equipment.get(channel.equipment)
    kind = "" if equipment is None else equipment.kind.value
    return labels(equipment=channel.equipment, kind=kind, channel=channel.id)

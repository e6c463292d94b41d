"""Readings and roll-ups as lines of CSV: which columns there are, and how a cell is written. Pure.

Figures are exact and in the canonical unit, which stands in the name of their column or, where a file holds several
quantities, in a column of its own. Names that people gave are text in every spreadsheet: none is taken for a formula.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from collector.journal.rollup import Rollup
from dashboards.pages.series import Resolution
from dashboards.pages.wording import zone
from domain.instant import format_rfc3339, to_datetime
from domain.places import Channel, Equipment, Facility
from domain.reading import Reading

_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_NAMES = ("facility", "equipment", "channel", "quantity", "unit")
_ROLLED_UP = ("readings", "covered_seconds", "judged_seconds", "below_seconds", "above_seconds")


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a file holds: the channel of one column of values, or many channels whose names stand in each line."""

    facility: Facility
    resolution: Resolution
    channel: Channel | None = None
    """None: several."""

    @property
    def header(self) -> tuple[str, ...]:
        """Return the names of the columns; seconds too cold stand under ``below_seconds``, too hot under ``above``."""
        names = _NAMES if self.channel is None else ()
        what = "value" if self.channel is None else self.channel.quantity.measurement
        local = f"_local ({self.facility.timezone})"
        if self.resolution is Resolution.RAW:
            return (*names, "time_utc", f"time{local}", what, "quality")
        figures = tuple(f"{which}_{what}" for which in ("lowest", "mean", "highest"))
        return (*names, "from_utc", "to_utc", f"from{local}", *figures, *_ROLLED_UP)

    def lines(
        self, channel: Channel, equipment: Equipment | None, found: Iterable[Reading | Rollup]
    ) -> Iterable[Sequence[object]]:
        """Yield the cells of each reading or roll-up of a channel."""
        quantity = channel.quantity
        names: tuple[str, ...] = ()
        if self.channel is None:
            item = equipment.name if equipment else channel.equipment
            named = (self.facility.name, item, channel.id, quantity.name, quantity.unit.name)
            names = tuple(map(plain_text, named))
        for each in found:
            yield (*names, *(self._reading(each) if isinstance(each, Reading) else self._rollup(each)))

    def _reading(self, reading: Reading) -> Sequence[object]:
        moment_ms = reading.measured_at_ms
        return (format_rfc3339(moment_ms), self._local(moment_ms), reading.value, reading.quality.label)

    def _rollup(self, rollup: Rollup) -> Sequence[object]:
        end_ms = rollup.start_ms + self.resolution.step_ms
        return (
            format_rfc3339(rollup.start_ms),
            format_rfc3339(end_ms),
            self._local(rollup.start_ms),
            rollup.minimum,
            rollup.mean,
            rollup.maximum,
            rollup.readings,
            rollup.covered_seconds,
            rollup.judged_seconds,
            rollup.below_seconds,
            rollup.above_seconds,
        )

    def _local(self, moment_ms: int) -> str:
        local = to_datetime(moment_ms).astimezone(zone(self.facility.timezone))
        return f"{local:%Y-%m-%d %H:%M:%S}"


def plain_text(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA_SIGNS) else text


def csv_text(lines: Iterable[Sequence[object]]) -> str:
    """Return lines as RFC 4180 writes them; None is an empty cell, a figure is written exactly."""
    buffer = io.StringIO()
    csv.writer(buffer).writerows(lines)
    return buffer.getvalue()

"""Recorded readings in CSV files: which column is what, in which zone the times are, and clear errors for bad rows."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from math import isfinite
from pathlib import Path
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from domain.errors import DocumentError, OperatorError, Problem
from domain.instant import to_ms
from domain.reading import Quality, Sample
from domain.senml_labels import ABSOLUTE_FROM_MS
from edge.drivers import ChannelName

Row = dict[str, str]


class CsvMapping(BaseModel):
    """How the rows of a recording become readings."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    time: str
    """The column with the time."""
    value: str
    """The column with the value."""
    channel: ChannelName | None = None
    """The channel of every row; or else ``channel_column``."""
    channel_column: str | None = None
    """The column that names each row's channel."""
    where: Mapping[str, str] = Field(default_factory=lambda: MappingProxyType({}))
    """Only rows with these texts in these columns are read."""
    time_format: str | None = None
    """As for ``strptime``; ISO 8601 without it."""
    zone: str = "UTC"
    """IANA name of the zone of times that name none."""
    unit: str | None = None
    """SenML unit symbol of the values; the canonical unit of the channel without it."""
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    missing: frozenset[str] = frozenset({"", "---", "unknown", "unavailable"})
    """Texts that stand for a value that was not measured."""

    @field_validator("zone")
    @classmethod
    def _is_a_zone(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"{zone!r} is not a time zone; write it as Asia/Kolkata or UTC") from error
        return zone

    @model_validator(mode="after")
    def _names_channels_once(self) -> CsvMapping:
        if (self.channel is None) == (self.channel_column is None):
            raise ValueError("write either channel: a name, or channel_column: the column that names it")
        return self


FORMATS: dict[str, CsvMapping] = {
    # A Q-tag's export is in device-local time; UTC unless the zone is given.
    "qtag": CsvMapping(time="time_local", value="temp_c", channel="temperature", unit="Cel"),
    "esmi": CsvMapping(time="time_local", value="v_avg", channel_column="station", zone="Asia/Kolkata", unit="V"),
}
"""Known recordings; each field can be given differently."""


def mapping_of(format: str | None = None, **fields: Any) -> CsvMapping:  # noqa: A002 - the word a person writes
    """Return the mapping of a known format with some fields given differently, or one given in full.

    A given channel takes the place of the format's channel column, and the other way round. Raises ``OperatorError``
    for an unknown format, and pydantic's ``ValidationError`` for fields that do not fit.
    """
    if format is not None and format not in FORMATS:
        raise OperatorError(f"found format {format!r}; allowed: {', '.join(FORMATS)}")
    known = {} if format is None else FORMATS[format].model_dump(exclude_unset=True)
    if "channel" in fields or "channel_column" in fields:
        known = {key: value for key, value in known.items() if key not in ("channel", "channel_column")}
    return CsvMapping.model_validate(known | fields)


def recognise(file: Path) -> str | None:
    """Return the name of the known format whose columns a file has; None for any other file.

    Raises ``OperatorError`` for a file that cannot be read.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            header = set(next(csv.reader(stream), []))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise _unreadable(file, error) from error
    for name, mapping in FORMATS.items():
        if {mapping.time, mapping.value, mapping.channel_column or mapping.time} <= header:
            return name
    return None


def replay_samples(files: Iterable[Path], mapping: CsvMapping) -> Iterator[Sample]:
    """Yield the readings of the files, in the order of their rows, with their original times.

    Raises ``OperatorError`` for a file that cannot be read and ``DocumentError`` with file, row and column for what
    cannot be understood in it.
    """
    for file in files:
        try:
            with file.open(encoding="utf-8-sig", newline="") as stream:
                yield from _Recording(file, stream, mapping).samples()
        except (OSError, UnicodeDecodeError) as error:
            raise _unreadable(file, error) from error


def _unreadable(file: Path, error: Exception) -> OperatorError:
    why = error.strerror if isinstance(error, OSError) else error
    return OperatorError(f"the recording {file} cannot be read: {why}")


class _Recording:
    def __init__(self, file: Path, stream: Iterable[str], mapping: CsvMapping) -> None:
        self._file = file
        self._mapping = mapping
        self._zone = ZoneInfo(mapping.zone)
        self._reader = csv.DictReader(stream, delimiter=mapping.delimiter, strict=True)

    def samples(self) -> Iterator[Sample]:
        self._check_header()
        where = self._mapping.where.items()
        rows = iter(self._reader)
        while True:
            try:
                row = next(rows, None)
            except csv.Error as error:
                raise self._refuse(self._mapping.time, str(error), "a row of CSV") from error
            if row is None:
                return
            if all(row[column] == text for column, text in where):
                yield self._sample(row)

    def _check_header(self) -> None:
        mapping = self._mapping
        wanted = [mapping.time, mapping.value, *mapping.where]
        wanted += [mapping.channel_column] if mapping.channel_column else []
        there = self._reader.fieldnames or ()
        problems = [
            Problem(str(self._file), 1, 1, column, "no such column", ", ".join(there) or "a header row")
            for column in wanted
            if column not in there
        ]
        if problems:
            raise DocumentError(problems)

    def _sample(self, row: Row) -> Sample:
        moment_ms = self._moment_ms(row)
        value = self._value(row)
        quality = Quality.GOOD if value is not None else Quality.SENSOR_GONE
        return Sample(self._channel(row), moment_ms, value, quality, self._mapping.unit)

    def _channel(self, row: Row) -> str:
        column = self._mapping.channel_column
        if column is None:
            return self._mapping.channel or ""
        if not row[column]:
            raise self._refuse(column, "nothing", "the name of a channel")
        return row[column]

    def _moment_ms(self, row: Row) -> int:
        text, time_format = row[self._mapping.time] or "", self._mapping.time_format
        try:
            moment = datetime.strptime(text, time_format) if time_format else datetime.fromisoformat(text)  # noqa: DTZ007 - the zone follows
            aware = moment if moment.tzinfo else moment.replace(tzinfo=self._zone)
            moment_ms = to_ms(aware)
        except (ValueError, OverflowError) as error:
            allowed = f"a time like {time_format}" if time_format else "a time like 2026-11-20 12:00:00"
            raise self._refuse(self._mapping.time, repr(text), allowed) from error
        if moment_ms < ABSOLUTE_FROM_MS:
            raise self._refuse(self._mapping.time, repr(text), "a time after 1978-07-04T21:24:16Z")
        return moment_ms

    def _value(self, row: Row) -> float | None:
        cell: str | None = row[self._mapping.value]
        if cell is None:
            raise self._refuse(self._mapping.value, "a row that ends before it", "a finite number")
        text = cell.strip()
        if text in self._mapping.missing:
            return None
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not isfinite(value):
            raise self._refuse(self._mapping.value, repr(text), "a finite number")
        return value

    def _refuse(self, column: str, found: str, allowed: str) -> DocumentError:
        number = list(self._reader.fieldnames or ()).index(column) + 1
        return DocumentError([Problem(str(self._file), self._reader.line_num, number, column, found, allowed)])

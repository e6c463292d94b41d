"""One Parquet file: readings sorted by channel and time, written whole or not at all."""

from __future__ import annotations

import os
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from collector.journal.errors import JournalDamaged, JournalFull, JournalUnwritable
from collector.journal.precedence import Row
from domain.errors import OperatorError

ROW_GROUP_READINGS = 50_000
"""A row group is what one question decodes: a few milliseconds."""
TEMPORARY = ".tmp"
_LEVEL = 9
_NO_ROOM = {28, 122}  # ENOSPC, EDQUOT


def arrow() -> Any:
    """Return pyarrow; raise ``OperatorError`` where it is not installed."""
    try:
        import pyarrow.compute
        import pyarrow.parquet
    except ImportError as error:
        raise OperatorError("archived months need pyarrow: pip install 'vitals[server,archive]'") from error
    return pyarrow


class PartWriter:
    """A file that appears under its name, complete and on the disk, at the end of ``with``; an error leaves nothing."""

    def __init__(self, path: Path) -> None:
        self._path, self._temporary = path, path.with_name(path.name + TEMPORARY)
        self._pa = arrow()
        self._rows: list[tuple[str, Sequence[Row]]] = []
        self._waiting = 0
        self.readings = 0

    def __enter__(self) -> Self:
        pa = self._pa
        self._schema = pa.schema(
            [
                ("channel", pa.string()),
                ("measured_at", pa.timestamp("ms", tz="UTC")),
                ("value", pa.float64()),
                ("quality", pa.int8()),
                ("delay_ms", pa.int64()),
            ]
        )
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = pa.parquet.ParquetWriter(
                self._temporary,
                self._schema,
                compression="zstd",
                compression_level=_LEVEL,
                use_dictionary=["channel", "value", "quality"],
                column_encoding={"measured_at": "DELTA_BINARY_PACKED", "delay_ms": "DELTA_BINARY_PACKED"},
            )
        except OSError as error:
            raise _ours(error, self._temporary) from error
        return self

    def add(self, channel: str, rows: Sequence[Row]) -> None:
        """Take a channel's rows in order of time; channels come in order."""
        if rows:
            self._rows.append((channel, rows))
            self._waiting += len(rows)
            self.readings += len(rows)
        if self._waiting >= ROW_GROUP_READINGS:
            self._write_group()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._write_group()
            self._writer.close()
            if kind is None:
                sync(self._temporary)
                self._temporary.replace(self._path)
                sync(self._path.parent)
                sync(self._path.parent.parent)
        except OSError as failed:
            raise _ours(failed, self._temporary) from failed
        finally:
            self._temporary.unlink(missing_ok=True)

    def _write_group(self) -> None:
        pa, rows = self._pa, [row for _, part in self._rows for row in part]
        if not rows:
            return
        moments, values, qualities, received = zip(*rows, strict=True)
        columns = [
            pa.array([channel for channel, part in self._rows for _ in part], pa.string()),
            pa.array(moments, pa.int64()).cast(self._schema.field("measured_at").type),
            pa.array(values, pa.float64()),
            pa.array(qualities, pa.int8()),
            pa.array([later - moment for later, moment in zip(received, moments, strict=True)], pa.int64()),
        ]
        try:
            self._writer.write_table(pa.table(columns, schema=self._schema), row_group_size=len(rows))
        except OSError as error:
            raise _ours(error, self._temporary) from error
        self._rows, self._waiting = [], 0


class PartFile:
    """A file opened for questions; belongs to one thread."""

    def __init__(self, path: Path) -> None:
        """Read its directory; raise ``JournalDamaged`` for what is no archive file, or not there any more."""
        pa = arrow()
        self._pc = pa.compute
        try:
            self._file = pa.parquet.ParquetFile(path, memory_map=True)
        except FileNotFoundError as error:
            raise JournalDamaged(f"the archive's file {path} is missing; put it back from a backup") from error
        except (pa.ArrowException, OSError) as error:
            raise JournalDamaged(f"{path} is not a file of the archive ({error}); put it back from a backup") from error
        self.readings: int = self._file.metadata.num_rows
        groups = [self._file.metadata.row_group(n).column(0).statistics for n in range(self._file.num_row_groups)]
        self._first, self._last = [group.min for group in groups], [group.max for group in groups]
        self._decoded: tuple[int, Any] | None = None

    def rows(self, channel: str, from_ms: int, to_ms: int) -> list[Row]:
        """Return a channel's rows in [from, to), in order of time."""
        found: list[Row] = []
        for group in range(bisect_left(self._last, channel), bisect_right(self._first, channel)):
            found += self._rows_of(group, channel)
        first, end = bisect_left(found, (from_ms,)), bisect_left(found, (to_ms,))
        return found[first:end]

    def channels(self) -> Iterator[str]:
        """Yield the channels in it, in order."""
        seen = None
        for group in range(len(self._first)):
            for name in self._pc.unique(self._file.read_row_group(group, columns=["channel"])["channel"]).to_pylist():
                if name != seen:
                    yield name
                seen = name

    def _rows_of(self, group: int, channel: str) -> list[Row]:
        if self._decoded is None or self._decoded[0] != group:
            self._decoded = group, self._file.read_row_group(group, use_threads=False)
        table = self._decoded[1]
        table = table.filter(self._pc.equal(table["channel"], channel))
        moments = _integers(table["measured_at"].cast("timestamp[ms]").cast("int64"))
        qualities = _integers(table["quality"].cast("int64"))
        delays = _integers(table["delay_ms"])
        received = [moment + delay for moment, delay in zip(moments, delays, strict=True)]
        return list(zip(moments, _reals(table["value"]), qualities, received, strict=True))


def sync(path: Path) -> None:
    """Have the disk keep a file, or the names in a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _integers(column: Any) -> list[int]:
    return _plain(column, "q")


def _reals(column: Any) -> list[float | None]:
    return column.to_pylist() if column.null_count else _plain(column, "d")


def _plain(column: Any, kind: str) -> list[Any]:
    """Return a column of eight-byte numbers without nulls; several times quicker than ``to_pylist``."""
    numbers = array(kind)
    for chunk in column.chunks:
        if len(chunk):
            numbers.frombytes(memoryview(chunk.buffers()[1])[chunk.offset * 8 : (chunk.offset + len(chunk)) * 8])
    return numbers.tolist()


def _ours(error: OSError, path: Path) -> OperatorError:
    if error.errno in _NO_ROOM:
        return JournalFull(f"no room left for {path} ({error.strerror})")
    return JournalUnwritable(f"cannot write {path} ({error})")

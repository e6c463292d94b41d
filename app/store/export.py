"""``vitals store export``: readings with their names, a file for each month, while the service runs."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from app.check import registered
from app.config import ServiceConfig
from app.store.names import COLUMNS, names_of
from collector.journal import Journal
from collector.journal.archive.parquet import arrow, sync
from collector.journal.archive.parts import month_end, month_start
from domain.directory import Directory
from domain.errors import OperatorError
from domain.instant import format_rfc3339, parse_rfc3339, to_datetime, to_ms
from domain.reading import Reading

Say = Callable[[str], None]
Row = dict[str, Any]
Take = Callable[[list[Row]], None]
FIELDS = ("measured_at", *COLUMNS, "value", "unit", "quality", "received_at")
_QUESTION_FILE = "export.json"
_CHANNELS_PER_LINE = 500


class Question(NamedTuple):
    """What is exported: readings measured in [from, to), of everything or of one facility, district or channel."""

    from_ms: int
    to_ms: int
    format: str
    facility: str | None = None
    district: str | None = None
    channel: str | None = None

    def selects(self, names: dict[str, str]) -> bool:
        """Tell whether a channel with these names is asked for."""
        wanted = {"facility": self.facility, "district": self.district, "channel": self.channel}
        return all(value is None or names[field] == value for field, value in wanted.items())


def moment(text: str) -> int:
    """Return the moment that a date or an RFC 3339 time names; raise ``OperatorError`` for another text."""
    try:
        return to_ms(parse_rfc3339(text if "T" in text else f"{text}T00:00:00Z"))
    except ValueError:
        raise OperatorError(f"found {text!r}; allowed: a time such as 2026-11-20 or 2026-11-20T12:00:00Z") from None


async def export(config: ServiceConfig, question: Question, folder: Path, *, say: Say) -> None:
    """Write a file a month into ``folder``; months that are there already are left, so that a second run goes on."""
    if question.from_ms >= question.to_ms:
        raise OperatorError("nothing lies between --from and --to: the first must be the earlier")
    directory = await registered(config)
    everything = sorted(names_of(directory), key=lambda names: names["channel"])
    chosen = [names for names in everything if question.selects(names)]
    if not chosen:
        raise OperatorError(f"no channel is registered that this selects; {_known(directory)}")
    _same_question(folder, question)
    async with Journal.open(config.data, read_only=True) as journal:
        for start, end in _months(question):
            path = folder / f"readings-{to_datetime(start):%Y-%m}.{question.format}"
            if path.exists():
                say(f"{path.name}: is there already")
                continue
            count = 0
            with _whole(path, question.format) as take:
                for number, names in enumerate(chosen):
                    if number and number % _CHANNELS_PER_LINE == 0:
                        say(f"{path.name}: {number:,} of {len(chosen):,} channels")
                    readings = await journal.series(names["channel"], start, end)
                    take([_row(names, reading) for reading in readings])
                    count += len(readings)
            say(f"{path.name}: {count:,} readings")


def _known(directory: Directory) -> str:
    districts = sorted({facility.district for facility in directory.facilities.values()})
    return f"there are the districts {', '.join(districts[:20])}" if districts else "the registry is empty"


def _months(question: Question) -> Iterator[tuple[int, int]]:
    start = question.from_ms
    while start < question.to_ms:
        end = min(month_end(month_start(start)), question.to_ms)
        yield start, end
        start = end


def _same_question(folder: Path, question: Question) -> None:
    """Remember what the folder's files answer; refuse to mix answers to two questions."""
    path, asked = folder / _QUESTION_FILE, question._asdict()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.write_text(json.dumps(asked), "utf-8")
        elif json.loads(path.read_text("utf-8")) != asked:
            raise OperatorError(f"{folder} holds the answer to another export; name a new folder with --out")
    except (OSError, ValueError) as error:
        raise OperatorError(f"{folder} cannot be used: {error}") from error


def _row(names: dict[str, str], reading: Reading) -> Row:
    return {
        **names,
        "measured_at": reading.measured_at_ms,
        "value": reading.value,
        "quality": reading.quality.label,
        "received_at": reading.received_at_ms,
    }


@contextmanager
def _whole(path: Path, format: str) -> Iterator[Take]:  # noqa: A002 -- the option's name
    """Give what takes rows; the file appears under its name when the block ends, and not at all when it fails."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        with _WRITERS[format](unfinished) as take:
            yield take
        sync(unfinished)
        unfinished.replace(path)
    except OSError as error:
        raise OperatorError(f"{path} cannot be written: {error}") from error
    finally:
        unfinished.unlink(missing_ok=True)


def _readable(row: Row) -> Row:
    times = {name: format_rfc3339(row[name]) for name in ("measured_at", "received_at")}
    return {field: times.get(field, row[field]) for field in FIELDS}


@contextmanager
def _csv(path: Path) -> Iterator[Take]:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, FIELDS)
        writer.writeheader()
        yield lambda rows: writer.writerows(map(_readable, rows))


@contextmanager
def _jsonl(path: Path) -> Iterator[Take]:
    with path.open("w", encoding="utf-8") as file:
        yield lambda rows: file.writelines(json.dumps(_readable(row), ensure_ascii=False) + "\n" for row in rows)


@contextmanager
def _parquet(path: Path) -> Iterator[Take]:
    pa = arrow()
    time = pa.timestamp("ms", tz="UTC")
    kinds = {"measured_at": time, "received_at": time, "value": pa.float64()}
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in FIELDS])
    with pa.parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        waiting: list[Row] = []

        def take(rows: list[Row]) -> None:
            waiting.extend(rows)
            if len(waiting) >= 50_000:
                flush()

        def flush() -> None:
            writer.write_table(pa.Table.from_pylist(waiting, schema=schema))
            waiting.clear()

        yield take
        flush()


_WRITERS: dict[str, Callable[[Path], AbstractContextManager[Take]]] = {
    "csv": _csv,
    "jsonl": _jsonl,
    "parquet": _parquet,
}

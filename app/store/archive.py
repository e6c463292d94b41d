"""``vitals store archive``: what the service does in the background, by hand while it is stopped."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from app.check import registered
from app.clock import SystemClock
from app.config import ServiceConfig
from app.store.names import write_names
from collector.journal import Journal, JournalLocked, Retention
from collector.journal.archive.parquet import arrow
from collector.journal.archive.parts import month_end
from collector.journal.archive.shelf import FOLDER
from domain.directory import Directory
from domain.errors import OperatorError
from domain.instant import MINUTE_MS, to_ms

Say = Callable[[str], None]


def parse_month(text: str) -> int:
    """Return the beginning of a month written as 2026-08; raise ``OperatorError`` for another text."""
    try:
        return to_ms(datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC))
    except ValueError:
        raise OperatorError(f"month: found {text!r}; allowed: a month such as 2026-08") from None


async def archive(config: ServiceConfig, month: str | None, *, say: Say) -> None:
    """Archive every month that is old enough, or one month that is over; raise ``OperatorError`` where that cannot be.

    Interrupted at any point it loses nothing, and the next run goes on.
    """
    arrow()
    now_ms = SystemClock().now_ms()
    month_ms = None if month is None else parse_month(month)
    if month_ms is not None and month_end(month_ms) > now_ms:
        raise OperatorError(f"month: found {month}, which is not over yet; allowed: a month that is (UTC)")
    directory = await registered(config)
    try:
        async with open_to_write(config, directory) as journal:
            say("sorting what was stored last ...")
            await journal.settle()
            await journal.archive(now_ms, month_ms=month_ms, say=say)
    except JournalLocked as locked:
        raise OperatorError(
            f"{locked}: while the service runs, it archives by itself where `journal: {{archive: {{}}}}` stands in its"
            " configuration; to archive by hand, stop it first"
        ) from locked
    write_names(config.data / FOLDER, directory)
    say("the archive is up to date")


def open_to_write(config: ServiceConfig, directory: Directory) -> Journal:
    """Return the service's journal with the registry's intervals and retention."""
    channels, retention = directory.channels, config.journal.retention
    intervals = {name: round(channel.interval.total_seconds() * 1000) for name, channel in channels.items()}
    return Journal.open(
        config.data,
        settings=config.journal,
        interval_of=lambda channel: intervals.get(channel, MINUTE_MS),
        retention_of=lambda channel: (
            retention.of(channels[channel].quantity.name) if channel in channels else Retention()
        ),
    )

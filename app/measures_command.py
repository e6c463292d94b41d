"""``vitals alerts measures``: how alerting did in a period, as tables that can be read or as JSON."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from alerts.measures.bands import Band
from alerts.measures.compute import TOO_MANY_A_DAY, Measures, PersonLoad, Spread
from alerts.measures.load import Load
from alerts.measures.reader import read_measures
from alerts.measures.rows import Period
from alerts.store import AlertStore
from api.measure_models import document_of
from app.config import ServiceConfig
from app.database import open_database
from domain.directory import misplaced
from domain.errors import OperatorError
from domain.instant import parse_rfc3339
from domain.places import Place
from registry.store import RegistryStore

USUAL = timedelta(days=30)
_MOST_LINES = 10


def period_of(start: str | None, end: str | None, now: datetime) -> Period:
    """Return the period that was asked for; raise ``OperatorError`` for what is no time."""
    to = now if end is None else _moment(end)
    return Period(to - USUAL if start is None else _moment(start), to)


def _moment(text: str) -> datetime:
    try:
        moment = parse_rfc3339(f"{text}T00:00:00Z" if len(text) == len("2026-11-01") else text)
    except (ValueError, OverflowError):
        raise OperatorError(f"{text!r} is no time; allowed: 2026-11-01 or 2026-11-01T06:00:00Z") from None
    if not 1970 <= moment.year < 2200:
        raise OperatorError(f"{text!r} is out of reach; allowed: the years 1970 to 2199")
    return moment


async def tell_measures(
    config: ServiceConfig, period: Period, place: Place, *, as_json: bool, say: Callable[[str], None]
) -> None:
    """Say the measures; raise ``OperatorError`` for a place where nothing is registered."""
    async with open_database(config.database_url) as database:
        registry = RegistryStore(database)
        await registry.create_tables()
        await AlertStore(database).create_tables()
        directory = await registry.load_directory()
        if sentence := misplaced(place, directory):
            raise OperatorError(sentence)
        found = await read_measures(database, period, place, directory)
    say(document_of(found).model_dump_json(indent=2, by_alias=True) if as_json else "\n".join(lines_of(found)))


def lines_of(found: Measures) -> list[str]:
    """Return the measures as lines that a person reads."""
    lines = [f"From {found.period.from_:%Y-%m-%d %H:%M} to {found.period.to:%Y-%m-%d %H:%M} UTC", ""]
    lines.append(f"{found.raised} alerts: {found.told} told, {found.quiet} quiet, {found.past} by late data only")
    lines.append(f"answered: {_times(found.acknowledge)}; {found.unanswered} unanswered")
    lines.append(f"restored: {_times(found.restore)}; {found.ongoing} not over")
    lines.append(f"escalated: {found.escalated} ({found.escalated_share:.1%} of those told)")
    closed = ", ".join(f"{number} {reason or 'no reason'}" for reason, number in found.closings.items()) or "none"
    lines.append(f"closed with a reason: {closed}; {found.doses_affected} doses affected")
    lines += _districts(found.districts)
    rules = [
        (each.rule, str(each.alarms), str(each.unanswered), duration(each.median)) for each in found.rules[:_MOST_LINES]
    ]
    lines += _table("Rules with most alarms", ("rule", "alarms", "unanswered", "median length"), rules)
    lines += _people(found.people)
    channels = [
        (each.channel, str(each.settled), str(each.undeliverable), f"{each.share:.1%}") for each in found.channels
    ]
    return lines + _table("Channels", ("channel", "messages", "undeliverable", "share"), channels)


def _people(loads: Sequence[PersonLoad]) -> list[str]:
    rows = [
        (
            load.contact,
            f"{load.per_week:.1f}",
            f"{load.per_day:.1f}",
            str(load.waiting),
            str(load.failed),
            f"more than {TOO_MANY_A_DAY:g} a day" if load.too_many else "",
        )
        for load in loads[:_MOST_LINES]
    ]
    return _table("People with most messages", ("person", "a week", "a day", "waiting", "failed", ""), rows)


def _districts(loads: Sequence[Load]) -> list[str]:
    rows = [
        (
            ", ".join(filter(None, reversed(load.district))) or "not registered any more",
            str(load.alarms),
            f"{load.per_ten_minutes:.2f}",
            str(load.most_in_ten_minutes),
            f"{load.busy_hours:.1%}",
            f"{load.in_flood:.1%}",
            str(load.chattering),
            str(load.stale),
            f"{load.top_ten:.0%}",
            "/".join(f"{share:.0%}" for share in load.priorities.values()),
            _remarks(load),
        )
        for load in loads[:_MOST_LINES]
    ]
    head = ("district", "alarms", "in 10 min", "most", "busy hours", "in flood", "chattering", "stale", "top ten")
    title = "Districts with most alarms, by the bands of ISA-18.2, which are made for 30 days or more"
    return _table(title, (*head, "info/warning/critical", ""), rows)


def _remarks(load: Load) -> str:
    """Return what is not acceptable; a rate has a word of its own."""
    bands = {
        "most in 10 min": load.most_in_ten_minutes_band,
        "busy hours": load.busy_hours_band,
        "flood": load.in_flood_band,
        "chattering": load.chattering_band,
        "stale": load.stale_band,
        "top ten": load.top_ten_band,
        "severities": load.priorities_band,
    }
    above = [name for name, band in bands.items() if band is Band.ABOVE_TARGET]
    said = [f"rate {load.rate}", *([f"above target: {', '.join(above)}"] if above else [])]
    return "; ".join(said)


def _table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    if not rows:
        return []
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    cells = [[cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in (head, *rows)]
    return ["", title, *("  " + "  ".join(row).rstrip() for row in cells)]


def _times(spread: Spread) -> str:
    if not spread.number:
        return "none"
    return f"{spread.number}, half within {duration(spread.median)}, nine of ten within {duration(spread.p90)}"


def duration(length: timedelta | None) -> str:
    """Return a length as people say it: 45 s, 5 min, 3 h 20 min, 2 d 4 h."""
    if length is None:
        return "-"
    seconds = round(length.total_seconds())
    if seconds < 60:
        return f"{seconds} s"
    minutes = seconds // 60
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"

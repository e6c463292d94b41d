"""The kinds of field in what registry documents say of people: what each accepts, and what it answers to the rest."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta
from typing import Annotated, Any, Final, cast
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, PlainValidator

from domain.episode import Severity
from domain.instant import format_duration, parse_duration
from domain.suggest import allowed_words

LONGEST_WAIT: Final = timedelta(days=7)
SHORTEST_REPEAT: Final = timedelta(minutes=1)
LEVELS: Final = ("facility", "district", "region", "country")
WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TIME_OF_DAY = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_MEDIUM = re.compile(r"[a-z][a-z0-9_]{0,31}")
_NAMED = re.compile(r"(contact|team|roster):[a-z0-9][a-z0-9._-]{0,63}")


def _time_of_day(written: Any) -> time:
    if not isinstance(written, str) or not _TIME_OF_DAY.fullmatch(written):
        raise ValueError("a time of day from 00:00 to 23:59, such as 06:30")
    return time.fromisoformat(written)


def _moment(written: Any) -> datetime:
    expected = "a day such as 2026-11-02, with a time 2026-11-02T08:00, by the roster's clock; or 2026-11-02T05:00:00Z"
    try:
        moment = datetime.fromisoformat(written)
    except (TypeError, ValueError):
        raise ValueError(expected) from None
    if not 1970 < moment.year < 9000:
        raise ValueError(expected)
    return moment.replace(microsecond=0)


def _weekday(written: Any) -> int:
    if written not in WEEKDAYS:
        raise ValueError(allowed_words(str(written), WEEKDAYS))
    return WEEKDAYS.index(cast("str", written))


def _severity(written: Any) -> Severity:
    labels = {severity.label: severity for severity in Severity}
    if not isinstance(written, str) or written not in labels:
        raise ValueError(allowed_words(str(written), labels))
    return labels[written]


def _wait(written: Any) -> timedelta:
    if not isinstance(written, str):
        raise ValueError("a duration with its unit, such as 15min or 1h")  # noqa: TRY004 - pydantic collects these
    wait = parse_duration(written)
    if wait > LONGEST_WAIT or wait % timedelta(seconds=1):
        raise ValueError(f"whole seconds up to {format_duration(LONGEST_WAIT)}, such as 15min")
    return wait


def _pause(written: Any) -> timedelta:
    pause = _wait(written)
    if pause < SHORTEST_REPEAT:
        raise ValueError(f"{format_duration(SHORTEST_REPEAT)} to {format_duration(LONGEST_WAIT)}")
    return pause


def _medium(written: str) -> str:
    if not _MEDIUM.fullmatch(written):
        raise ValueError("a medium or channel in small letters, such as sms, email or sms_modem")
    return written


def _named(written: str) -> str:
    if written not in LEVELS and not _NAMED.fullmatch(written):
        raise ValueError(f"contact:ID, team:ID, roster:ID or one of {', '.join(LEVELS)}")
    return written


def at_zone(moment: datetime, timezone: str) -> datetime:
    """Return the moment that a clock in the zone shows, where the text named no zone of its own."""
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=ZoneInfo(timezone))


TimeOfDay = Annotated[time, PlainValidator(_time_of_day)]
Moment = Annotated[datetime, PlainValidator(_moment)]
Weekday = Annotated[int, PlainValidator(_weekday)]
SeverityName = Annotated[Severity, PlainValidator(_severity)]
Wait = Annotated[timedelta, PlainValidator(_wait)]
Pause = Annotated[timedelta, PlainValidator(_pause)]
Medium = Annotated[str, AfterValidator(_medium)]
Named = Annotated[str, AfterValidator(_named)]

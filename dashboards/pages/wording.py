"""How pages say things: values, ages, local times, the words for states, and what to do about an alert."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from babel.numbers import format_decimal

from dashboards.pages.names import KIND_NAMES, QUANTITY_NAMES, STATE_NAMES
from dashboards.pages.words import Words, noop
from domain.alert import Alert, AlertState
from domain.episode import Severity
from domain.instant import DAY_MS, HOUR_MS, MINUTE_MS, to_datetime
from domain.places import EquipmentKind, Service
from domain.quantities import Quantity

SERVICE_WORDS = {
    Service.POWER: noop("Power"),
    Service.COLD_CHAIN: noop("Cold chain"),
    Service.WATER: noop("Water"),
    Service.MONITORING: noop("Monitoring"),
}

SEVERITY_WORDS = {
    Severity.INFO: noop("For information"),
    Severity.WARNING: noop("Warning"),
    Severity.CRITICAL: noop("Critical"),
}

STATE_WORDS = {
    AlertState.NORMAL: noop("Over"),
    AlertState.UNACKNOWLEDGED: noop("Nobody has answered"),
    AlertState.ACKNOWLEDGED: noop("Being handled"),
    AlertState.RETURNED_UNACKNOWLEDGED: noop("Back to normal, nobody has answered"),
    AlertState.SHELVED: noop("Put aside for now"),
    AlertState.SUPPRESSED: noop("Explained by another alert"),
    AlertState.OUT_OF_SERVICE: noop("Equipment out of service"),
}

_ADVICE = {
    Service.COLD_CHAIN: noop(
        "Keep the door closed and look for the cause. If it lasts, move the vaccines to a working "
        "fridge or a cold box with conditioned ice packs, and check their vial monitors before use."
    ),
    Service.POWER: noop(
        "Find out whether the grid, the breaker or the wiring failed. Start the backup supply if there is "
        "one, and keep fridges closed until power is back."
    ),
    Service.WATER: noop(
        "Check tank, pump and taps for a leak or a dry run. Store water for care and hand washing now."
    ),
    Service.MONITORING: noop(
        "The facility cannot be seen. Call it: ask for power, the gateway's lights and the network."
    ),
}


@dataclass(frozen=True, slots=True)
class AlertText:
    """What the rule behind an alert says in words, for people."""

    title: str
    """What is wrong, in a few words: ``Too warm``."""
    advice: str = ""
    """What to do; empty means the general advice for the service."""
    phrase: str = ""
    """What follows the worst value: ``above 8.0 °C for 10 h``."""


DescribeAlert = Callable[[Alert, Words], AlertText]


def plain_alert_text(alert: Alert, words: Words) -> AlertText:
    """Return the text of an alert whose rule has no words of its own: the rule's name, readable."""
    name = alert.rule.replace("_", " ").replace("-", " ").strip() or words("alert")
    return AlertText(name[:1].upper() + name[1:])


def advice_for(service: Service, words: Words) -> str:
    """Return the general advice for an alert of this service."""
    return words(_ADVICE[service])


def kind_word(kind: EquipmentKind, words: Words) -> str:
    """Return the kind of equipment as a person writes it: ``Cold room``."""
    return words(KIND_NAMES[kind])


def quantity_word(name: str, words: Words) -> str:
    """Return a quantity's name as a person writes it: ``Tank level``."""
    return words(QUANTITY_NAMES[name])


def number_text(number: float, decimals: int = 0, *, words: Words) -> str:
    """Return a number with as many decimals, as those write it who read it: ``9.4``, ``9,4``."""
    return _decimal(number, decimals, words.locale)


@lru_cache(maxsize=8192)
def _decimal(number: float, decimals: int, locale: str) -> str:
    """Return a number as it is written somewhere; a page of charts has hundreds, and sensors repeat themselves."""
    # Digits are 0 to 9 everywhere, as on the displays of fridges and meters.
    pattern = "#,##0." + "0" * decimals if decimals else "#,##0"
    return format_decimal(number, pattern, locale=locale, numbering_system="latn")


def value_text(quantity: Quantity, value: float | None, words: Words) -> str:
    """Return a value with its unit: ``9.4 °C``, ``82 %``, ``on``."""
    if value is None:
        return words("no value")
    if quantity.states:
        names, index = STATE_NAMES[quantity.name], round(value)
        return words(names[index]) if 0 <= index < len(names) else str(index)
    shown = (value - quantity.shown_as.offset) / quantity.shown_as.scale
    return words.isolated(f"{number_text(shown, quantity.decimals, words=words)} {quantity.shown_as.text}".rstrip())


def duration_text(duration_ms: int, words: Words) -> str:
    """Return a duration as finely as a person wants it: ``35 min``, ``2 h 10 min``, ``14 h``, ``3 d``."""
    if duration_ms < MINUTE_MS:
        return words("under 1 min")
    hours, minutes = divmod(duration_ms // MINUTE_MS, 60)
    if duration_ms < 10 * HOUR_MS:
        return _hours_and_minutes(hours, minutes, words)
    if duration_ms < 2 * DAY_MS:
        return _hours(hours, words)
    return words.many("{count} d", "{count} d", duration_ms // DAY_MS)


def duration_step_ms(duration_ms: int) -> int:
    """Return by how much such a duration has to grow, at most, until ``duration_text`` says something else."""
    if duration_ms < 10 * HOUR_MS:
        return MINUTE_MS
    return HOUR_MS if duration_ms < 2 * DAY_MS else DAY_MS


def exact_duration_text(duration: timedelta, words: Words) -> str:
    """Return hours and minutes, for totals that are added up: ``3 h 12 min``."""
    return _hours_and_minutes(*divmod(round(duration.total_seconds() / 60), 60), words)


def _hours_and_minutes(hours: int, minutes: int, words: Words) -> str:
    if not hours:
        return _minutes(minutes, words)
    if not minutes:
        return _hours(hours, words)
    return words("{hours} {minutes}", hours=_hours(hours, words), minutes=_minutes(minutes, words))


def _hours(count: int, words: Words) -> str:
    return words.many("{count} h", "{count} h", count)


def _minutes(count: int, words: Words) -> str:
    return words.many("{count} min", "{count} min", count)


def ago_text(moment_ms: int | None, now_ms: int, words: Words) -> str:
    """Return how long ago a moment was: ``3 h ago``, ``just now``, ``never``."""
    if moment_ms is None:
        return words("never")
    if now_ms - moment_ms < MINUTE_MS:
        return words("just now")
    return words("{duration} ago", duration=duration_text(now_ms - moment_ms, words))


@lru_cache(maxsize=512)
def zone(name: str) -> tzinfo:
    """Return the time zone of an IANA name, or UTC where the machine does not know it."""
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):  # unknown, empty, a folder, or not a legal name
        return UTC


@dataclass(frozen=True, slots=True)
class LocalTime:
    """A moment as a facility's wall clock shows it, with the exact moment for machines."""

    text: str
    """``Fri 20 Nov 14:05``; the year is written where it is not this one."""
    iso: str
    zone: str
    """``EAT`` or ``+03``."""


def day_text(moment_ms: int, words: Words) -> str:
    """Return the day of a moment, in UTC: ``Thu 19 Nov``."""
    return format_datetime(to_datetime(moment_ms).replace(tzinfo=None), "EEE d MMM", locale=words.locale)


def local_time(moment: datetime | int, zone_name: str, now_ms: int, words: Words) -> LocalTime:
    """Return a moment in the facility's own time; ``now_ms`` decides whether the year is written."""
    aware = to_datetime(moment) if isinstance(moment, int) else moment
    local = aware.astimezone(zone(zone_name))
    this_year = to_datetime(now_ms).astimezone(zone(zone_name)).year
    pattern = "EEE d MMM HH:mm" if local.year == this_year else "EEE d MMM y HH:mm"
    iso = aware.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    # Babel would put a moment without a zone into UTC: the wall clock's figures are what is to be written.
    text = format_datetime(local.replace(tzinfo=None), pattern, locale=words.locale)
    return LocalTime(text, iso, local.tzname() or "UTC")

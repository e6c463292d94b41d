"""How pages say things: ages, local times, the words for states, and what to do about an alert."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from domain.alert import Alert, AlertState
from domain.episode import Severity
from domain.instant import DAY_MS, HOUR_MS, MINUTE_MS, to_datetime
from domain.places import EquipmentKind, Service

SERVICE_WORDS = {
    Service.POWER: "Power",
    Service.COLD_CHAIN: "Cold chain",
    Service.WATER: "Water",
    Service.MONITORING: "Monitoring",
}

SEVERITY_WORDS = {Severity.INFO: "For information", Severity.WARNING: "Warning", Severity.CRITICAL: "Critical"}

STATE_WORDS = {
    AlertState.NORMAL: "Over",
    AlertState.UNACKNOWLEDGED: "Nobody has answered",
    AlertState.ACKNOWLEDGED: "Being handled",
    AlertState.RETURNED_UNACKNOWLEDGED: "Back to normal, nobody has answered",
    AlertState.SHELVED: "Put aside for now",
    AlertState.SUPPRESSED: "Explained by another alert",
    AlertState.OUT_OF_SERVICE: "Equipment out of service",
}

_ADVICE = {
    Service.COLD_CHAIN: "Keep the door closed and look for the cause. If it lasts, move the vaccines to a working "
    "fridge or a cold box with conditioned ice packs, and check their vial monitors before use.",
    Service.POWER: "Find out whether the grid, the breaker or the wiring failed. Start the backup supply if there is "
    "one, and keep fridges closed until power is back.",
    Service.WATER: "Check tank, pump and taps for a leak or a dry run. Store water for care and hand washing now.",
    Service.MONITORING: "The facility cannot be seen. Call it: ask for power, the gateway's lights and the network.",
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


DescribeAlert = Callable[[Alert], AlertText]


def plain_alert_text(alert: Alert) -> AlertText:
    """Return the text of an alert whose rule has no words of its own: the rule's name, readable."""
    name = alert.rule.replace("_", " ").replace("-", " ").strip() or "alert"
    return AlertText(name[:1].upper() + name[1:])


def advice_for(service: Service) -> str:
    """Return the general advice for an alert of this service."""
    return _ADVICE[service]


def kind_word(kind: EquipmentKind) -> str:
    """Return the kind of equipment as a person writes it: ``Cold room``."""
    return kind.value.replace("_", " ").capitalize()


def quantity_word(name: str) -> str:
    """Return a quantity's name as a person writes it: ``Tank level``."""
    return name.replace("_", " ").capitalize()


def duration_text(duration_ms: int) -> str:
    """Return a duration as finely as a person wants it: ``35 min``, ``2 h 10 min``, ``14 h``, ``3 d``."""
    if duration_ms < MINUTE_MS:
        return "under 1 min"
    hours, minutes = divmod(duration_ms // MINUTE_MS, 60)
    if duration_ms < 10 * HOUR_MS:
        return " ".join(text for text, there in ((f"{hours} h", hours), (f"{minutes} min", minutes)) if there)
    if duration_ms < 2 * DAY_MS:
        return f"{hours} h"
    return f"{duration_ms // DAY_MS} d"


def exact_duration_text(duration: timedelta) -> str:
    """Return hours and minutes, for totals that are added up: ``3 h 12 min``."""
    minutes = round(duration.total_seconds() / 60)
    hours, minutes = divmod(minutes, 60)
    if not hours:
        return f"{minutes} min"
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def ago_text(moment_ms: int | None, now_ms: int) -> str:
    """Return how long ago a moment was: ``3 h ago``, ``just now``, ``never``."""
    if moment_ms is None:
        return "never"
    if now_ms - moment_ms < MINUTE_MS:
        return "just now"
    return f"{duration_text(now_ms - moment_ms)} ago"


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


def local_time(moment: datetime | int, zone_name: str, now_ms: int) -> LocalTime:
    """Return a moment in the facility's own time; ``now_ms`` decides whether the year is written."""
    aware = to_datetime(moment) if isinstance(moment, int) else moment
    local = aware.astimezone(zone(zone_name))
    this_year = to_datetime(now_ms).astimezone(zone(zone_name)).year
    pattern = "%a %-d %b %H:%M" if local.year == this_year else "%a %-d %b %Y %H:%M"
    iso = aware.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return LocalTime(local.strftime(pattern), iso, local.tzname() or "UTC")

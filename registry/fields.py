"""The kinds of field in registry documents: what each accepts, and what it answers to anything else."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from functools import cache
from typing import Annotated, Any, Final
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field, PlainValidator

from domain.instant import format_duration, parse_duration
from domain.places import EquipmentKind
from domain.quantities import QUANTITIES, Quantity
from domain.senml_labels import NAME
from domain.suggest import allowed_words
from domain.topics import NODE_NAME
from domain.units import UNITS, Unit

MAX_NAME_CHARACTERS: Final = 1000
SHORTEST_INTERVAL: Final = timedelta(seconds=1)
LONGEST_INTERVAL: Final = timedelta(days=7)
NO_LIMIT: Final = "none"
"""Written in the place of a limit that is said elsewhere of more than this, and not to hold here."""
_OLDEST_YEAR: Final = 1900
_MILLISECOND = timedelta(milliseconds=1)
_ADDRESS = re.compile(r"([A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\]):(?P<port>[0-9]{1,5})")
_NUMBER_WITH_UNIT = re.compile(r"\s*([-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?)\s*(\S.*?)?\s*")


def _matching(pattern: str, description: str) -> AfterValidator:
    compiled = re.compile(pattern)

    def check(text: str) -> str:
        if not compiled.fullmatch(text):
            raise ValueError(description)
        return text

    return AfterValidator(check)


def _storable(text: str) -> str:
    """Refuse the two things that no SQL database keeps in a text."""
    if "\0" in text or (not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text)):
        raise ValueError("text without NUL characters and lone surrogates")
    return text


def _timezone(name: str) -> str:
    zones = _timezones()
    if name not in zones:
        raise ValueError(f"an IANA time zone such as Africa/Kampala: {allowed_words(name, sorted(zones))}")
    return name


@cache
def _timezones() -> frozenset[str]:
    return frozenset(available_timezones())


def _one_of(allowed: Callable[[], list[str]]) -> AfterValidator:
    def check(word: str) -> str:
        if word not in allowed():
            raise ValueError(allowed_words(word, allowed()))
        return word

    return AfterValidator(check)


def _day(written: Any) -> date:
    try:
        day = written if type(written) is date else date.fromisoformat(written)
    except (TypeError, ValueError):
        raise ValueError("a day such as 2024-05-31") from None
    if day.year < _OLDEST_YEAR:
        raise ValueError(f"a day in {_OLDEST_YEAR} or later")
    return day


def _host_and_port(text: str) -> str:
    found = _ADDRESS.fullmatch(text)
    if text and (found is None or not 0 < int(found["port"]) < 65_536):
        raise ValueError("a host and a port such as 10.8.0.7:9100")
    return text


def _interval(written: Any) -> timedelta:
    if not isinstance(written, str):
        raise ValueError("a duration with its unit, such as 45s, 10min or 1h")  # noqa: TRY004 - pydantic collects these
    interval = parse_duration(written) // _MILLISECOND * _MILLISECOND  # the stores keep no finer times
    if not SHORTEST_INTERVAL <= interval <= LONGEST_INTERVAL:
        raise ValueError(f"{format_duration(SHORTEST_INTERVAL)} to {format_duration(LONGEST_INTERVAL)}")
    return interval


def _limit(written: Any) -> float | str:
    if isinstance(written, bool) or not isinstance(written, int | float | str):
        raise ValueError("a number, a text of a number and its unit, or none")  # noqa: TRY004 - pydantic collects these
    return written if isinstance(written, str) else float(written)


Id = Annotated[
    str,
    Field(max_length=64),
    _matching(r"[a-z0-9][a-z0-9._-]*", "small letters, digits, '.', '_', '-', starting with a letter or digit"),
]
Name = Annotated[str, Field(min_length=1, max_length=MAX_NAME_CHARACTERS), AfterValidator(_storable)]
Text = Annotated[str, Field(max_length=MAX_NAME_CHARACTERS), AfterValidator(_storable)]
PqsCode = Annotated[str, _matching(r"([A-Z][0-9]{3}/[0-9]{1,4}(-[0-9A-Z]{1,4})?)?", "a WHO PQS code such as E003/045")]
Day = Annotated[date, PlainValidator(_day)]
"""Written as ``2024-05-31``."""
TimeZone = Annotated[str, AfterValidator(_timezone)]
Latitude = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
Longitude = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
Kind = Annotated[str, _one_of(lambda: [kind.value for kind in EquipmentKind])]
QuantityName = Annotated[str, _one_of(lambda: list(QUANTITIES))]
Interval = Annotated[timedelta, PlainValidator(_interval)]
"""Written as ``10min``."""
NodeId = Annotated[str, _matching(NODE_NAME, "up to 64 letters, digits, '.', '_', '-', as in the node's topic")]
HostAndPort = Annotated[str, Field(max_length=260), AfterValidator(_host_and_port)]
"""Written as ``10.8.0.7:9100``; empty for none."""
SensorName = Annotated[
    str,
    Field(max_length=200),
    _matching(NAME, "letters, digits and - : . / _ (as SenML names are), such as fridge-1/t"),
]
LimitName = Annotated[str, _matching(r"[a-z][a-z0-9_]{0,63}", "a small word such as low or high")]
LimitValue = Annotated[float | str, PlainValidator(_limit)]
"""A number in the quantity's canonical unit, a text with a unit: ``46 °F``, or ``none``: no such limit."""
Language = Annotated[str, _matching(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*", "a language code such as en or fr-CD")]
Email = Annotated[str, Field(max_length=254), _matching(r"([^@\s]+@[^@\s]+)?", "an address such as amina@example.org")]
Phone = Annotated[str, _matching(r"(\+[1-9][0-9]{6,14})?", "the international form, such as +256700000001")]


def limit_value(quantity: Quantity, written: float | str) -> float | None:
    """Return a limit in the quantity's canonical unit, None where it is taken away.

    Raises ``ValueError`` saying which values are allowed.
    """
    if written == NO_LIMIT:
        return None
    value = written if isinstance(written, float) else _converted(quantity, written)
    if not quantity.lowest <= value <= quantity.highest:
        unit = quantity.unit.text or quantity.unit.name
        raise ValueError(f"{quantity.lowest:g} to {quantity.highest:g} {unit}, or a number with its unit")
    return value


def _converted(quantity: Quantity, text: str) -> float:
    units = {word: unit for unit in UNITS.values() if unit.canonical == quantity.unit.name for word in _words(unit)}
    match = _NUMBER_WITH_UNIT.fullmatch(text)
    unit = units.get(match[2] or quantity.unit.name) if match else None
    if not match or unit is None:
        raise ValueError(f"a number, alone ({quantity.unit.name}) or with one of {', '.join(units)}; or {NO_LIMIT}")
    return unit.to_canonical(float(match[1]))


def _words(unit: Unit) -> list[str]:
    """Return how people may write a unit: as they read it, as it stands on the wire, by its name."""
    return [word for word in dict.fromkeys((unit.text, unit.symbol, unit.name)) if word]

"""What JSON of unknown makers has in common: numbers as text, words for states, missing probes, times without zones."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from datetime import datetime, tzinfo
from typing import Any, NamedTuple

from domain.instant import to_ms
from domain.reading import Quality, Sample
from domain.rejection import PayloadError, Reason

_DEEPEST = 8
_FIRST_CREDIBLE_YEAR = 2010
_WORDS = {"on": 1.0, "off": 0.0, "true": 1.0, "false": 0.0, "open": 1.0, "close": 0.0, "closed": 0.0}
_NOTHING = frozenset({"", "nan", "null", "none", "unknown", "unavailable"})
_MISSING_PROBE = frozenset({-127.0, -196.6, 43530.0})
"""What firmware says where a temperature probe is missing: -127 °C, the same in °F, and the unsigned form of a code."""


class Meaning(NamedTuple):
    """What a number is: its SenML unit after it was multiplied with ``scale``."""

    unit: str | None = None
    scale: float = 1.0


PLAIN = Meaning()
HECTOPASCALS = Meaning("Pa", 100.0)
_TEMPERATURES = frozenset({"Cel", "degF"})


class Moment(NamedTuple):
    """When something was measured, and whether a device's clock was believed."""

    at_ms: int
    quality: Quality = Quality.GOOD


def read_object(payload: bytes) -> dict[str, Any]:
    """Return the JSON object that the payload is; raise ``PayloadError`` for anything else."""
    try:
        found = json.loads(payload)
    except RecursionError:
        raise PayloadError(Reason.TOO_DEEP, "found JSON of countless levels") from None
    except ValueError as error:
        raise PayloadError(Reason.MALFORMED, f"found no JSON: {str(error)[:100]}; allowed: a JSON object") from None
    if not isinstance(found, dict):
        raise PayloadError(Reason.MALFORMED, f"found {type(found).__name__}; allowed: a JSON object")
    return found


def number(found: object) -> float | None:
    """Return what is a finite number, or a text of one, or a word for on or off; else None."""
    if isinstance(found, str):
        word = found.strip().lower()
        if word in _WORDS:
            return _WORDS[word]
        if "_" in word:  # Python would read 1_000 as a number
            return None
    elif not isinstance(found, int | float):
        return None
    try:
        value = float(found)
    except (ValueError, OverflowError):
        return None
    return value if math.isfinite(value) else None


def says_something(found: object) -> bool:
    """Tell whether this is a measurement or the lack of one, and not a text of another kind."""
    if isinstance(found, str):
        return found.strip().lower() in _NOTHING or number(found) is not None
    return found is None or isinstance(found, int | float)


def sample(name: str, moment: Moment, found: object, meaning: Meaning = PLAIN) -> Sample:
    """Return a sample of what was found; without a value where it says that the probe is missing, or is no number."""
    value = number(found)
    if value is None:
        missing = found is None or (isinstance(found, str) and found.strip().lower() in _NOTHING)
        return Sample(name, moment.at_ms, None, Quality.SENSOR_GONE if missing else Quality.BAD_VALUE, meaning.unit)
    if meaning.unit in _TEMPERATURES and value in _MISSING_PROBE:
        return without_value(name, moment, Quality.SENSOR_GONE, meaning.unit)
    scaled = value * meaning.scale
    if not math.isfinite(scaled):
        return without_value(name, moment, Quality.BAD_VALUE, meaning.unit)
    return Sample(name, moment.at_ms, scaled, moment.quality, meaning.unit)


def without_value(name: str, moment: Moment, quality: Quality, unit: str | None = None) -> Sample:
    """Return a sample that says why there is no value."""
    return Sample(name, moment.at_ms, None, quality, unit)


def leaves(found: dict[str, Any], *, above: str = "", depth: int = 0) -> Iterator[tuple[str, object]]:
    """Yield (path, value) of everything in an object that is no object or list; items of lists count from 0."""
    if depth > _DEEPEST:
        raise PayloadError(Reason.TOO_DEEP, f"found more than {_DEEPEST} levels")
    for key, value in found.items():
        path = f"{above}{key}"
        if isinstance(value, list):
            value = {str(place): item for place, item in enumerate(value)}
        if isinstance(value, dict):
            yield from leaves(value, above=f"{path}/", depth=depth + 1)
        else:
            yield path, value


def field_of(path: str) -> str:
    """Return the last level of a path that is no mere number: what ``ENERGY/Power/1`` measures is ``Power``."""
    levels = path.split("/")
    return next((level for level in reversed(levels) if not level.isdigit()), levels[-1])


def moment_of(text: object, received_at_ms: int, zone: tzinfo | None) -> Moment:
    """Return when an ISO 8601 text says it was; the arrival where it says nothing that can be believed.

    A clock that has not been set yet (before 2010) makes the sample uncertain.
    """
    try:
        said = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        said = None
    if said is None:
        return Moment(received_at_ms)
    if said.year < _FIRST_CREDIBLE_YEAR:
        return Moment(received_at_ms, Quality.UNCERTAIN)
    if said.tzinfo is None:
        if zone is None:
            return Moment(received_at_ms)
        said = said.replace(tzinfo=zone)
    return Moment(to_ms(said))


def moment_of_epoch(found: object, received_at_ms: int, *, per_second: int) -> Moment:
    """Return when a count since 1970 says it was (``per_second`` 1 or 1000), as ``moment_of`` does for a text."""
    count = number(found) if isinstance(found, int | float) and not isinstance(found, bool) else None
    if count is None or abs(count) > 1e15:
        return Moment(received_at_ms)
    at_ms = round(count * (1000 // per_second))
    if at_ms < _CREDIBLE_FROM_MS:
        return Moment(received_at_ms, Quality.UNCERTAIN)
    return Moment(at_ms)


_CREDIBLE_FROM_MS = 1_262_304_000_000  # 2010-01-01

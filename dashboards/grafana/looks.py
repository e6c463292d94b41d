"""Units, colours and words of values: all from the tables that rules and pages read too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from dashboards.pages.status import Status
from dashboards.pages.wording import SEVERITY_WORDS, STATE_WORDS
from domain.episode import Severity
from domain.quantities import Quantity

GOOD, ODD, BAD, NEUTRAL, UNKNOWN = "green", "orange", "red", "text", "blue"
"""Grafana's own names: they are legible in its light and its dark theme."""
STATUS_COLORS = {
    Status.CRITICAL: BAD,
    Status.SILENT: UNKNOWN,
    Status.WARNING: ODD,
    Status.OK: GOOD,
    Status.NOT_MONITORED: NEUTRAL,
}
_SEVERITY_COLORS = {Severity.CRITICAL: BAD, Severity.WARNING: ODD, Severity.INFO: UNKNOWN}
# Units that Grafana writes well by itself; all others stand behind the number as a person reads them.
_UNITS = {
    "celsius": "celsius", "volts": "volt", "amperes": "amp", "watts": "watt", "watt_hours": "watth", "hertz": "hertz",
    "ratio": "percentunit", "litres": "litre", "seconds": "s", "bytes": "decbytes", "pascals": "pressurepa",
    "decibel_milliwatts": "dBm",
}  # fmt: skip

Step = tuple[float | None, str]
"""A threshold: from this value on (None: from the least) this colour."""


class Look(NamedTuple):
    """How a value is shown."""

    unit: str = "none"
    decimals: int | None = None
    steps: Sequence[Step] = ((None, NEUTRAL),)
    mappings: Sequence[Mapping[str, Any]] = ()
    colored: bool = False
    """Whether a cell of a table takes the colour."""


PLAIN = Look()


def look_of(quantity: Quantity, limits: Mapping[str, float] | None = None) -> Look:
    """Return how a quantity is shown: in its unit, with its decimals, red beyond its limits, in its words."""
    if quantity.states:
        return Look("none", 0, mappings=(words_of(quantity),), colored=True)
    unit = _UNITS.get(quantity.unit.name, f"suffix: {quantity.unit.text}")
    return Look(unit, quantity.decimals, limit_steps(limits or {}), colored=bool(limits))


def limit_steps(limits: Mapping[str, float]) -> Sequence[Step]:
    """Return what is red below and above."""
    low, high = limits.get("low"), limits.get("high")
    steps: list[Step] = [(None, BAD if low is not None else GOOD)]
    if low is not None:
        steps.append((low, GOOD))
    if high is not None:
        steps.append((high, BAD))
    return steps


def words_of(quantity: Quantity) -> Mapping[str, Any]:
    """Return the words of a state; green where all is well, red where it is not, neither where none is better."""
    normal, values = quantity.normal_state, range(len(quantity.states))
    if normal is None:
        colors = [UNKNOWN if value else NEUTRAL for value in values]
    else:
        colors = [GOOD if value == normal else BAD for value in values]
    return said({value: (quantity.states[value], colors[value]) for value in values})


def said(words: Mapping[int | str, tuple[str, str]]) -> Mapping[str, Any]:
    """Return a mapping from values to words and colours."""
    options = {
        str(value): {"text": word, "color": color, "index": place}
        for place, (value, (word, color)) in enumerate(words.items())
    }
    return {"type": "value", "options": options}


STATUS = Look(
    mappings=[said({status.rank: (status.word, STATUS_COLORS[status]) for status in Status})], decimals=0, colored=True
)
"""The status of a facility, by rank."""
WORKS = Look(mappings=[said({0: ("no", BAD), 1: ("yes", GOOD)})], decimals=0, colored=True)
"""Whether something works."""
SEVERITY = Look(
    mappings=[said({each.label: (SEVERITY_WORDS[each], color) for each, color in _SEVERITY_COLORS.items()})],
    colored=True,
)
ALERT_STATE = Look(mappings=[said({state.value: (word, NEUTRAL) for state, word in STATE_WORDS.items()})])
NUMBER = Look("short", 0)
TROUBLES = Look("short", 0, ((None, GOOD), (1, BAD)), colored=True)
"""How many need something: none is good."""
DURATION = Look("s", 0)
MEMORABLE = Look("dateTimeAsIso")


def share(*, odd: float | None = None, good: float | None = None, decimals: int = 1) -> Look:
    """Return the look of a share of 1, red below ``odd``, orange below ``good``; plain without them."""
    if odd is None or good is None:
        return Look("percentunit", decimals)
    return Look("percentunit", decimals, ((None, BAD), (odd, ODD), (good, GOOD)), colored=True)


def late(seconds: float) -> Look:
    """Return the look of an age: red from so many seconds on."""
    return Look("s", 0, ((None, GOOD), (seconds, BAD)), colored=True)

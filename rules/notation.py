"""The short notation for a series of readings: ``5x3 8+0.5x10 _ sensor_gone 7.2?``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from domain.reading import QUALITY_BY_LABEL, Quality

_NUMBER = r"[0-9]+(?:\.[0-9]+)?"
_WORD = re.compile(rf"(?P<first>-?{_NUMBER}|[a-z_]+)(?P<step>[+-]{_NUMBER})?(?P<doubt>\?)?(?:x(?P<times>[1-9][0-9]*))?")
_ALLOWED = "VALUE, VALUExTIMES, VALUE+STEPxTIMES, VALUE?, sensor_gone, bad_value, bus_error or _ (each with xTIMES)"


class Point(NamedTuple):
    """One place of a series: what the sensor said."""

    value: float | None
    quality: Quality


def parse_series(text: str, states: Sequence[str] = ()) -> list[Point | None]:
    """Return one point per interval, None where no reading was taken; raise ``ValueError`` naming the wrong word.

    ``states``: words of the quantity, each standing for its place in the list, as ``on`` and ``off`` do for a supply.
    """
    words = _NO_VALUE | {state: Point(float(code), Quality.GOOD) for code, state in enumerate(states)}
    return [point for word in str(text).split() for point in _points(word, words)]


def _points(word: str, words: Mapping[str, Point | None]) -> Iterator[Point | None]:
    match = _WORD.fullmatch(word)
    if match is None or (match["step"] and not match["times"]):
        raise _refusal(word, words)
    first, times = match["first"], int(match["times"] or 1)
    if first[-1].isdigit():
        yield from _values(Decimal(first), Decimal(match["step"] or 0), times, doubtful=bool(match["doubt"]))
    elif match["step"] or match["doubt"] or first not in words:
        raise _refusal(word, words)
    else:
        yield from [words[first]] * times


def _values(first: Decimal, step: Decimal, times: int, *, doubtful: bool) -> Iterator[Point]:
    quality = Quality.UNCERTAIN if doubtful else Quality.GOOD
    for index in range(times):
        # Decimals, so that the third value of 5+0.1x3 is the 5.2 that a person would write.
        yield Point(float(first + step * index), quality)


def _refusal(word: str, words: Mapping[str, Point | None]) -> ValueError:
    states = "".join(f"{name}, " for name in words if name not in _NO_VALUE)
    return ValueError(f"{word!r}; allowed: {states}{_ALLOWED}")


_NO_VALUE: dict[str, Point | None] = {
    "_": None,
    **{label: Point(None, quality) for label, quality in QUALITY_BY_LABEL.items() if not quality.usable},
}

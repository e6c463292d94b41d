"""When a record of cold-chain equipment was made, also where its logger has no clock."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from collector.foreign.values import Moment
from domain.instant import to_ms

_DURATION = re.compile(r"P(?:(\d{1,6})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,9}(?:\.\d{1,9})?)S)?)?")
_SECONDS = (86_400.0, 3_600.0, 60.0, 1.0)
_UNKNOWN = Moment(0)
"""1970: validation refuses it, so that the record is kept for inspection and the others pass."""


class Timekeeper:
    """Dates the records of one report.

    A record has its own ``ABST``, or ``RELT``, the time since its logger started. Then the report's pair of both tells
    when that was: absolute = report ``ABST`` - (report ``RELT`` - record ``RELT``). A report with a ``RELT`` alone was
    made as it arrived.
    """

    def __init__(self, report: Mapping[str, Any], received_at_ms: int) -> None:
        made_at_ms, relative = absolute_ms(report.get("ABST")), relative_ms(report.get("RELT"))
        self._started_at_ms = None
        if relative is not None:
            self._started_at_ms = (received_at_ms if made_at_ms is None else made_at_ms) - relative

    def moment(self, record: Mapping[str, Any]) -> Moment:
        """Return when the record was made; 1970 where nobody knows."""
        at_ms, relative = absolute_ms(record.get("ABST")), relative_ms(record.get("RELT"))
        if at_ms is not None:
            return Moment(at_ms)
        if relative is not None and self._started_at_ms is not None:
            return Moment(self._started_at_ms + relative)
        return _UNKNOWN


def absolute_ms(text: object) -> int | None:
    """Return the moment of ``20240103T163228Z`` (or another ISO 8601 form; UTC where no zone stands), else None."""
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    if moment is None:
        return None
    return to_ms(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def relative_ms(text: object) -> int | None:
    """Return the milliseconds of a duration such as ``P3DT12H5M32S``, else None."""
    found = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if found is None or not any(found.groups()):
        return None
    return round(sum(float(part or 0) * size for part, size in zip(found.groups(), _SECONDS, strict=True)) * 1000)

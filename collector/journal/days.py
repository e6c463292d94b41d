"""Stored days of many channels at once, and which of them changed: what figures of places are made from.

As they are stored: what is not settled yet is not in them. For days that are over that is a matter of minutes, and
computing it anew for a nation would take longer than waiting for it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from collector.journal.packed import fetch
from collector.journal.reader import Reader
from domain.channel_day import ChannelDay

_COLUMNS = "sid, start, readings, total, minimum, maximum, covered, judged, below, above"
_OF_SERIES = """
    FROM json_each(?1) AS wanted CROSS JOIN rollup_day
    ON sid = wanted.value AND start >= ?2 AND start < ?3 AND (readings > 0 OR covered > 0)
"""
_CHANGED = """
    SELECT DISTINCT sid FROM rollup_day WHERE changed > ?1 AND changed > 0 AND start >= ?2 AND start < ?3
"""


def days(reader: Reader, channels: Iterable[str], from_ms: int, to_ms: int) -> list[ChannelDay]:
    """Return the stored days of these channels that begin in [from, to), in any order."""
    names = {sid: channel for channel in channels if (sid := reader.sid(channel)) is not None}
    rows = fetch(reader.connection, _COLUMNS, _OF_SERIES, (json.dumps(list(names)), from_ms, to_ms))
    return [
        ChannelDay(names[sid], start, readings, total / readings if readings else None, lowest, highest, *spent)
        for sid, start, readings, total, lowest, highest, *spent in rows
    ]


def channels_changed(reader: Reader, position: int, from_ms: int, to_ms: int) -> tuple[int, frozenset[str]]:
    """Return the position of the last change, and whose days in [from, to) changed after a position."""
    names, changed = reader.channels(), reader.connection.execute(_CHANGED, (position, from_ms, to_ms))
    return reader.rollup_changes(), frozenset(names[sid] for (sid,) in changed)

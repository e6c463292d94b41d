"""Stored hours of many places at once, in short: what the small drawings of a list are made from.

As they are stored: what is not settled yet is not in them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from collector.journal.packed import fetch
from collector.journal.reader import Reader
from domain.place_hour import HourQuestion, PlaceHour

# SQLite adds up, with the interpreter's lock given up: a row comes out for each place and hour, not for each channel.
_IN_SHORT = """
    FROM (
        SELECT json_extract(value, '$[0]') AS place, start, max(covered > 0) AS known,
        max(below > 0 OR above > 0 OR (json_extract(value, '$[2]') AND coalesce(minimum < 1, 0))) AS troubled
        FROM json_each(?1) CROSS JOIN rollup_hour
        ON sid = json_extract(value, '$[1]') AND start >= ?2 AND start < ?3
        GROUP BY place, start
    )
"""


def hours_in_short(reader: Reader, questions: Mapping[str, HourQuestion], from_ms: int, to_ms: int) -> list[PlaceHour]:
    """Return the stored hours of places that begin in [from, to), in any order."""
    places = list(questions)
    wanted = [
        (number, sid, is_supply)
        for number, place in enumerate(places)
        for channels, is_supply in ((questions[place].limited, 0), (questions[place].supplies, 1))
        for channel in channels
        if (sid := reader.sid(channel)) is not None
    ]
    rows = fetch(reader.connection, "place, start, known, troubled", _IN_SHORT, (json.dumps(wanted), from_ms, to_ms))
    return [PlaceHour(places[number], start, bool(known), bool(troubled)) for number, start, known, troubled in rows]

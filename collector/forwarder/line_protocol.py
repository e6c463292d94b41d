r"""InfluxDB line protocol: readings and alert events as lines, with every name escaped. Pure.

The protocol cannot hold every name: a tag has no way to write a control character or to end with a backslash (it
would escape the separator behind it), and a line cannot start with ``#``. A backslash before a comma, space or equals
sign can be written, but InfluxDB 1.x finds the line's end in another place than the tag's (seen with 1.6.7: ``\ \="``
swallows the lines behind it). A visible stand-in takes the place of such a character: a symbol for the control
character, the full-width backslash or number sign.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple

from domain.alert import Alert
from domain.directory import Directory
from domain.instant import to_ms
from domain.places import Channel, Facility
from domain.reading import Quality, Reading

ALERT_EVENTS = "alert_events"

_PICTURES = {code: 0x2400 + code for code in range(0x20)} | {0x7F: 0x2421}
"""Unicode's pictures of control characters: a line feed becomes U+240A."""
_C1_CONTROLS = dict.fromkeys(range(0x80, 0xA0), 0xFFFD)
_LONE_SURROGATES = re.compile("[\ud800-\udfff]")
_DELICATE_BACKSLASHES = re.compile(r"\\+(?=[,= ]|\Z)")
_FULL_WIDTH_BACKSLASH = "＼"
_FULL_WIDTH_NUMBER_SIGN = "＃"

_IN_NAMES = str.maketrans({**_PICTURES, **_C1_CONTROLS})
_IN_STRINGS = str.maketrans({**{code: sign for code, sign in _PICTURES.items() if code not in b"\t\n"}, **_C1_CONTROLS})
_MEASUREMENT = str.maketrans({",": r"\,", " ": r"\ "})
_TAG = str.maketrans({",": r"\,", " ": r"\ ", "=": r"\="})
_STRING = str.maketrans({'"': r"\"", "\\": r"\\"})


class Unwritable(StrEnum):
    """Why a reading has no line."""

    UNKNOWN_CHANNEL = "unknown_channel"
    """The channel is registered no more, so nobody can say what was measured where."""
    NO_VALUE = "no_value"
    """Good quality without a finite value."""


class UnwritableReading(NamedTuple):
    """A reading that cannot be told in line protocol, and why."""

    reading: Reading
    reason: Unwritable


class Lines(NamedTuple):
    """What readings become: lines in the order of the readings, and those that have none."""

    lines: list[str]
    unwritable: list[UnwritableReading]


def measurement_text(name: str) -> str:
    """Return a measurement as the server keeps it, with stand-ins for what a line cannot hold."""
    safe = _safe_name(name)
    return _FULL_WIDTH_NUMBER_SIGN + safe[1:] if safe.startswith("#") else safe


def tag_text(text: str) -> str:
    """Return a tag's key or value as the server keeps it, with stand-ins for what a line cannot hold."""
    return _safe_name(text)


def escape_measurement(name: str) -> str:
    """Return the measurement as it stands in a line; an empty one raises ``ValueError``."""
    return _not_empty(measurement_text(name)).translate(_MEASUREMENT)


def escape_tag(text: str) -> str:
    """Return a tag's key or value as it stands in a line; an empty one raises ``ValueError``."""
    return _not_empty(tag_text(text)).translate(_TAG)


def string_field(text: str) -> str:
    """Return the text as a quoted string field; tabs and line feeds are kept."""
    return f'"{_encodable(text).translate(_IN_STRINGS).translate(_STRING)}"'


def series(measurement: str, tags: Mapping[str, str]) -> str:
    """Return measurement and tags as they start a line; tags sorted by key, those without a value left out.

    Sorted, because the server would sort them before it looks the series up.
    """
    written = [f",{escape_tag(key)}={escape_tag(value)}" for key, value in sorted(tags.items()) if value]
    return escape_measurement(measurement) + "".join(written)


class SeriesPrefixes:
    """The start of every channel's line, escaped once for as long as one directory is valid."""

    def __init__(self, directory: Directory, suffix: str = "") -> None:
        """``suffix`` stands behind the name of every measurement."""
        self.directory, self._suffix = directory, suffix
        self._prefixes: dict[str, str] = {}

    def of(self, channel_id: str) -> str | None:
        """Return the series of a channel with the space behind it, or None for an unknown channel."""
        prefix = self._prefixes.get(channel_id)
        if prefix is None and (channel := self.directory.channels.get(channel_id)) is not None:
            prefix = self._prefixes[channel_id] = f"{channel_series(channel, self.directory, self._suffix)} "
        return prefix

    def lines(self, readings: Iterable[Reading]) -> Lines:
        """Return the readings as lines (time in milliseconds), without line ends."""
        lines: list[str] = []
        unwritable: list[UnwritableReading] = []
        append, prefix_of, isfinite = lines.append, self._prefixes.get, math.isfinite
        for reading in readings:
            channel, measured_at_ms, value, quality, _ = reading
            prefix = prefix_of(channel) or self.of(channel)
            # The straight way for nearly all readings; everything else takes the careful one.
            if prefix is not None and value is not None and not quality and isfinite(value):
                append(f"{prefix}value={value + 0.0!r} {measured_at_ms}")
            elif prefix is None:
                unwritable.append(UnwritableReading(reading, Unwritable.UNKNOWN_CHANNEL))
            elif fields := _fields(value, quality):
                append(f"{prefix}{fields} {measured_at_ms}")
            else:
                unwritable.append(UnwritableReading(reading, Unwritable.NO_VALUE))
        return Lines(lines, unwritable)

    def good(self, reading: Reading) -> list[str]:
        """Return the line that says of a good reading that it is good, for where something else was written before."""
        prefix = self.of(reading.channel)
        if prefix is None or reading.quality is not Quality.GOOD:
            return []
        return [f"{prefix}quality={string_field(Quality.GOOD.label)} {reading.measured_at_ms}"]


def channel_series(channel: Channel, directory: Directory, suffix: str = "") -> str:
    """Return measurement and tags of a channel; places and equipment that are not registered are left out."""
    equipment = directory.equipment.get(channel.equipment)
    place = directory.facilities.get(channel.facility)
    tags = {
        **(_place_tags(place) if place else {"facility": channel.facility}),
        "equipment": channel.equipment,
        "kind": equipment.kind.value if equipment else "",
        "channel": channel.id,
        "node": channel.node,
    }
    return series(f"{channel.quantity.measurement}{suffix}", tags)


def alert_event_line(alert: Alert, facility: Facility, *, text: str, at_ms: int) -> str:
    """Return the line that tells one change of an alert's state, for annotations and tables.

    ``at_ms`` is the moment of the change. The subject is a tag too: without it, two fridges whose alarms change in
    the same millisecond would overwrite each other.
    """
    tags = {
        **_place_tags(facility),
        "rule": alert.rule,
        "severity": alert.severity.label,
        "state": alert.state.value,
        "subject": alert.subject,
    }
    started_at_ms = to_ms(alert.started_at)
    fields = f"alert_id={alert.id}i,started_at_ms={started_at_ms}i,text={string_field(text)}"
    return f"{series(ALERT_EVENTS, tags)} {fields} {at_ms}"


def _place_tags(facility: Facility) -> dict[str, str]:
    return {
        "country": facility.country,
        "region": facility.region,
        "district": facility.district,
        "facility": facility.id,
    }


def _fields(value: float | None, quality: Quality) -> str:
    fields = []
    if value is not None and math.isfinite(value) and quality.usable:
        fields.append(f"value={float(value)!r}")
    if quality is not Quality.GOOD:
        fields.append(f"quality={string_field(quality.label)}")
    return ",".join(fields)


def _safe_name(text: str) -> str:
    safe = _encodable(text).translate(_IN_NAMES)
    return _DELICATE_BACKSLASHES.sub(lambda found: _FULL_WIDTH_BACKSLASH * len(found[0]), safe)


def _encodable(text: str) -> str:
    return _LONE_SURROGATES.sub("�", text)


def _not_empty(text: str) -> str:
    if not text:
        raise ValueError("line protocol has no empty names")
    return text

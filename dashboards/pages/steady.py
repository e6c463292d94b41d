"""For how long a status stays as it is: what the board asks so as not to judge in vain."""

from __future__ import annotations

from collections.abc import Iterable

from dashboards.pages.status import LatestReading, is_fresh, limit_breach, silent_after_ms
from dashboards.pages.wording import duration_step_ms
from dashboards.pages.words import ENGLISH
from domain.directory import Directory
from domain.places import Channel
from domain.reading import Reading


def is_well(directory: Directory, channel: Channel, reading: Reading | None, now_ms: int) -> bool:
    """Tell whether a channel speaks of now and says nothing that anybody should look at."""
    if reading is None or reading.value is None or not reading.quality.usable:
        return False
    return is_fresh(channel, reading, now_ms) and not limit_breach(directory, channel, reading.value, ENGLISH)


def holds_until_ms(channels: Iterable[Channel], latest: LatestReading, now_ms: int) -> int | None:
    """Return the first moment at which a status can become another by time alone; None where it never does.

    ``channels`` are those of the facility: one of them goes silent then, or has been silent for a longer time in words.
    """
    read = ((channel, reading) for channel in channels if (reading := latest(channel.id)) is not None)
    return min((_says_the_same_until_ms(channel, reading, now_ms) for channel, reading in read), default=None)


def _says_the_same_until_ms(channel: Channel, reading: Reading, now_ms: int) -> int:
    fresh = is_fresh(channel, reading, now_ms)
    goes_silent_ms = reading.measured_at_ms + silent_after_ms(channel) + 1
    if fresh and reading.value is not None and reading.quality.usable:
        return goes_silent_ms
    # A reading without a value is told as a silence that lasts, even while it is fresh.
    silent_ms = now_ms - reading.measured_at_ms
    lasts_longer_ms = now_ms + duration_step_ms(silent_ms) - silent_ms % duration_step_ms(silent_ms)
    return min(goes_silent_ms, lasts_longer_ms) if fresh else lasts_longer_ms

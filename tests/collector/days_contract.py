"""What every store of daily roll-ups must answer, whoever keeps them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

from collector.journal import Journal, Resolution
from domain.channel_day import ChannelDay
from domain.instant import DAY_MS, HOUR_MS, MINUTE_MS
from domain.limits import ALWAYS_MS, LimitHistory, LimitsSince
from domain.places import Channel
from domain.quantities import QUANTITIES
from domain.reading import Quality, Reading

MIDNIGHT_MS = 1_760_054_400_000
END_MS = MIDNIGHT_MS + 3 * DAY_MS
INTERVAL = timedelta(minutes=30)
NAMES = ("fridge/temperature", 'it\'s "quoted"', "a,b=c d", "back\\slash\\", "' OR 1=1 --", "línea\nnueva", "#x")
LIMITS: LimitHistory = (LimitsSince(ALWAYS_MS, 2.0, 8.0), LimitsSince(MIDNIGHT_MS + DAY_MS + 5 * HOUR_MS, 2.0, 10.0))

Days = Callable[[Sequence[Channel], int, int], Awaitable[list[ChannelDay]]]


def channels() -> list[Channel]:
    """Return channels of three quantities, with names that hurt."""
    quantities = ("temperature", "supply", "tank_level")
    return [
        Channel(name, "clinic", "fridge", "n1", f"c{n}", QUANTITIES[quantities[n % 3]], INTERVAL)
        for n, name in enumerate(NAMES)
    ]


def limits() -> dict[str, LimitHistory]:
    """Return limits of the first channel, which changed within the second day."""
    return {NAMES[0]: LIMITS}


def readings() -> list[Reading]:
    """Return three days, with a day that only some have, a gap of hours, and sensors that were gone."""
    found = []
    for number, name in enumerate(NAMES):
        for moment_ms in range(MIDNIGHT_MS + number * MINUTE_MS, END_MS, 30 * MINUTE_MS):
            since = moment_ms - MIDNIGHT_MS
            if (number == 1 and since > 2 * DAY_MS + HOUR_MS) or 30 * HOUR_MS < since < 33 * HOUR_MS:
                continue
            gone = (since // HOUR_MS) % 17 == 3
            value = None if gone else round((since / HOUR_MS * 7.3 + number) % 12, 3)
            quality = Quality.SENSOR_GONE if gone else Quality.GOOD
            found.append(Reading(name, moment_ms, value, quality, moment_ms))
    return found


async def days_are_those_of_each_channel(journal: Journal, days: Days) -> None:
    """The same numbers as the roll-ups of one channel after the other."""
    expected = {
        (channel.id, each.start_ms): each
        for channel in channels()
        for each in await journal.rollups(channel.id, MIDNIGHT_MS, END_MS, Resolution.DAY)
    }
    found = {(each.channel, each.start_ms): each for each in await days(channels(), MIDNIGHT_MS, END_MS)}
    assert found.keys() == expected.keys()
    for key, day in found.items():
        rollup = expected[key]
        assert (day.readings, day.mean, day.minimum, day.maximum) == (
            rollup.readings,
            rollup.mean,
            rollup.minimum,
            rollup.maximum,
        )
        spent_ms = (day.covered_ms, day.judged_ms, day.below_ms, day.above_ms)
        seconds = (rollup.covered_seconds, rollup.judged_seconds, rollup.below_seconds, rollup.above_seconds)
        assert spent_ms == tuple(round(each * 1000) for each in seconds)
    judged = [day for day in found.values() if day.channel == NAMES[0]]
    assert all(day.judged_ms == day.covered_ms > 0 < day.above_ms and day.below_ms > 0 for day in judged)


async def only_what_was_asked_for_is_answered(days: Days) -> None:
    """Of the channels that were named, days that begin in the stretch; nothing of channels that never spoke."""
    first, second, *_ = channels()
    found = await days([first], MIDNIGHT_MS + DAY_MS, MIDNIGHT_MS + 2 * DAY_MS)
    assert [(each.channel, each.start_ms) for each in found] == [(first.id, MIDNIGHT_MS + DAY_MS)]
    found = await days([first, second], MIDNIGHT_MS + 1, MIDNIGHT_MS + DAY_MS)
    assert found == []
    never = Channel("never", "clinic", "fridge", "n1", "x", QUANTITIES["temperature"], INTERVAL)
    assert await days([never], MIDNIGHT_MS, END_MS) == []
    assert await days([], MIDNIGHT_MS, END_MS) == []

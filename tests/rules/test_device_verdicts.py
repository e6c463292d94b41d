"""Devices that judge themselves: by a device's own limits, rules come to its own verdict within one interval."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.rule_documents import rules_of
from domain.episode import Episode
from domain.instant import to_ms
from domain.reading import Quality, Reading
from rules.catalogue import USUAL
from tests.recordings import (
    EMS_MAINS,
    EMS_OUTAGE,
    FRIDGE_TAGS,
    QTAG,
    DeviceEvent,
    FridgeTagDay,
    Row,
    fridge_tag,
    needs_recordings,
    qtag_report,
    rows,
)
from tests.rules.judging import World, channel, directory_of, one_rule

pytestmark = needs_recordings

LOGGED = timedelta(minutes=10)
MINUTE = timedelta(minutes=1)
AT_ONCE = timedelta(0)
# A Fridge-tag's low limit is WHO's FRZE, which -0.5 itself is; a Q-tag leaves a row of exactly 2.0 unmarked.
SIDES = {
    "cold": '{{below: {{limit: {limit}, comparison: "{low}", for: {minutes}min}}}}',
    "hot": '{{above: {{limit: {limit}, comparison: ">", for: {minutes}min}}}}',
}


def episodes(
    table: Sequence[Row], side: str, limit: float, lasting: timedelta, *, low: str = "<", interval: timedelta = LOGGED
) -> list[Episode]:
    """Return what comes of the rows when the limit may be crossed for so long."""
    when = SIDES[side].format(limit=limit, low=low, minutes=lasting // MINUTE)
    world = World(one_rule(when), directory_of(channel(interval=interval)))
    world.arrive(*(Reading("probe", to_ms(at), value, Quality.GOOD, to_ms(at)) for at, value in table))
    return list(world.in_order())


def agrees(episode: Episode, event: DeviceEvent, stopped: datetime, *, within: timedelta = LOGGED) -> bool:
    """Tell whether start, alarm, end and duration are the device's, each within one interval."""
    end, device_end = episode.ended_at or stopped, event.end or stopped
    differences = (
        episode.started_at - event.start,
        episode.confirmed_at - event.alarm,
        end - device_end,
        (end - episode.started_at) - event.lasted,
    )
    return all(abs(difference) <= within for difference in differences)


def qtag_episodes(side: str, *, shorter: timedelta = AT_ONCE) -> list[Episode]:
    """Return what comes of the Q-tag's rows by its own limit, lasting less by ``shorter``."""
    limit, lasting = qtag_report().limits[side]
    return episodes(rows(QTAG, "time_local", "temp_c"), side, limit, lasting - shorter)


def test_the_q_tags_heat_alarm_is_ours() -> None:
    """Above 8.0 °C for 30 min: one episode that goes on until the device was stopped."""
    report = qtag_report()
    (event,), (episode,) = report.events["hot"], qtag_episodes("hot")
    assert (event.end, episode.ended_at) == (None, None)
    assert agrees(episode, event, report.stopped)


TOO_SHORT_FOR_ROWS = datetime(2022, 11, 8, 14, 52, tzinfo=UTC)
"""The device measures every minute and logs every tenth: of its 32 minutes the rows show 14:59 to 15:19, 20 of 30."""
IN_THE_ROWS_ALONE = datetime(2022, 11, 8, 19, 19, tzinfo=UTC)
"""Four rows in succession are too cold, but the device lists no fourth event. Either a minute between two rows was
in range, which starts its time again, or its report has room for three: the file does not say which."""


def test_the_q_tags_cold_alarms_are_ours() -> None:
    """Below 2.0 °C for 30 min: each event of the device is an episode, but for two that the rows tell otherwise."""
    report, found = qtag_report(), qtag_episodes("cold")
    assert len(report.events["cold"]) == 3
    missed = [
        event for event in report.events["cold"] if not any(agrees(each, event, report.stopped) for each in found)
    ]
    own = [each for each in found if not any(agrees(each, event, report.stopped) for event in report.events["cold"])]
    assert [event.start for event in missed] == [TOO_SHORT_FOR_ROWS]
    assert [each.started_at for each in own] == [IN_THE_ROWS_ALONE]


def test_a_time_shorter_by_one_interval_misses_no_event_of_the_q_tag() -> None:
    """What lasts for N minutes shows in rows that span at least N minutes less one interval."""
    report = qtag_report()
    for side in ("cold", "hot"):
        found = qtag_episodes(side, shorter=LOGGED)
        for event in report.events[side]:
            # Confirmed earlier by what was taken off the time.
            near = [each for each in found if abs(each.started_at - event.start) <= LOGGED]
            assert [agrees(each, event, report.stopped, within=2 * LOGGED) for each in near] == [True]


@pytest.mark.parametrize("side", ["cold", "hot"])
def test_the_q_tags_alarms_in_sum_are_the_sum_of_episodes(side: str) -> None:
    """There is no rule on a sum; added up, episodes without a ``for`` reach the limit when the device says so.

    In sum of the whole transport they differ by less than one interval for each of them.
    """
    report = qtag_report()
    (event,), (limit, lasting) = report.events[f"{side} in sum"], report.limits[f"{side} in sum"]
    found = episodes(rows(QTAG, "time_local", "temp_c"), side, limit, AT_ONCE)
    spans = [(each.started_at, each.ended_at or report.stopped) for each in found]
    assert abs(spans[0][0] - event.start) <= LOGGED
    assert abs(reached(spans, lasting) - event.alarm) <= LOGGED
    assert abs(sum((end - start for start, end in spans), AT_ONCE) - event.lasted) < LOGGED * len(spans) + MINUTE


def reached(spans: Sequence[tuple[datetime, datetime]], lasting: timedelta) -> datetime:
    """Return when the spans added up to so long."""
    for start, end in spans:
        if end - start >= lasting:
            return start + lasting
        lasting -= end - start
    raise AssertionError("never")


WITHOUT_LIMITS = "minimal.txt"
"""A fixture that says neither which device it is of nor its limits."""
judged_fridge_tags = pytest.mark.parametrize(
    "path", [path for path in FRIDGE_TAGS if path.name != WITHOUT_LIMITS], ids=lambda path: path.stem
)


def test_every_fridge_tag_but_one_says_its_limits() -> None:
    """No file is passed over because its limits were not found, and some days did leave the range."""
    assert [path.name for path in FRIDGE_TAGS if len(fridge_tag(path)[0]) != 2] == [WITHOUT_LIMITS]
    assert sum(day.minutes_beyond[1] > 0 for path in FRIDGE_TAGS for day in fridge_tag(path)[1]) == 5


@judged_fridge_tags
def test_days_beyond_a_limit_are_those_of_the_fridge_tag(path: Path) -> None:
    """Of the two extremes that it keeps of a day, one is in an episode if and only if it counted minutes beyond."""
    limits, days = fridge_tag(path)
    table = sorted(extreme for day in days for extreme in day.extremes if extreme is not None)
    for place, side in enumerate(SIDES):
        found = episodes(table, side, limits[place].limit, AT_ONCE, low="<=", interval=timedelta(days=1))
        covered = {at.date() for at, _ in table if any(holds_at(each, at) for each in found)}
        assert covered == {day.midnight.date() for day in days if day.minutes_beyond[place]}


def holds_at(episode: Episode, at: datetime) -> bool:
    """Tell whether the moment lies in the episode."""
    return episode.started_at <= at and (episode.ended_at is None or at < episode.ended_at)


@judged_fridge_tags
def test_the_fridge_tags_verdict_is_ours(path: Path) -> None:
    """Its minutes beyond a limit, in one piece as the worst case, last as long here, and are an alarm where it says so.

    It counts all minutes of a day and alarms on an unbroken stretch, so a day is an alarm only if its sum would be.
    """
    limits, days = fridge_tag(path)
    for place, side in enumerate(SIDES):
        table = [row for day in days for row in minutes_of(day, place)]
        limit, lasting = limits[place]
        beyond = episodes(table, side, limit, AT_ONCE, low="<=", interval=MINUTE)
        lasted = {each.started_at.date(): ((each.ended_at or each.started_at) - each.started_at) for each in beyond}
        assert lasted == {
            day.midnight.date(): day.minutes_beyond[place] * MINUTE for day in days if day.minutes_beyond[place]
        }
        alarms = episodes(table, side, limit, lasting, low="<=", interval=MINUTE)
        assert {each.started_at.date() for each in alarms} == {
            day.midnight.date() for day in days if day.alarmed[place]
        }


def minutes_of(day: FridgeTagDay, place: int) -> list[Row]:
    """Return the day minute by minute: at its average, and at its extreme for as long as it was beyond the limit."""
    extreme, average, beyond = day.extremes[place], day.average, day.minutes_beyond[place]
    if extreme is None or average is None:
        return []
    first = min(extreme[0], day.midnight + timedelta(days=1) - (beyond + 1) * MINUTE)
    moments = (day.midnight + minute * MINUTE for minute in range(24 * 60))
    return [(at, extreme[1] if first <= at < first + beyond * MINUTE else average) for at in moments]


EMS_INTERVAL = timedelta(minutes=15)
# WHO's alarm POWR; that of the door needs to know for how long it was open without a break, and the record has a sum.
POWR = one_rule("{is: {state: off, for: 24h}}", applies_to="{quantity: supply}", rule="who-powr")
TOLD_EARLIER = "mains-lost"
"""Of the catalogue, after 5 min: people want to know of the power before it becomes the device's alarm, after 24 h."""


@pytest.mark.parametrize(("path", "told"), [(EMS_MAINS, set()), (EMS_OUTAGE, {TOLD_EARLIER})])
def test_what_an_ems_logger_gave_no_alarm_for_is_none_of_whos_alarms(path: Path, told: set[str]) -> None:
    """Six hours of mains and six without, no code in ``ALRM``: neither HEAT nor FRZE nor POWR."""
    records = json.loads(path.read_text(encoding="utf-8"))["records"]
    assert {record["ALRM"] for record in records} == {None}
    world = World(
        [*rules_of(catalogue=USUAL, files=()), *POWR],
        directory_of(
            channel("compartment", interval=EMS_INTERVAL),
            channel("supply", "supply", equipment="mains-1", interval=EMS_INTERVAL),
        ),
    )
    assert {"who-heat", "who-freeze", "who-powr", TOLD_EARLIER} <= {rule.id for rule in world.rules}
    for record in records:
        at_ms = to_ms(datetime.strptime(record["ABST"], "%Y%m%dT%H%M%S%z"))
        world.arrive(
            Reading("compartment", at_ms, record["TVC"], Quality.GOOD, at_ms),
            Reading("supply", at_ms, float(record["SVA"] > 0), Quality.GOOD, at_ms),
        )
    assert {episode.rule for episode in world.episodes.values()} == told

"""Figures of places from days of channels: worked by hand, and laws that hold for any days."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.figures.facility import FacilityFigures, facility_figures
from dashboards.figures.places import (
    Figures,
    Level,
    Order,
    in_order,
    inside,
    narrowed_where,
    parts_of,
)
from dashboards.figures.tally import DAYS_KEPT, Cold, Compared, Power, Stretch, Water, total
from dashboards.figures.watched import watch
from domain.channel_day import ChannelDay
from domain.directory import Directory
from domain.instant import DAY_MS, HOUR_MS, to_datetime
from domain.places import Channel, Equipment, EquipmentKind, Facility
from domain.quantities import QUANTITIES
from domain.upkeep import Upkeep, UpkeepState

END_MS = 20_000 * DAY_MS
SAFE = {"low": 2.0, "high": 8.0}


def directory_of(*channels: tuple[str, EquipmentKind, str, str, bool], district: str = "Kasese") -> Directory:
    """Return a directory of channels, each as facility, kind, equipment, quantity, and whether it has limits."""
    return Directory(
        facilities=[
            Facility(f, f, "Uganda", "Rwenzori", district) for f in dict.fromkeys(each[0] for each in channels)
        ],
        equipment={e: Equipment(e, f, kind, e) for f, kind, e, _, _ in channels}.values(),
        channels=[
            Channel(f"{e}/{quantity}", f, e, "n", "c", QUANTITIES[quantity], timedelta(minutes=10), SAFE if ok else {})
            for f, _, e, quantity, ok in channels
        ],
    )


def day(channel: str, ago: int, hours: Sequence[float] = (24, 24, 0, 0), **more: float) -> ChannelDay:
    """Return the day that ended so many days before the end: hours covered, judged, below and above."""
    values = {"mean": 5.0, "minimum": 4.0, "maximum": 6.0, **more}
    spent = (round(each * HOUR_MS) for each in hours)
    return ChannelDay(channel, END_MS - ago * DAY_MS, 100, values["mean"], values["minimum"], values["maximum"], *spent)


def test_a_fridges_fortnight_worked_by_hand() -> None:
    """Two weeks of one fridge: 7 days against the 7 before, in hours, with a day that nobody saw."""
    fridge = directory_of(("hc", EquipmentKind.FRIDGE, "fridge", "temperature", True))
    rows = [day("fridge/temperature", ago, (24, 24, 1, 2)) for ago in range(1, 8) if ago != 4]
    rows += [day("fridge/temperature", ago, (20, 18, 0, 9)) for ago in range(8, 15)]
    rows += [day("fridge/temperature", 0, (24, 24, 24, 0))]  # has not ended
    rows += [day("stranger/temperature", 1, (24, 24, 24, 0))]
    found = facility_figures(watch(fridge, "hc"), rows, END_MS)
    week, month = found.tallies[Stretch.WEEK], found.tallies[Stretch.MONTH]
    hour = HOUR_MS
    assert week.now.cold == Cold(7 * 24 * hour, 6 * 24 * hour, 6 * hour, 12 * hour)
    assert week.now.cold.within_ms == (6 * 24 - 18) * hour
    assert week.before.cold == Cold(7 * 24 * hour, 7 * 18 * hour, 0, 63 * hour)
    # Known for a fortnight only: the weeks before are no time in which it should have been watched.
    assert month.now.cold == Cold(14 * 24 * hour, (6 * 24 + 7 * 18) * hour, 6 * hour, 75 * hour)
    assert month.before.cold == Cold()
    assert found.appliances[0].spent[Stretch.WEEK].now == week.now.cold


def test_of_an_appliance_with_two_probes_the_worst_counts_day_by_day() -> None:
    """No day is counted twice, and no warm corner is hidden by a cold one; time without limits counts for nothing."""
    room = directory_of(
        ("hc", EquipmentKind.COLD_ROOM, "top", "temperature", True),
        ("hc", EquipmentKind.ROOM, "hall", "temperature", True),
    )
    both = [dataclasses.replace(each, id=f"{each.id}{n}") for each in room.channels.values() for n in (1, 2)]
    directory = Directory(facilities=room.facilities.values(), equipment=room.equipment.values(), channels=both)
    rows = [
        day("top/temperature1", 1, (24, 24, 0, 6)),
        day("top/temperature2", 1, (24, 24, 0, 1)),
        day("top/temperature2", 2, (24, 24, 3, 0)),
        day("top/temperature1", 3, (24, 0, 0, 0)),
        day("top/temperature2", 3, (10, 10, 0, 0)),
        day("hall/temperature1", 1, (24, 24, 0, 24)),
    ]
    found = facility_figures(watch(directory, "hc"), rows, END_MS)
    assert [each.id for each in found.appliances] == ["top"]
    assert found.tallies[Stretch.WEEK].now.cold == Cold(3 * DAY_MS, 58 * HOUR_MS, 3 * HOUR_MS, 6 * HOUR_MS)


def test_an_appliance_that_is_out_of_service_is_judged_until_it_was() -> None:
    """What nobody keeps vaccines in any more is neither out of range nor unknown."""
    fridge = directory_of(("hc", EquipmentKind.FRIDGE, "fridge", "temperature", True))
    since = to_datetime(END_MS - 2 * DAY_MS + 5 * HOUR_MS)
    said = Upkeep("fridge", UpkeepState.OUT_OF_SERVICE, since, since)
    retired = Directory(
        facilities=fridge.facilities.values(),
        equipment=fridge.equipment.values(),
        channels=fridge.channels.values(),
        upkeep=[said],
    )
    rows = [day("fridge/temperature", ago, (24, 24, 0, 24)) for ago in range(1, 6)]
    for directory, days in ((fridge, 5), (retired, 3)):
        found = facility_figures(watch(directory, "hc"), rows, END_MS).tallies[Stretch.WEEK].now.cold
        assert found == Cold(days * DAY_MS, days * DAY_MS, 0, days * DAY_MS)


def test_power_is_what_the_best_supply_gave_and_a_generator_added() -> None:
    """Two that see the same grid do not add up; a generator does, at most to the time that is known."""
    places = (
        ("hc", EquipmentKind.MAINS, "grid", "supply", False),
        ("hc", EquipmentKind.UPS, "ups", "supply", False),
        ("hc", EquipmentKind.GENERATOR, "set", "running", False),
        ("hc", EquipmentKind.PUMP, "pump", "running", False),
    )
    rows = [
        day("grid/supply", 1, mean=0.5),
        day("ups/supply", 1, (20, 0, 0, 0), mean=0.6),
        day("set/running", 1, mean=0.25),
        day("pump/running", 1, mean=1.0),
        day("grid/supply", 2, (12, 0, 0, 0), mean=0.75),
        day("set/running", 2, mean=0.5),
        # Heard, and never read: nobody knows whether there was power.
        day("grid/supply", 3)._replace(mean=None),
        day("set/running", 3, mean=0.5),
        day("grid/supply", 7, (0, 0, 0, 0)),
        day("grid/supply", 6, (24, 0, 0, 0), mean=0.0),
    ]
    power = facility_figures(watch(directory_of(*places), "hc"), rows, END_MS).tallies[Stretch.WEEK].now.power
    assert power == Power(6 * DAY_MS, (24 + 12 + 24) * HOUR_MS, (12 + 6 + 12) * HOUR_MS)
    alone = watch(directory_of(places[2]), "hc")
    power = facility_figures(alone, rows, END_MS).tallies[Stretch.WEEK].now.power
    assert power == Power(3 * DAY_MS, 72 * HOUR_MS, (6 + 12 + 12) * HOUR_MS)


@pytest.mark.parametrize(
    ("quantity", "dry", "wet"),
    [
        ("tank_level", (0.0, 0.09), (0.05, 0.1)),
        ("flow", (0.0, 0.0), (0.0, 0.2)),
        ("volume", (70.0, 70.0), (70.0, 71.0)),
    ],
)
def test_a_day_has_water_where_any_channel_showed_some(
    quantity: str, dry: tuple[float, float], wet: tuple[float, float]
) -> None:
    """A tank above a tenth, a tap that flowed, a meter that went on; a day heard for less than half is unknown."""
    directory = directory_of(
        ("hc", EquipmentKind.TAP, "tap", quantity, False), ("hc", EquipmentKind.TANK, "tank", "tank_level", False)
    )
    rows = [
        day(f"tap/{quantity}", 1, minimum=wet[0], maximum=wet[1]),
        day(f"tap/{quantity}", 2, minimum=dry[0], maximum=dry[1]),
        day("tank/tank_level", 3, minimum=0.0, maximum=0.8),
        day(f"tap/{quantity}", 3, minimum=dry[0], maximum=dry[1]),
        day(f"tap/{quantity}", 4, (11.9, 0, 0, 0), minimum=wet[0], maximum=wet[1]),
        day(f"tap/{quantity}", 5, (12, 0, 0, 0), minimum=dry[0], maximum=dry[1]),
    ]
    found = facility_figures(watch(directory, "hc"), rows, END_MS).tallies[Stretch.WEEK].now.water
    assert found == Water(5, 4, 2)


def some_days(channels: Sequence[str]) -> st.SearchStrategy[list[ChannelDay]]:
    """Return days of channels that a store could hold: parts add up, each day of a channel once."""

    def one(channel: str, ago: int, cuts: list[int], share: float) -> ChannelDay:
        below, outside, judged, covered = sorted(cuts)
        return ChannelDay(
            channel, END_MS - ago * DAY_MS, 9, share, share / 2, share, covered, judged, below, outside - below
        )

    cuts = st.lists(st.integers(0, DAY_MS), min_size=4, max_size=4)
    row = st.builds(one, st.sampled_from(channels), st.integers(0, DAYS_KEPT + 1), cuts, st.floats(0, 1))
    return st.lists(row, max_size=40, unique_by=lambda each: each[:2])


KINDS = (
    (EquipmentKind.FRIDGE, "temperature"),
    (EquipmentKind.MAINS, "supply"),
    (EquipmentKind.GENERATOR, "running"),
    (EquipmentKind.TANK, "tank_level"),
)
NAMES = ("hc-1", "hc-2", "hc-3", "hc-4")
NATION = Directory(
    facilities=[
        Facility("hc-1", "A", "Uganda", "Rwenzori", "Kasese"),
        Facility("hc-2", "B", "Uganda", "Rwenzori", "Kasese"),
        Facility("hc-3", "C", "Uganda", "Rwenzori", ""),
        Facility("hc-4", "D", "Kenya", "Rwenzori", "Kasese"),
    ],
    equipment=[Equipment(f"{f}/{kind.value}", f, kind, kind.value) for f in NAMES for kind, _ in KINDS],
    channels=[
        Channel(f"{f}/{quantity}", f, f"{f}/{kind.value}", "n", "c", QUANTITIES[quantity], timedelta(minutes=10), SAFE)
        for f in NAMES
        for kind, quantity in KINDS
    ],
)


def figures_of(directory: Directory, rows: Iterable[ChannelDay]) -> Figures:
    """Return the figures of all facilities."""
    everything = list(rows)
    found: dict[str, FacilityFigures] = {
        each: facility_figures(watch(directory, each), everything, END_MS) for each in directory.facilities
    }
    return Figures(END_MS, END_MS, found)


@given(some_days(list(NATION.channels)))
def test_shares_add_up_to_what_is_known_and_nothing_is_known_twice(rows: list[ChannelDay]) -> None:
    """Below, within and above are the known time; nothing known is longer than the time there was."""
    figures = figures_of(NATION, rows)
    for facility in NATION.facilities:
        for stretch in Stretch:
            for tally in figures.of(facility, stretch):
                cold, power, water = tally
                assert cold.below_ms + cold.within_ms + cold.above_ms == cold.judged_ms <= cold.span_ms
                assert min(cold.below_ms, cold.within_ms, cold.above_ms) >= 0
                assert 0 <= power.on_ms <= power.known_ms <= power.span_ms <= stretch * DAY_MS
                assert 0 <= water.days <= water.known_days <= water.span_days <= stretch


@given(some_days(list(NATION.channels)), st.sampled_from(Stretch))
def test_parts_add_up_to_the_whole_at_every_level(rows: list[ChannelDay], stretch: Stretch) -> None:
    """Countries, regions, districts and facilities come to the same sums as the nation and hold every facility once."""
    figures, facilities = figures_of(NATION, rows), list(NATION.facilities.values())
    whole = total(figures.of(each.id, stretch) for each in facilities)
    for level in Level:
        parts = parts_of(facilities, level, stretch, figures, {})
        assert total(part.compared for part in parts) == whole
        assert sum(part.facilities for part in parts) == len(facilities)
        for part in parts:
            again = parts_of(inside(facilities, part.names), level, stretch, figures, {})
            assert [each.compared for each in again] == [part.compared]


@given(some_days(list(NATION.channels)), st.sampled_from(NAMES))
def test_what_moved_is_counted_once_where_it_is_now(rows: list[ChannelDay], moved: str) -> None:
    """A facility that moves to another district, and a channel to another facility, take their days along."""
    before = figures_of(NATION, rows)
    elsewhere = [
        dataclasses.replace(each, district="Bunyangabu") if each.id == moved else each
        for each in NATION.facilities.values()
    ]
    for stretch in Stretch:
        parts = parts_of(elsewhere, Level.DISTRICT, stretch, before, {})
        assert total(each.compared for each in parts) == total(before.of(each, stretch) for each in NAMES)
        assert [each.compared for each in parts if each.names[2] == "Bunyangabu"] == [before.of(moved, stretch)]
    fridge = f"{moved}/temperature"
    channels = [
        dataclasses.replace(each, facility="new", equipment="new/fridge") if each.id == fridge else each
        for each in NATION.channels.values()
    ]
    after = Directory(
        facilities=[*NATION.facilities.values(), Facility("new", "New", "Uganda", "Rwenzori", "Bunyangabu")],
        equipment=[*NATION.equipment.values(), Equipment("new/fridge", "new", EquipmentKind.FRIDGE, "Fridge")],
        channels=channels,
    )
    now = figures_of(after, rows)
    assert now.of("new", Stretch.WEEK).now.cold == before.of(moved, Stretch.WEEK).now.cold
    assert now.of(moved, Stretch.WEEK).now.cold == Cold()


def test_a_place_with_one_part_is_that_part() -> None:
    """One country, one region, one district: everywhere is the district; facilities are its parts, not its name."""
    facilities = list(NATION.facilities.values())
    assert narrowed_where(facilities, ()) == ()
    assert narrowed_where(facilities[:3], ()) == ("Uganda", "Rwenzori")
    assert narrowed_where(facilities[:2], ()) == ("Uganda", "Rwenzori", "Kasese")
    assert narrowed_where(facilities[:1], ("Uganda",)) == ("Uganda", "Rwenzori", "Kasese")
    assert narrowed_where([], ()) == ()
    assert [each.id for each in inside(facilities, ("Uganda", "Rwenzori", ""))] == ["hc-3"]


def test_the_worst_stands_first_and_the_unknown_last() -> None:
    """By every order; equals by name."""
    figures = figures_of(
        NATION,
        [
            day("hc-1/temperature", 1, (24, 24, 0, 2)),
            day("hc-2/temperature", 1, (24, 12, 2, 0)),
            day("hc-1/supply", 1, mean=0.9),
            day("hc-4/supply", 1, mean=0.2),
            day("hc-1/tank_level", 1, maximum=0.0, minimum=0.0),
        ],
    )
    parts = parts_of(NATION.facilities.values(), Level.FACILITY, Stretch.WEEK, figures, {})
    expected = {
        Order.IN_RANGE: "BACD", Order.COLD: "BACD", Order.HOT: "ABCD", Order.POWER: "DABC",
        Order.WATER: "ABCD", Order.SILENT: "ABCD", Order.ALERTS: "ABCD", Order.NAME: "ABCD",
    }  # fmt: skip
    for order, titles in expected.items():
        assert "".join(part.title for part in in_order(reversed(parts), order)) == titles


def test_nothing_known_is_nothing() -> None:
    """A facility without rows is to be watched and unknown; one without equipment is nothing to watch."""
    figures = figures_of(NATION, [])
    now = figures.of("hc-1", Stretch.WEEK).now
    assert now.cold == Cold(7 * DAY_MS)
    assert now.power == Power(7 * DAY_MS)
    assert now.water == Water(7)
    assert figures.of("elsewhere", Stretch.WEEK) == Compared()
    assert total([]) == Compared()
    assert figures.within({"hc-1"}).by_facility.keys() == {"hc-1"}

"""Alerts on targets, judged by Prometheus' own tool: each fires at the minute at which it must, and not before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from app.prometheus_rules import rule_texts
from dashboards.prometheus.rule import Setting
from dashboards.sla.targets import Target
from domain.places import Service
from tests.system.rule_tests import Fires, RuleTest, Series, counted, disagreement, steady

pytestmark = pytest.mark.system

DAY = 24 * 60
USED = (Service.POWER, Service.MONITORING)
Flags = Sequence[bool]


def rules(*ratios: float) -> dict[str, str]:
    """Return what is recorded and told for these targets."""
    texts = rule_texts([Target(ratio=each, service=service) for each in ratios for service in USED], Setting())
    return {name: texts[name] for name in ("recording.yml", "targets.yml")}


def labels(facility: str, service: str, region: str = "Western") -> str:
    """Return the labels of a facility's series."""
    place = f'country="Uganda",region="{region}",district="Kasese",facility="{facility}"'
    return f'{{job="vitals",instance="a",{place},service="{service}"}}'


def watched(
    facility: str, down: Flags, *, target: float | None = 0.95, known: Flags | None = None, service: str = "power"
) -> Series:
    """Return a service's series from a flag for each minute: whether it is down, and whether anything is known."""
    where, minutes = labels(facility, service), len(down)
    known = [True] * minutes if known is None else known
    series = {
        f"vitals_facility_outage_seconds_total{where}": counted([a and b for a, b in zip(down, known, strict=True)]),
        f"vitals_facility_observed_seconds_total{where}": counted(known),
    }
    return series if target is None else {
        **series, f"vitals_facility_uptime_target_ratio{where}": steady(target, minutes),
    }  # fmt: skip


def burns(facility: str, *windows: str, service: str = "power") -> list[Fires]:
    """Return the alerts of a facility over these windows."""
    return [Fires("VitalsFacilityBurn", facility, "Western", service, window) for window in windows]


def flags(minutes: int, down: Callable[[int], bool]) -> list[bool]:
    """Return a flag for each minute."""
    return [down(minute) for minute in range(minutes)]


def in_region(*windows: str, service: str = "power") -> list[Fires]:
    """Return the alerts of the region over these windows."""
    return [Fires("VitalsRegionBurn", "", "Western", service, window) for window in windows]


ONCE_A_MINUTE = 'alertname=~"VitalsFacility.+", window=~"1h|"'
"""Evaluated every minute slices overlap, and all but the fastest window would count in fives."""
FACILITY = 'alertname=~"VitalsFacility.+"'
REGION = 'alertname=~"VitalsRegion.+"'


def test_the_fastest_window_fires_after_three_quarters_of_an_hour(tmp_path: Path) -> None:
    """Down from minute 120 to 200: more than 72 % of an hour are 44 minutes; two minutes after the end it is over."""
    story = watched("clinic", flags(240, lambda minute: 120 <= minute < 200))
    fires = {100: [], 163: [], 164: burns("clinic", "1h"), 201: burns("clinic", "1h"), 202: []}
    assert disagreement(tmp_path, RuleTest(rules(0.95), story, fires, ONCE_A_MINUTE)) == ""


def test_a_restart_of_the_service_changes_nothing(tmp_path: Path) -> None:
    """The counters start anew in the midst of the outage."""
    story = watched("clinic", flags(240, lambda minute: 120 <= minute < 200))
    again = {
        name: values if "target" in name else [*values[:150], *(value - values[150] for value in values[150:])]
        for name, values in story.items()
    }
    fires = {110: [], 163: [], 164: burns("clinic", "1h"), 203: []}
    assert disagreement(tmp_path, RuleTest(rules(0.95), again, fires, ONCE_A_MINUTE)) == ""


def test_six_hours_and_half_an_hour(tmp_path: Path) -> None:
    """Twenty-five minutes of each hour never fill an hour's window to 72 %, but that of six hours beyond 30 %.

    Of its 73 slices of five minutes 110 minutes must be down, and of the half hour's seven 11: in the fifth hour.
    """
    begin = 3 * DAY
    story = watched("clinic", flags(begin + 300, lambda minute: minute >= begin and minute % 60 < 25))
    fires = {begin: [], begin + 250: [], begin + 255: burns("clinic", "6h")}
    assert disagreement(tmp_path, RuleTest(rules(0.95), story, fires, FACILITY, every=5)) == ""


@pytest.mark.parametrize(("minutes", "windows"), [(12, ["1d", "3d"]), (25, ["1d", "3d", "6h"])])
def test_a_day_and_two_hours_of_facility_and_region(tmp_path: Path, minutes: int, windows: list[str]) -> None:
    """A fifth of every hour is too much for a day (15 %) and three days (5 %), and too little for six hours (30 %)."""
    story = watched("clinic", flags(4 * DAY, lambda minute: minute % 60 < minutes))
    fires = {4 * DAY - 35: [*burns("clinic", *windows), *in_region(*windows)]}
    assert disagreement(tmp_path, RuleTest(rules(0.95), story, fires, every=5)) == ""


def test_three_days_and_six_hours(tmp_path: Path) -> None:
    """Half an hour in six is more than one in twenty: a month's allowance does not last; it ends when outages do."""
    end = 4 * DAY
    story = watched("clinic", flags(end + 120, lambda minute: minute < end and minute % 360 < 30))
    fires = {3 * DAY: burns("clinic", "3d"), end - 5: burns("clinic", "3d"), end + 60: []}
    assert disagreement(tmp_path, RuleTest(rules(0.95), story, fires, FACILITY, every=5)) == ""


def test_four_per_cent_of_the_time_are_allowed(tmp_path: Path) -> None:
    """Whoever keeps the promise is not told of, and neither is the region."""
    story = watched("clinic", flags(2 * DAY, lambda minute: minute % 50 < 2))
    assert disagreement(tmp_path, RuleTest(rules(0.95), story, {DAY: [], 2 * DAY: []}, every=5)) == ""


def test_silence_is_not_downtime_for_power(tmp_path: Path) -> None:
    """From minute 60 nothing is heard: its gauges are 0, the monitoring is down, and nothing is said of power."""
    heard = flags(180, lambda minute: minute < 60)
    place = labels("clinic", "power").replace(',service="power"', "")
    up = [float(each) for each in (*heard, False)]
    story = {
        **watched("clinic", [False] * 180, known=heard),
        **watched("clinic", [not each for each in heard], service="monitoring"),
        f"vitals_facility_up{place}": up,
        f"vitals_facility_power_available{place}": up,
    }
    fires = {103: [], 104: burns("clinic", "1h", service="monitoring")}
    down = "region_service:vitals_facilities_down:count"
    counts = {
        f'{down}{{country="Uganda", region="Western", service="{service}"}}': count
        for service, count in (("monitoring", 1), ("power", 0))
    }
    test = RuleTest(rules(0.95), story, fires, ONCE_A_MINUTE, {(104, down): counts})
    assert disagreement(tmp_path, test) == ""


def test_the_first_minutes_after_a_silence_do_not_decide(tmp_path: Path) -> None:
    """Heard again and down: all that is known is down, and yet it takes 22 minutes until it is told of."""
    known = flags(180, lambda minute: minute >= 120)
    story = watched("clinic", known, known=known)
    fires = {125: [], 141: [], 142: burns("clinic", "1h")}
    assert disagreement(tmp_path, RuleTest(rules(0.95), story, fires, ONCE_A_MINUTE)) == ""


def test_a_target_that_cannot_be_missed_so_fast_has_a_plain_alert(tmp_path: Path) -> None:
    """At 0.9 an outage is told of after an hour without a break, and not after one with a break."""
    whole = watched("clinic", flags(200, lambda minute: minute >= 120), target=0.9)
    fires = {179: [], 180: [Fires("VitalsFacilityDown", "clinic", "Western", "power")]}
    assert disagreement(tmp_path, RuleTest(rules(0.9), whole, fires, ONCE_A_MINUTE)) == ""
    broken = watched("clinic", flags(230, lambda minute: minute >= 120 and minute % 30 != 0), target=0.9)
    assert disagreement(tmp_path, RuleTest(rules(0.9), broken, {200: [], 225: []}, ONCE_A_MINUTE)) == ""


def test_each_facility_is_judged_by_its_own_target(tmp_path: Path) -> None:
    """Nine minutes of an hour are too much for 0.99 and not for 0.95; where nothing is promised nothing is told."""
    down = flags(140, lambda minute: minute >= 120)
    story = {
        **watched("strict", down, target=0.99), **watched("mild", down), **watched("free", down, target=None),
    }  # fmt: skip
    fires = {128: [], 129: burns("strict", "1h")}
    assert disagreement(tmp_path, RuleTest(rules(0.95, 0.99), story, fires, ONCE_A_MINUTE)) == ""


def test_a_target_that_the_rules_do_not_know_is_told_of(tmp_path: Path) -> None:
    """The configuration changed, and nobody wrote the rules anew; ten minutes are left for that."""
    story = {**watched("clinic", [False] * 60, target=0.97), **watched("other", [False] * 60)}
    fires = {9: [], 10: [Fires("VitalsTargetWithoutRules", service="power")]}
    assert disagreement(tmp_path, RuleTest(rules(0.95), story, fires)) == ""
    assert disagreement(tmp_path, RuleTest(rules(0.95, 0.97), story, {10: [], 60: []})) == ""


def a_region(facilities: int, without: int, minutes: int, target: float = 0.95) -> Series:
    """Return a region of which so many facilities are without power from minute 100 on."""
    found: dict[str, Sequence[float]] = {}
    for number in range(facilities):
        off = number < without
        down = [off and minute >= 100 for minute in range(minutes)]
        found |= watched(f"clinic-{number}", down, target=target)
    return found


def test_a_region_is_one_page(tmp_path: Path) -> None:
    """Eight of ten without power for 55 minutes are more than 72 % of the region's hour; seven never are."""
    fastest = f'{REGION}, window="1h"'
    fires = {144: [], 153: [], 155: in_region("1h")}
    assert disagreement(tmp_path, RuleTest(rules(0.95), a_region(10, 8, 180), fires, fastest)) == ""
    assert disagreement(tmp_path, RuleTest(rules(0.95), a_region(10, 7, 180), {155: [], 180: []}, fastest)) == ""


def test_a_region_with_low_targets_is_told_of_when_half_of_it_is_down(tmp_path: Path) -> None:
    """More than half of an hour of the whole region: 38 minutes of four in five; two in five never are."""
    page, plain = [Fires("VitalsRegionDown", "", "Western", "power")], 'alertname="VitalsRegionDown"'
    fires = {137: [], 138: page}
    assert disagreement(tmp_path, RuleTest(rules(0.9), a_region(5, 4, 150, 0.9), fires, plain)) == ""
    assert disagreement(tmp_path, RuleTest(rules(0.9), a_region(5, 2, 180, 0.9), {180: []}, plain)) == ""


def test_availability_is_of_the_time_that_is_known(tmp_path: Path) -> None:
    """Heard for half of the day, and down for a quarter of that; the region is the mean of its facilities."""
    known = flags(2 * DAY, lambda minute: minute % 120 < 60)
    down = flags(2 * DAY, lambda minute: minute % 120 < 15)
    story = {**watched("clinic", down, known=known), **watched("other", [False] * 2 * DAY)}
    ratio, place = "vitals_availability:ratio1d", 'country="Uganda", region="Western"'
    values = {
        (2 * DAY, f"round(facility_service:{ratio}, 0.01)"): {
            f'{{{place}, district="Kasese", facility="clinic", service="power"}}': 0.75,
            f'{{{place}, district="Kasese", facility="other", service="power"}}': 1.0,
        },
        (2 * DAY, f"round(region_service:{ratio}, 0.001)"): {f'{{{place}, service="power"}}': 0.875},
    }
    assert disagreement(tmp_path, RuleTest(rules(0.95), story, values=values, every=5)) == ""


def test_nothing_is_down_for_more_than_all_of_the_time(tmp_path: Path) -> None:
    """Prometheus guesses the edges of a young counter, and of one a little more than of the other."""
    story = {
        f"vitals_facility_outage_seconds_total{labels('clinic', 'power')}": [60, 120, 180, 240],
        f"vitals_facility_observed_seconds_total{labels('clinic', 'power')}": [120, 180, 240, 300],
    }
    share, guessed = "facility_service:vitals_outage:ratio5m", "vitals_facility_{}_seconds_total[5m]"
    place = 'country="Uganda", region="Western", district="Kasese", facility="clinic", service="power"'
    more = f"increase({guessed.format('outage')}) > increase({guessed.format('observed')})"
    values = {(3, share): {f"{share}{{{place}}}": 1.0}, (3, f"count({more})"): {"{}": 1.0}}
    assert disagreement(tmp_path, RuleTest(rules(0.95), story, values=values)) == ""

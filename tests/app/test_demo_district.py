"""The demonstration's district: what its simulators emit is what its registry expects, and its story happens."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta

import pytest

from app.demo.district import District, district
from app.documents import parse_document, render_document
from domain.directory import Directory
from domain.document import Document
from domain.instant import MINUTE_MS, to_ms
from edge.drivers import DRIVERS, Driver, create_driver
from registry.checks import directory_of

START = datetime(2026, 11, 20, 9, tzinfo=UTC)
MINUTES = 3 * 24 * 60


class HandClock:
    """A clock that a test moves."""

    def __init__(self, now_ms: int) -> None:
        self.moment_ms = now_ms

    def now_ms(self) -> int:
        """Return where the test has put it."""
        return self.moment_ms

    async def sleep(self, seconds: float) -> None:
        """Move on at once."""
        self.moment_ms += round(seconds * 1000)


def drivers(made: District, clock: HandClock) -> dict[str, Driver]:
    """Return the driver of each node, from its settings as a file would hold them."""
    settings = {node["node"]: node["drivers"][0] for node in made.nodes}
    rows = {node: DRIVERS[said["driver"]].settings_class().model_validate(said) for node, said in settings.items()}
    return {node: create_driver(said, clock) for node, said in rows.items()}


Values = dict[str, list[float]]
"""By channel id: one value a minute."""


async def lived(seed: int, start: datetime, minutes: int = MINUTES) -> tuple[Directory, Values]:
    """Return the directory of a district and everything that its nodes emit from the start of the story."""
    made, clock = district(seed, start), HandClock(to_ms(start))
    directory, values = directory_of(Document("district", made.registry)), defaultdict(list)
    for node, driver in drivers(made, clock).items():
        channels = directory.channels_of_node(node) or {}
        for minute in range(minutes):
            clock.moment_ms = to_ms(start) + minute * MINUTE_MS
            for sample in await driver.read():
                assert sample.value is not None
                values[channels[sample.name].id].append(sample.value)
    return directory, values


@pytest.mark.parametrize("seed", [1, 2])
async def test_simulators_and_registry_agree(seed: int) -> None:
    """Over three days every registered channel reports every minute, no other does, and all values are possible.

    The story is the exception: unharmed fridges keep 2 to 8 °C all the time.
    """
    directory, values = await lived(seed, START)
    assert set(values) == set(directory.channels)
    for id_, channel in directory.channels.items():
        assert len(values[id_]) == MINUTES
        assert channel.quantity.lowest <= min(values[id_]) <= max(values[id_]) <= channel.quantity.highest
        if channel.quantity.states:
            assert set(values[id_]) <= {0.0, 1.0}
    for facility in ("kasese-hospital", "kilembe-hc3", "kyondo-hc3", "katunguru-hc2"):
        inside = values[f"{facility}/fridge-1/temperature"]
        assert 2 <= min(inside) <= max(inside) <= 8


def longest_run(flags: list[bool]) -> int:
    """Return the length of the longest unbroken run of true flags."""
    longest = current = 0
    for flag in flags:
        current = current + 1 if flag else 0
        longest = max(longest, current)
    return longest


@pytest.mark.parametrize("hour", [3, 15])
async def test_the_story_happens_whenever_it_starts(hour: int) -> None:
    """By day and by night: mains lost, fridges warm, one for ten hours, one frozen, a generator runs, a tank dry."""
    _, values = await lived(1, START.replace(hour=hour), 36 * 60)
    first_outage = values["kasese-hospital/mains/supply"].index(0.0)
    assert first_outage <= 20
    assert values["kasese-hospital/generator/running"][first_outage + 5] == 1.0
    assert set(values["bwera-hc4/generator/running"]) == {0.0}
    too_warm = [value > 8 for value in values["kisinga-hc2/fridge-1/temperature"]]
    assert 60 <= too_warm.index(True) <= 180
    assert longest_run(too_warm) >= 600
    assert longest_run([value <= -0.5 for value in values["hima-hc3/fridge-1/temperature"]]) >= 60
    assert 0.0 in values["katwe-hc3/tank/tank_level"]
    assert longest_run([value == 1 for value in values["rugendabara-hc3/fridge-1/door"]]) >= 5


def test_the_district_is_varied_and_whole() -> None:
    """Twelve facilities at twelve places with 7 to 11 channels each, and somebody to tell about every one."""
    directory = directory_of(Document("district", district(1).registry))
    places = {(facility.latitude, facility.longitude) for facility in directory.facilities.values()}
    assert len(directory.facilities) == len(places) == len(directory.nodes) == 12
    for facility in directory.facilities.values():
        assert 7 <= len(directory.channels_of(facility.id)) <= 11
        assert directory.contacts_for(facility)


def test_the_registry_document_can_be_written_down() -> None:
    """As a YAML file it describes the same district."""
    registry = district(1).registry
    assert parse_document(render_document(registry), "district.yaml").data == registry


def test_a_node_falls_silent_for_the_runner_alone() -> None:
    """The story cuts one node off for hours and gives it back; nothing is cut without a story."""
    made = district(1, START)
    quiet = [
        sum(made.silent(node["node"], to_ms(START + timedelta(minutes=minute))) for minute in range(36 * 60))
        for node in made.nodes
    ]
    assert sorted(minutes for minutes in quiet if minutes) == [60, 240]
    assert not any(district(1).silent(node["node"], to_ms(START)) for node in made.nodes)

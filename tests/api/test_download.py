"""Readings as CSV: exact, whole, bounded, and harmless in a spreadsheet."""

from __future__ import annotations

import csv
import dataclasses
import io
from datetime import timedelta

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.create import create_api
from api.download import BOUNDS, Bounds, channel_and_facility, download, expected_lines, finest
from api.problems import RequestError
from api.readings_csv import csv_text, plain_text
from dashboards.pages.series import Resolution
from domain.instant import DAY_MS, HOUR_MS, format_rfc3339, parse_rfc3339, to_ms
from domain.kept import Kept
from domain.places import Channel
from domain.quantities import QUANTITIES
from domain.reading import Quality
from tests.api.world import NOON, World

CHANNEL = "kasese-hc3/fridge-1/temperature"
AS_CSV = {"accept": "text/csv"}
DAY = {"from": format_rfc3339(NOON - timedelta(days=1)), "to": format_rfc3339(NOON)}


def _client(world: World) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(create_api(world.services()))
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1")


def _rows(answer: httpx.Response) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))


async def test_a_file_holds_the_readings_exactly(client: httpx.AsyncClient, world: World) -> None:
    """Every reading once, in order, to the last digit; times in UTC and as the wall clock there shows them."""
    rows = _rows(await client.get(f"/api/v1/channels/{CHANNEL}/readings", params=DAY, headers=AS_CSV))
    span = to_ms(NOON) - DAY_MS, to_ms(NOON)
    stored = [each for each in world.readings[CHANNEL] if span[0] <= each.measured_at_ms < span[1]]
    assert [(each["time_utc"], float(each["temperature_celsius"])) for each in rows] == [
        (format_rfc3339(each.measured_at_ms), each.value) for each in stored
    ]
    assert rows[0]["time_local (Africa/Kampala)"] == "2026-11-19 15:00:00"
    assert {each["quality"] for each in rows} == {"good"}


async def test_a_reading_without_a_value_says_why(client: httpx.AsyncClient, world: World) -> None:
    """Its cell is empty, and the quality beside it is not good."""
    world.clock.advance(timedelta(minutes=1))
    world.take(CHANNEL, None, Quality.SENSOR_GONE)
    world.clock.advance(timedelta(minutes=1))
    last = _rows(await client.get(f"/api/v1/channels/{CHANNEL}/readings", headers=AS_CSV))[-1]
    assert (last["temperature_celsius"], last["quality"]) == ("", "sensor_gone")


async def test_roll_ups_hold_what_the_journal_says(client: httpx.AsyncClient, world: World) -> None:
    """Lowest, mean, highest and the seconds too cold and too hot, a line for each hour of which something is known."""
    params = DAY | {"resolution": "hour"}
    rows = _rows(await client.get(f"/api/v1/channels/{CHANNEL}/readings", params=params, headers=AS_CSV))
    hours = await world.rollups(CHANNEL, to_ms(NOON) - DAY_MS, to_ms(NOON), Resolution.HOUR)
    names = ("lowest_temperature_celsius", "mean_temperature_celsius", "highest_temperature_celsius")
    figures = ("covered_seconds", "below_seconds", "above_seconds")
    assert [each["from_utc"] for each in rows] == [format_rfc3339(each.start_ms) for each in hours]
    assert [each["to_utc"] for each in rows] == [format_rfc3339(each.start_ms + HOUR_MS) for each in hours]
    for row, hour in zip(rows, hours, strict=True):
        assert [row[name] for name in names] == [
            "" if each is None else repr(each) for each in (hour.minimum, hour.mean, hour.maximum)
        ]
        assert [float(row[name]) for name in figures] == [
            hour.covered_seconds,
            hour.below_seconds,
            hour.above_seconds,
        ]
    assert any(float(row["above_seconds"]) for row in rows)


async def test_a_facility_comes_with_all_its_channels(client: httpx.AsyncClient, world: World) -> None:
    """Each line says of what it is and in which unit."""
    rows = _rows(await client.get("/api/v1/facilities/kasese-hc3/readings", params=DAY))
    mine = world.directory().channels_of("kasese-hc3")
    assert list(dict.fromkeys(each["channel"] for each in rows)) == [each.id for each in mine]
    assert {(each["quantity"], each["unit"]) for each in rows} == {
        (each.quantity.name, each.quantity.unit.name) for each in mine
    }
    assert {each["facility"] for each in rows} == {"Kasese Health Centre III"}
    assert len(rows) == sum(
        to_ms(NOON) - DAY_MS <= each.measured_at_ms < to_ms(NOON) for own in mine for each in world.readings[own.id]
    )


async def _file(world: World, span: tuple[int, int], resolution: Resolution, bounds: Bounds) -> str:
    services = world.services()
    channel, facility = channel_and_facility(services, CHANNEL)
    answer = await download(services, facility, channel, span, resolution, bounds=bounds)
    return "".join([piece.decode() async for piece in answer.body_iterator if isinstance(piece, bytes)])


@pytest.mark.parametrize("resolution", Resolution)
async def test_what_is_read_in_pieces_is_whole(world: World, resolution: Resolution) -> None:
    """Where the pieces meet nothing is lost and nothing comes twice."""
    from_ms, to = to_ms(NOON - timedelta(hours=47, minutes=23)), to_ms(NOON)
    whole = await _file(world, (from_ms, to), resolution, BOUNDS)
    pieces = await _file(world, (from_ms, to), resolution, Bounds(readings=7, hours_ms=DAY_MS, days_ms=DAY_MS))
    assert pieces == whole
    moments = [line.split(",")[0] for line in whole.splitlines()[1:]]
    assert moments == sorted(set(moments))
    stored = [each.measured_at_ms for each in world.readings[CHANNEL] if from_ms <= each.measured_at_ms < to]
    step_ms = resolution.step_ms or 1
    assert {moment // step_ms for moment in stored} <= {to_ms(parse_rfc3339(moment)) // step_ms for moment in moments}


async def test_what_was_deleted_comes_as_what_is_kept(world: World) -> None:
    """A year of which the readings are gone comes as hours, or days."""
    world.kept = Kept(raw_from_ms=to_ms(NOON), hours_from_ms=0)
    async with _client(world) as client:
        rows = _rows(await client.get(f"/api/v1/channels/{CHANNEL}/readings", params=DAY, headers=AS_CSV))
    assert "mean_temperature_celsius" in rows[0]


async def test_more_than_a_spreadsheet_opens_is_refused_or_cut_off(world: World) -> None:
    """What can be foreseen is refused; where more came than was expected the last line says so."""
    span = to_ms(NOON) - DAY_MS, to_ms(NOON)
    with pytest.raises(RequestError, match="shorter time"):
        await _file(world, span, Resolution.RAW, Bounds(lines=100))
    world.channels = [dataclasses.replace(each, interval=timedelta(hours=1)) for each in world.channels]
    world.add_facility("new", "New")
    lines = (await _file(world, span, Resolution.RAW, Bounds(lines=100))).splitlines()
    assert len(lines) == 102
    assert lines[-1].startswith("cut off here: more than 100 lines")


async def test_names_are_no_formulas(world: World) -> None:
    """Whatever somebody called a fridge, a spreadsheet shows it and runs nothing."""
    evil = '=HYPERLINK("http://evil.example";"x")'
    world.add_facility("odd", "+1+1")
    channel = world.add_channel("odd", world.equipment[0].kind, evil, "temperature")
    world.take(channel, -5.5)
    world.clock.advance(timedelta(seconds=1))
    async with _client(world) as client:
        (row,) = _rows(await client.get("/api/v1/facilities/odd/readings"))
    assert (row["facility"], row["equipment"], row["value"]) == ("'+1+1", f"'{evil}", "-5.5")


@given(st.text())
def test_no_text_begins_as_a_formula(text: str) -> None:
    """And what is written is read again as it was, but for the apostrophe."""
    (cell,) = next(csv.reader(io.StringIO(csv_text([[plain_text(text)]]), newline=""))) if text else ("",)
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert cell.removeprefix("'") == text.removeprefix("'")


async def test_people_get_the_range_they_look_at(client: httpx.AsyncClient) -> None:
    """The links of the page answer a file with a name, marked as UTF-8 for spreadsheets."""
    answer = await client.get(f"/csv/channels/{CHANNEL}", params={"range": "7d"})
    assert answer.headers["content-disposition"] == (
        'attachment; filename="kasese-hc3-fridge-1-temperature-2026-11-13-2026-11-20.csv"'
    )
    assert answer.text.startswith("\ufefftime_utc,")
    assert len(_rows(await client.get("/csv/facilities/kasese-hc3", params={"range": "24h"}))) > 600


@pytest.mark.parametrize(
    "path", ["/csv/channels/nothing", "/csv/facilities/nothing", "/api/v1/facilities/nothing/readings"]
)
async def test_what_is_not_there_is_not_found(client: httpx.AsyncClient, path: str) -> None:
    """An unknown id is an error before the file begins."""
    assert (await client.get(path)).status_code == 404


async def test_json_stays_what_it_was(client: httpx.AsyncClient) -> None:
    """Whoever accepts anything, or JSON first, gets JSON."""
    for accept in ("*/*", "application/json, text/csv"):
        answer = await client.get(f"/api/v1/channels/{CHANNEL}/readings", headers={"accept": accept})
        assert answer.headers["content-type"] == "application/json"


def test_the_finest_that_is_kept_and_not_too_much() -> None:
    """A month of minutes is raw, a year of many channels is hours, and what nobody keeps finer is days."""
    channel = Channel("c", "f", "e", "n", "c", QUANTITIES["temperature"], timedelta(minutes=1))
    year = (0, 365 * DAY_MS)
    assert finest([channel] * 6, [Kept()] * 6, 0, 30 * DAY_MS) is Resolution.RAW
    assert finest([channel] * 6, [Kept()] * 6, *year) is Resolution.HOUR
    assert finest([channel], [Kept(1, 1)], *year) is Resolution.DAY
    assert expected_lines([channel], *year, Resolution.RAW) == 525_600

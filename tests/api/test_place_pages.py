"""The pages, files and documents of places: the numbers of a small world worked by hand, and who may see what."""

from __future__ import annotations

import csv
import dataclasses
import html
import io
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.parse import urlencode

import httpx
import pytest

from alerts.measures.compute import Measures, Rows, measures_of
from alerts.measures.rows import AlertRow, Period
from api.create import create_api
from api.sight import services_for
from dashboards.figures.facility import facility_figures
from dashboards.figures.places import Figures
from dashboards.figures.watched import watch
from domain.access import Grant, Principal, Role
from domain.channel_day import ChannelDay
from domain.episode import Severity
from domain.instant import DAY_MS, HOUR_MS, to_ms
from domain.places import EquipmentKind, Place
from domain.upkeep import Visit
from tests.api.test_api_pages import FIRST_VIEW_BYTES, HTML, Reader, _weight
from tests.api.world import NOON, World

END_MS = to_ms(NOON) - to_ms(NOON) % DAY_MS
KASESE = {"country": "Uganda", "region": "Rwenzori", "district": "Kasese"}
NAUGHTY = "Kasese / <b>Ünïon</b> & Co?#%2F"


class Nation(World):
    """Three facilities in two districts, with days of one fridge each that are easy to add up."""

    def __init__(self) -> None:
        super().__init__()
        self.add_facility("moved", "=1+1 Clinic", district=NAUGHTY)
        self.fridge = self.add_channel("moved", EquipmentKind.FRIDGE, 'Fridge, "old"', "temperature", {"high": 8.0})
        half = (12 * HOUR_MS, 12 * HOUR_MS)
        self.rows = {
            # 10 days in which 20 h are known: 1 h too cold, 3 h too hot; and the 10 before, twice as bad.
            "kasese-hc3": self._made("kasese-hc3", 1, 8, (20, 1, 3)) + self._made("kasese-hc3", 8, 15, (20, 2, 6)),
            "kilembe-hc2": self._made("kilembe-hc2", 1, 8, (24, 0, 0)) + self._made("kilembe-hc2", 8, 15, (24, 0, 0)),
            "moved": [
                ChannelDay(self.fridge, END_MS - ago * DAY_MS, 9, 9.0, 9.0, 9.0, *half, 0, 12 * HOUR_MS)
                for ago in (2, 3)
            ],
        }  # fmt: skip
        self.visit_log.append(Visit(facility="kasese-hc3", at=NOON - timedelta(days=3), by="Amina", said_at=NOON))

    def _made(self, facility: str, first: int, end: int, hours: tuple[int, int, int]) -> list[ChannelDay]:
        known, below, above = (each * HOUR_MS for each in hours)
        channels = [c for c in self.channels if c.facility == facility]
        fridge, *_ = (c.id for c in channels if c.quantity.name == "temperature")
        supply, *_ = (c.id for c in channels if c.quantity.name == "supply")
        tank, *_ = (c.id for c in channels if c.quantity.name == "tank_level")
        found = []
        for ago in range(first, end):
            start = END_MS - ago * DAY_MS
            found.append(ChannelDay(fridge, start, 9, 5.0, 1.0, 9.0, known, known, below, above))
            found.append(ChannelDay(supply, start, 9, 0.5, 0.0, 1.0, known, 0, 0, 0))
            found.append(ChannelDay(tank, start, 9, 0.5, 0.0, 0.05 if ago == 1 else 0.9, known, 0, 0, 0))
        return found

    def figures(self) -> Figures:
        """Return the figures of the days above; Fridge 2 of a clinic was never heard."""
        directory = self.directory()
        found = {
            id_: facility_figures(watch(directory, id_), self.rows.get(id_, []), END_MS) for id_ in directory.facilities
        }
        return Figures(END_MS, END_MS + HOUR_MS, found)


async def measures(period: Period, place: Place, within: frozenset[str] | None = None) -> Measures:
    """Return one alert a facility that was answered after 10 minutes and mended after 2 hours."""
    started = period.from_ + timedelta(hours=1)
    rows = [
        AlertRow(
            number, "heat", "fridge", facility, Severity.CRITICAL, False, False, started, started,
            started + timedelta(hours=2), started, started + timedelta(minutes=10), False,
        )
        for number, facility in enumerate(within or ["kasese-hc3", "kilembe-hc2", "moved"])
    ]  # fmt: skip
    return measures_of(Rows(rows, [], []), period, place, World().directory())


@pytest.fixture
def nation() -> Nation:
    """Return the world of these tests."""
    return Nation()


@pytest.fixture
async def client(nation: Nation) -> AsyncIterator[httpx.AsyncClient]:
    """Return a client of its API."""
    transport = httpx.ASGITransport(create_api(nation.services(measures=measures)), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield client


def text_of(answer: httpx.Response) -> str:
    """Return what a person reads."""
    main = answer.text.partition("<main")[2]
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", main.partition(">")[2])).split())


def table_of(answer: httpx.Response) -> list[dict[str, str]]:
    """Return the rows of a file."""
    assert answer.content.startswith(b"\xef\xbb\xbf")
    assert b"\n" not in answer.content.replace(b"\r\n", b"")
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"].startswith("attachment")
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


async def test_a_districts_week_in_numbers(client: httpx.AsyncClient) -> None:
    """Shares, hours and days as worked by hand, in words and with signs against the week before.

    Two of six fridges were heard, 7 days each: 140 h + 168 h of the 6 x 168 h there were to watch.
    """
    text = text_of(await client.get("/places", params={**KASESE, "range": "7d"}))
    assert "7 days up to Thu 19 Nov (UTC), against the 7 days before" in text
    # 28 h of 308 h known are out of range: 7 h too cold, 21 h too hot; before 14 h and 42 h.
    assert re.search(r"In range 90\.9 % \+9\.1 points, better of 30\.6 % of the time observed", text)
    assert re.search(r"Too cold 2\.3 % −2\.3 points, better", text)
    assert re.search(r"Too hot 6\.8 % −6\.8 points, better", text)
    # Two supplies that were on for half of what is known; the third facility has one that nobody heard.
    assert re.search(r"Power a day 12\.0 h as before of 61\.1 % of the time observed", text)
    # 12 of 14 days known: both tanks stood empty on the last day.
    assert re.search(r"Water days 85\.7 % −14\.3 points, worse of 66\.7 % of the days observed", text)
    assert "1 of 3 silent now" in text
    assert re.search(r"Until somebody took it 10 min before: 10 min 10 min 3", text)
    assert re.search(r"Until all was well again 2 h before: 2 h", text)


async def test_the_nation_is_a_table_of_its_districts(client: httpx.AsyncClient) -> None:
    """With one country and one region everywhere is the region; the worst district first, by any column."""
    page = await client.get("/places?range=7d")
    text, links = text_of(page), Reader(page.text).links()
    assert "Rwenzori 4 facilities" in text
    assert text.index(NAUGHTY) < text.index("Kasese 3 facilities")
    way = urlencode({"country": "Uganda", "region": "Rwenzori", "district": NAUGHTY})
    (there,) = [each for each in links if each.startswith(f"/places?{way}")]
    assert "1 facility" in text_of(await client.get(there))
    for order, first in (("name", "Kasese"), ("too_cold", "Kasese"), ("power", "Kasese"), ("nonsense", NAUGHTY)):
        rows = table_of(await client.get("/places/parts.csv", params={"range": "7d", "sort": order}))
        assert rows[0]["district"] == first
    facilities = text_of(await client.get("/places?range=7d&level=facility"))
    assert facilities.index("=1+1 Clinic") < facilities.index("Kasese Health Centre III") < facilities.index("Bwera")


async def test_the_worst_fridges_are_named_with_hours_and_model(client: httpx.AsyncClient) -> None:
    """Those known for a day at least; the file has all of them."""
    text = text_of(await client.get("/places", params={**KASESE, "range": "7d"}))
    assert re.search(r"Fridge 1 20\.0 % 83\.3 % observed 7\.0 h 21\.0 h VLS 054A Kasese Health Centre III", text)
    rows = table_of(await client.get("/places/worst.csv", params={"range": "7d"}))
    assert len(rows) == 7
    assert rows[0]["equipment_name"] == 'Fridge, "old"'
    assert rows[0]["facility_name"] == "'=1+1 Clinic"
    assert (rows[0]["out_of_range_percent"], rows[0]["too_hot_hours"]) == ("100.0", "24.0")
    assert {row["out_of_range_percent"] for row in rows if row["equipment_name"] == "Fridge 2"} == {""}


async def test_the_route_says_where_to_go_and_why(client: httpx.AsyncClient, nation: Nation) -> None:
    """Who needs help now, then who is silent, the worst kept first; with equipment, model, last visit, coordinates."""
    nation.facilities[0] = dataclasses.replace(nation.facilities[0], latitude=0.18333, longitude=30.08333)
    nation.add_facility("fine", "Fine Clinic")
    page = await client.get("/places/route?range=7d")
    text = text_of(page)
    assert text.index("Kasese Health Centre III") < text.index("=1+1 Clinic") < text.index("Bwera Hospital")
    assert "Fine Clinic" not in text
    assert "Fridge 1 ( VLS 054A ): too hot for 21.0 h, too cold for 7.0 h: out of range 20.0 % of the time" in text
    assert "Fridge 2 ( VLS 054A ): known only 0 % of the time" in text
    assert "Last visit Tue 17 Nov 15:00 EAT , Amina" in text
    assert "No visit on record" in text
    assert "geo:0.18333,30.08333" in [attributes.get("href") for _, attributes in Reader(page.text).tags]
    rows = table_of(await client.get("/places/route.csv?range=7d"))
    assert (rows[0]["facility"], rows[0]["status"], rows[0]["why"]) == ("kasese-hc3", "critical", "critical")
    assert rows[0]["last_visit"] == "2026-11-17T12:00:00Z"
    document = (await client.get("/api/v1/figures/route?range=7d")).json()
    assert [each["facility"] for each in document["stops"]][:2] == ["kasese-hc3", "moved"]
    assert document["stops"][0]["reasons"][1] == {"why": "too_hot", "equipment": "kasese-hc3/fridge-0"}


async def test_the_document_has_the_same_figures(client: httpx.AsyncClient) -> None:
    """Shares of the observed time that add up to one, null where nothing is known, the parts of the place."""
    answer = await client.get("/api/v1/figures", params={**KASESE, "range": "7d"})
    found = answer.json()
    cold = found["now"]["cold_chain"]
    assert (found["from"], found["to"]) == ("2026-11-13T00:00:00Z", "2026-11-20T00:00:00Z")
    assert cold["in_range"] == pytest.approx(280 / 308)
    assert cold["in_range"] + cold["too_cold"] + cold["too_hot"] == pytest.approx(1)
    assert (cold["too_cold_hours"], cold["too_hot_hours"]) == (7.0, 21.0)
    assert cold["observed"] == pytest.approx(308 / 1008)
    assert found["before"]["cold_chain"]["in_range"] == pytest.approx(252 / 308)
    assert found["now"]["power"] == {"hours_a_day": 12.0, "observed": pytest.approx(308 / 504)}
    assert found["now"]["water"]["with_water"] == pytest.approx(12 / 14)
    ages = {"under_1_hour": 0, "under_4_hours": 2, "under_24_hours": 1, "under_3_days": 0, "older": 0}
    assert found["open_alerts"] == ages
    assert found["answers"]["acknowledge"] == {"number": 3, "median": 600.0, "p90": 600.0}
    silent = next(each for each in found["parts"] if each["facility"] == "bwera-hospital")
    assert silent["silent"] == 1
    assert silent["now"]["cold_chain"]["in_range"] is None
    month = (await client.get("/api/v1/figures", params=KASESE)).json()
    assert month["days"] == 30
    assert month["before"]["cold_chain"]["in_range"] is None


async def test_places_that_are_not_there_are_said_so(client: httpx.AsyncClient) -> None:
    """An unknown place, and a district without its region."""
    assert (await client.get("/places?country=Atlantis", headers=HTML)).status_code == 404
    answer = await client.get("/api/v1/figures?district=Kasese")
    assert answer.status_code == 422
    assert "country" in answer.json()["detail"]


async def test_a_visitor_sees_the_figures_of_their_places_alone(nation: Nation) -> None:
    """A district's technician gets its figures from everywhere; another district is not there."""
    place = Place("Uganda", "Rwenzori", NAUGHTY)
    visitor = Principal("user:1", "Amina", frozenset({Grant(Role.TECHNICIAN, place)}))

    async def amina(_: object) -> Principal:
        return visitor

    services = services_for(visitor, Role.VIEWER, nation.services())
    assert services.figures().by_facility.keys() == {"moved"}
    application = create_api(nation.services())
    application.state.door = dataclasses.replace(application.state.door, recognise=amina)
    transport = httpx.ASGITransport(application, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        found = (await client.get("/api/v1/figures?range=7d")).json()
        assert (found["facilities"], found["district"]) == (1, NAUGHTY)
        assert [each["facility"] for each in found["worst"]] == ["moved"]
        assert (await client.get("/places", params=KASESE, headers=HTML)).status_code == 404
        for path in ("parts", "worst", "route"):
            body = (await client.get(f"/places/{path}.csv?level=facility")).text
            assert "Clinic" in body
            assert "Kasese Health" not in body


async def test_the_page_of_135_districts_is_light(nation: Nation) -> None:
    """At most 40 KB with style and script, the table of all of them open."""
    for number in range(135):
        nation.add_facility(f"hc-{number}", f"Health Post {number}", district=f"District {number}")
        nation.add_channel(f"hc-{number}", EquipmentKind.FRIDGE, "Fridge", "temperature", {"high": 8.0})
    transport = httpx.ASGITransport(create_api(nation.services(measures=measures)))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        assert "District 134" in (await client.get("/places?level=district")).text
        assert await _weight(client, "/places?level=district") <= FIRST_VIEW_BYTES
        assert await _weight(client, "/places/route") <= FIRST_VIEW_BYTES


async def test_before_anything_is_known_the_page_says_so(nation: Nation) -> None:
    """Shortly after a start: what is missing is named, nothing is called well."""
    services = nation.services(figures=Figures)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(create_api(services)), base_url="http://127.0.0.1"
    ) as it:
        text = text_of(await it.get("/places"))
    assert "The figures of 4 facilities are still being worked out." in text
    assert "No day has been counted yet." in text
    assert "In range" not in text
    assert "1970" not in text

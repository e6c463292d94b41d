"""Reports by page and API: ordered, made in another process, looked at, downloaded and issued."""

from __future__ import annotations

import asyncio
import csv
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from io import BytesIO, StringIO

import httpx
import pytest
from pypdf import PdfReader

from api.create import create_api
from api.report_services import ReportKind, ReportOrder
from api.services import Services
from app.backtest import read_directory
from app.reports.desk import Reports
from domain.access import Grant, Principal, Role
from domain.instant import to_ms
from domain.places import Place
from tests.api.world import SteppedClock, World
from tests.app import test_report, test_sla
from tests.app.test_report import on_paper
from tests.app.test_sla import Site

AFTER = datetime(2026, 12, 3, tzinfo=UTC)
clinic = test_sla.clinic
measured = test_report.measured
NOVEMBER = {"facility": "clinic", "month": "2026-11"}


class Bureau:
    """Reports on a clinic, and who asks for them."""

    def __init__(self, reports: Reports, services: Services) -> None:
        self.reports, self.services = reports, services
        self.principal = Principal("user:m", "Mary", frozenset({Grant(Role.MANAGER)}))

    def client(self, accept: str = "text/html") -> httpx.AsyncClient:
        """Return a browser or a program of whoever is signed in."""

        async def recognise(_: object) -> Principal:
            return self.principal

        api = create_api(self.services, recognise=recognise)
        transport = httpx.ASGITransport(api, raise_app_exceptions=False)
        headers = {"Accept": accept, "Origin": "http://localhost"}
        return httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=headers)


@pytest.fixture
async def bureau(measured: Site) -> AsyncIterator[Bureau]:
    """Return the desk with two who work off orders."""
    clock = SteppedClock(to_ms(AFTER))
    reports = Reports(measured.config, clock)
    reports.open()
    directory = await read_directory(measured.config)
    services = World(days=0).services(reports=reports.desk(), directory=lambda: directory, clock=clock)
    working = [asyncio.create_task(reports.jobs.run()) for _ in range(2)]
    yield Bureau(reports, services)
    for each in working:
        each.cancel()
    await asyncio.gather(*working, return_exceptions=True)


async def ordered(bureau: Bureau, browser: httpx.AsyncClient, path: str, **asked: str) -> str:
    """Order a report, wait until it is over and return where it is."""
    answer = await browser.post(path, data=asked)
    assert answer.status_code == 303, answer.text
    address = answer.headers["location"]
    await bureau.reports.jobs.wait(int(address.rsplit("/", 1)[1]), 60)
    return str(address)


async def test_the_form_names_months_and_places(bureau: Bureau) -> None:
    """The last whole month is chosen; of a place that is chosen only the time is asked."""
    async with bureau.client() as browser:
        page = (await browser.get("/sla")).text
        assert '<option value="2026-11" translate="no" selected>November 2026</option>' in page
        assert 'translate="no">Kasese</option>' in page
        page = (await browser.get("/reports?facility=clinic")).text
        assert '<input type="hidden" name="facility" value="clinic">' in page
        assert 'id="district"' not in page
        assert "<bdi>Clinic</bdi>" in page


async def test_contract_figures_are_ordered_and_shown(bureau: Bureau) -> None:
    """With bars, outages in local time, and who made the order in the list."""
    async with bureau.client() as browser:
        address = await ordered(bureau, browser, "/sla", **NOVEMBER)
        page = (await browser.get(address)).text
        assert "November 2026" in page
        assert '<rect class="part-down"' in page
        assert "Fri 20 Nov 13:00" in page
        assert "2:30:00" in page
        assert "http-equiv" not in page
        assert "Mary" in (await browser.get("/sla")).text


async def test_an_order_under_way_says_how_far_it_is_without_a_script(bureau: Bureau) -> None:
    """The page asks for itself again, has a link for who cannot wait, and a button that ends it."""
    async with bureau.client() as browser:
        number = bureau.reports.jobs.start(order_of_all(bureau)).number
        page = (await browser.get(f"/sla/{number}")).text
        assert '<noscript><meta http-equiv="refresh" content="3"></noscript>' in page
        assert "<progress" in page
        assert (await browser.get(f"/sla/{number}/report.csv")).status_code == 409
        await browser.post(f"/sla/{number}/cancel")
        assert "It was cancelled." in (await browser.get(f"/sla/{number}")).text


def order_of_all(bureau: Bureau) -> ReportOrder:
    """Return the order of everything there is."""
    facilities = frozenset(bureau.services.directory().facilities)
    start, end = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
    return ReportOrder(
        kind=ReportKind.SLA, place=Place(), start=start, end=end, facilities=facilities, zone="Africa/Kampala"
    )


async def test_a_period_by_days_begins_at_midnight_of_the_place(bureau: Bureau) -> None:
    """Not at midnight in Greenwich; a month wins over nothing, a wrong one is told on the form."""
    async with bureau.client() as browser:
        asked = {"facility": "clinic", "month": "2026-10", "from": "2026-11-20", "to": "2026-11-21"}
        address = await ordered(bureau, browser, "/sla", **asked)
        assert "Fri 20 Nov 2026 00:00 to Sat 21 Nov 2026 00:00" in (await browser.get(address)).text
        answer = await browser.post("/sla", data={"facility": "clinic", "month": "2026-14"})
        assert answer.status_code == 422
        assert "Write a month as 2026-11" in answer.text
        answer = await browser.post("/sla", data={"facility": "clinic", "month": "2027-01"})
        assert "in the past" in answer.text


async def test_what_was_issued_is_compared_with_what_came_later(bureau: Bureau, measured: Site) -> None:
    """A manager issues it once; the next one on the same period names each figure that changed."""
    async with bureau.client() as browser:
        first = await ordered(bureau, browser, "/sla", **NOVEMBER)
        assert "Issue it" in (await browser.get(first)).text
        for _ in range(2):
            assert (await browser.post(f"{first}/issue")).status_code == 303
        assert "Issued by <bdi>Mary</bdi>" in (await browser.get(first)).text
        await measured.store("mains", [(1440 + 10 * step, 0) for step in range(60)])
        second = await ordered(bureau, browser, "/sla", **NOVEMBER)
        page = (await browser.get(second)).text
    assert "Issued before, as of" in page
    assert "clinic, Monitoring: " in page
    assert "Up 24:10:00, now 34:10:00" in page.replace("\u2068", "").replace("\u2069", "")


async def test_a_viewer_issues_nothing(bureau: Bureau) -> None:
    """There is no button, and the address refuses."""
    bureau.principal = Principal("user:v", "Vera", frozenset({Grant(Role.VIEWER)}))
    async with bureau.client() as browser:
        address = await ordered(bureau, browser, "/sla", **NOVEMBER)
        assert "Issue it" not in (await browser.get(address)).text
        assert (await browser.post(f"{address}/issue")).status_code == 403


async def test_nobody_orders_beyond_what_they_see(bureau: Bureau) -> None:
    """All places are then those in sight, which nobody issues; a larger place by name is refused."""
    bureau.principal = Principal("user:d", "Dora", frozenset({Grant(Role.MANAGER, Place(facility="clinic"))}))
    async with bureau.client() as browser:
        assert (await browser.post("/sla", data={"district": "Kasese", "month": "2026-11"})).status_code == 403
        assert (await browser.post("/sla", data={"facility": "silent", "month": "2026-11"})).status_code == 404
        address = await ordered(bureau, browser, "/sla", month="2026-11")
        page = (await browser.get(address)).text
        assert "=Silent" not in page
        assert "Issue it" not in page
        assert (await browser.post(f"{address}/issue")).status_code == 422
        number = bureau.reports.jobs.start(order_of_all(bureau)).number
        assert (await browser.get(f"/sla/{number}")).status_code == 404


@on_paper
async def test_a_month_is_ordered_and_downloaded(bureau: Bureau) -> None:
    """As PDF in the reader's language, as CSV that holds all, under a plain name."""
    async with bureau.client() as browser:
        address = await ordered(bureau, browser, "/reports", **NOVEMBER)
        page = (await browser.get(address)).text
        assert "9.5 °C" in page
        assert "How much is known" in page
        sheet = await browser.get(f"{address}/report.csv")
        assert sheet.headers["content-disposition"] == 'attachment; filename="monthly-clinic-2026-11-30.csv"'
        rows = list(csv.DictReader(StringIO(sheet.text.removeprefix("\ufeff"))))
        assert {row["part"] for row in rows} >= {"service", "cold chain", "excursion", "generator", "channel", "alerts"}
        browser.cookies.set("vitals_language", "fr")
        paper = await browser.get(f"{address}/report.pdf")
        assert paper.headers["content-type"] == "application/pdf"
        assert "novembre 2026" in PdfReader(BytesIO(paper.content)).pages[0].extract_text()
        assert (await browser.get(f"{address}/report.outages")).status_code == 200
        assert (await browser.get(address.replace("/reports/", "/sla/"))).status_code == 404


async def test_programs_order_reports(bureau: Bureau) -> None:
    """Accepted at once, asked for until done, and had as JSON."""
    async with bureau.client("application/json") as program:
        wish = {"district": "Kasese", "from": "2026-11-20", "to": "2026-11-21"}
        answer = await program.post("/api/v1/sla", json=wish)
        assert answer.status_code == 202
        address = answer.headers["location"]
        await bureau.reports.jobs.wait(answer.json()["number"], 60)
        found = (await program.get(address)).json()
        assert (found["stage"], found["of"], found["from"]) == ("done", 2, "2026-11-19T21:00:00Z")
        whole = (await program.get(f"{address}/report.json")).json()
        assert whole["indices"]["power"] == found["report"]["indices"]["power"]
        outages = (await program.get(f"{address}/report.outages")).text.splitlines()
        assert outages[1].startswith("clinic,Clinic,Kasese,power,2026-11-20T10:00:00Z,2026-11-20T11:00:00Z,3600,False")
        issued = await program.post(f"{address}/issue", json={})
        assert issued.json()["issued_by"] == "Mary"
        assert (await program.post("/api/v1/sla", json={"district": "Kasese", "month": "x"})).status_code == 422
        assert (await program.delete(address)).status_code == 204


async def test_what_is_not_remembered_is_not_kept(bureau: Bureau, measured: Site) -> None:
    """Files go with the orders, and with the service that took them."""
    async with bureau.client() as browser:
        await ordered(bureau, browser, "/sla", **NOVEMBER)
    folder = measured.config.data / "reports"
    assert len(list(folder.glob("*.json"))) == 1
    state = bureau.reports.jobs.all()[0]
    bureau.reports._forget(state)
    assert list(folder.glob("*.json")) == []
    (folder / "left.json").write_text("{}", "utf-8")
    bureau.reports.open()
    assert list(folder.glob("*.json")) == []


async def test_whoever_looks_at_the_form_waits_for_no_start(bureau: Bureau) -> None:
    """A process stands ready from then on, is used by the next order, and goes where none comes."""
    jobs = bureau.reports.jobs
    async with bureau.client() as browser:
        for _ in range(2):
            assert (await browser.get("/sla?facility=clinic")).status_code == 200
        ready = jobs._ready
        assert ready is not None
        assert ready.is_ready
        await ordered(bureau, browser, "/sla", **NOVEMBER)
        assert jobs.all()[0].result is not None
        assert jobs._ready is None
        await browser.get("/sla")
        again = jobs._ready
        assert again is not None
        assert again is not ready
        await jobs._let_go(again)
        assert not again.is_ready

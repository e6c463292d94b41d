"""``vitals report``: a month of a clinic computed by hand, as CSV and as PDF in the reader's language."""

from __future__ import annotations

import builtins
import csv
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from alerts.silences import Silence, SilenceKind
from alerts.store import AlertStore
from app.database import open_database
from app.output import Output
from app.reports.data import report_csv
from app.reports.monthly import month_asked, monthly, tell_report
from app.reports.paper import as_html, as_pdf
from app.reports.recorded import Asked
from app.reports.sla import sla_since
from dashboards.report.month import month_of
from domain.errors import OperatorError
from domain.places import Place
from tests.app import test_sla
from tests.app.test_sla import DAY, LATER, Site, every_ten

clinic = test_sla.clinic


def _can_print() -> bool:
    try:
        import weasyprint
    except OSError:  # Pango is not here, and only root can install it
        return False
    return bool(weasyprint.__version__)


on_paper = pytest.mark.skipif(not _can_print(), reason="Debian's libpango-1.0-0 is not installed")
NOVEMBER = month_of("2026-11")
AFTER = datetime(2026, 12, 3, tzinfo=UTC)


async def november(clinic: Site, place: Place = Place(facility="clinic")) -> dict[str, Any]:  # noqa: B008 - frozen
    """Return the report on November."""
    asked = await month_asked(clinic.config, place, NOVEMBER)
    return await monthly(clinic.config, asked, now=AFTER, progress=lambda *_: None)


@pytest.fixture
async def measured(clinic: Site) -> Site:
    """Return a clinic that was heard on one day: a warm fridge, a power cut with a generator in the middle of it."""
    await clinic.store("fridge", [*every_ten(0, 720, 5), *every_ten(720, 780, 9.5), *every_ten(780, 1440, 4)])
    await clinic.store("mains", [*every_ten(0, 600, 1), *every_ten(600, 840, 0), *every_ten(840, 1440, 1)])
    await clinic.store("generator", [*every_ten(0, 660, 0), *every_ten(660, 750, 1), *every_ten(750, 1440, 0)])
    return clinic


async def test_a_month_of_a_clinic_by_hand(measured: Site) -> None:
    """To the second; what nobody heard is unknown; a reading stands for twenty minutes at most."""
    data = await november(measured)
    clinic = data["facilities"][0]
    assert (data["from"], data["month"], data["timezone"]) == ("2026-10-31T21:00:00Z", "2026-11", "Africa/Kampala")
    assert clinic["services"]["power"]["down_seconds"] == 3600 + 5400
    assert [each["seconds"] for each in clinic["services"]["power"]["outages"]] == [3600, 5400]
    (fridge,) = clinic["appliances"]
    assert (fridge["in_range_seconds"], fridge["too_hot_seconds"], fridge["too_cold_seconds"]) == (
        23 * 3600 + 600, 3600, 0,
    )  # fmt: skip
    assert fridge["unknown_seconds"] == 29 * 86400 - 600
    (excursion,) = fridge["excursions"]
    assert (excursion["start"], excursion["end"]) == ("2026-11-20T12:00:00Z", "2026-11-20T13:00:00Z")
    assert (excursion["extreme_celsius"], excursion["low_celsius"], excursion["high_celsius"]) == (9.5, 2.0, 8.0)
    assert fridge["mean_kinetic_celsius"] < fridge["worst_day_mean_kinetic_celsius"] < 5.5
    (generator,) = clinic["generators"]
    assert (generator["running_seconds"], generator["runs"]) == (90 * 60, 1)
    heard = {each["quantity"]: each for each in clinic["channels"]}
    assert heard["temperature"]["readings"] == 144
    assert heard["temperature"]["known_seconds"] == 86400 + 600
    assert heard["temperature"]["late"] == 144 - 6  # all of it came at midnight
    assert data["alerts"]["raised"] == clinic["alerts"]["raised"] == 0


async def test_maintenance_of_a_facility_hides_no_excursion(measured: Site) -> None:
    """The services of the contract leave it out; the vaccines were in the fridge nevertheless."""
    async with open_database(measured.config.database_url) as database:
        alerts = AlertStore(database)
        await alerts.create_tables()
        await alerts.silence(
            Silence(
                kind=SilenceKind.MAINTENANCE, reason="new panel", created_by="Grace", created_at=DAY,
                start=DAY, end=DAY + timedelta(days=1), facility="clinic",
            )
        )  # fmt: skip
    clinic = (await november(measured))["facilities"][0]
    assert clinic["services"]["cold_chain"]["planned_seconds"] == 86400
    assert clinic["services"]["cold_chain"]["down_seconds"] == 0
    assert clinic["appliances"][0]["too_hot_seconds"] == 3600


async def test_every_figure_stands_in_the_csv(measured: Site) -> None:
    """A row each; excursions and outages with their times; no name is a formula."""
    rows = list(csv.DictReader(StringIO(report_csv(await november(measured, Place(district="Kasese"))))))
    found = {(row["facility"], row["part"], row["subject"], row["figure"], row["from"]): row["value"] for row in rows}
    at_noon = "2026-11-20T12:00:00Z"
    assert found["clinic", "excursion", "clinic/fridge/temperature", "extreme_celsius", at_noon] == "9.5"
    assert found["clinic", "cold chain", "clinic/fridge", "too_hot_seconds", ""] == "3600"
    assert found["clinic", "generator", "clinic/generator", "running_seconds", ""] == "5400"
    assert found["clinic", "service", "power", "outage_seconds", "2026-11-20T10:00:00Z"] == "3600"
    assert {row["name"] for row in rows} == {"Clinic", "'=Silent"}


def text_of(pdf: bytes) -> str:
    """Return what stands in a PDF."""
    return "\n".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages)


@on_paper
async def test_the_report_on_paper(measured: Site, tmp_path: Path) -> None:
    """Facility, month, figures with units, the caveat, room for signatures, and the number of each page."""
    out = tmp_path / "clinic.pdf"
    await tell_report(
        measured.config, Place(facility="clinic"), NOVEMBER, now=AFTER, output=Output("pdf", out),
        progress=lambda *_: None, say=print,
    )  # fmt: skip
    text = text_of(out.read_bytes())
    for said in ("Clinic", "November 2026", "9.5 °C", "2.0 to 8.0 °C", "1:00:00", "nothing on freezing",
                 "Prepared by", "Checked by", "1 / 2", "Vitals 0.1.0", "Fri 20 Nov 15:00 EAT"):  # fmt: skip
        assert said in text, said


@on_paper
@pytest.mark.parametrize("language", ["fr", "pt", "sw", "ar"])
async def test_a_report_is_in_the_language_of_its_reader(measured: Site, language: str) -> None:
    """No English sentence is left; Arabic runs from right to left and its letters are in the font."""
    for kind, data in (("monthly", await november(measured)), ("sla", await contract(measured))):
        page = as_html(kind, data, language)
        assert f'lang="{language}" dir="{"rtl" if language == "ar" else "ltr"}"' in page
        assert "Signatures" not in page or language == "fr"
        pdf = as_pdf(kind, data, language)
        fonts = {str(font.get_object()["/BaseFont"]) for font in _fonts(pdf)}
        assert fonts
        assert all("DejaVu" in font for font in fonts), fonts


def _fonts(pdf: bytes) -> Iterator[Any]:
    for page in PdfReader(BytesIO(pdf)).pages:
        yield from page["/Resources"]["/Font"].values()  # type: ignore[index]  # a dictionary of a PDF


async def contract(clinic: Site) -> dict[str, Any]:
    """Return the contract figures of the day."""
    asked = Asked(Place(district="Kasese"), DAY, DAY + timedelta(days=1))
    return await sla_since(clinic.config, asked, now=LATER, progress=lambda *_: None)


@on_paper
async def test_the_contract_figures_on_paper(measured: Site) -> None:
    """By service, with outages and when they were; a facility without anything says so."""
    text = text_of(as_pdf("sla", await contract(measured), "en"))
    assert "89.583 %" in text  # 21.5 of 24 hours
    assert "2:30:00" in text
    assert "Fri 20 Nov 13:00 EAT" in text
    assert "SAIFI" in text
    assert "=Silent" in text


async def test_a_pdf_needs_a_file(measured: Site) -> None:
    """It is said before the figures are computed."""
    with pytest.raises(OperatorError, match="--out"):
        await tell_report(
            measured.config, Place(), NOVEMBER, now=AFTER, output=Output("pdf"), progress=lambda *_: None, say=print
        )
    with pytest.raises(OperatorError, match="allowed: en, ar, fr, pt, sw"):
        Output("csv", language="tlh").check()


async def test_a_missing_library_names_what_to_install(measured: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python's package is an extra; its libraries are Debian's."""
    data = await november(measured)
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    with pytest.raises(OperatorError, match=r"pip install 'vitals\[report\]'"):
        as_pdf("monthly", data, "en")
    usual = builtins.__import__

    def without_pango(name: str, *rest: Any, **named: Any) -> Any:
        if name == "weasyprint":
            raise OSError("cannot load library 'libpango-1.0-0'")
        return usual(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without_pango)
    with pytest.raises(OperatorError, match=r"libpango-1\.0-0 libpangoft2-1\.0-0 libharfbuzz-subset0"):
        as_pdf("monthly", data, "en")

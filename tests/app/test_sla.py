"""``vitals sla``: a day whose figures are computed by hand, to the second; late data; what was issued before."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from alerts.silences import Silence, SilenceKind
from alerts.store import AlertStore
from app.config import ServiceConfig, read_config
from app.database import open_database
from app.output import Output
from app.reports.recorded import Asked
from app.reports.sla import sla, tell_sla
from collector.journal.journal import Journal
from domain.document import Document
from domain.errors import OperatorError
from domain.instant import SECOND_MS, to_ms
from domain.places import Place
from domain.reading import Quality, Reading
from domain.upkeep import Upkeep, UpkeepState
from registry.history import Occasion
from registry.store import RegistryStore
from registry.upkeep import UpkeepStore

DAY = datetime(2026, 11, 20, tzinfo=UTC)
NEXT = DAY + timedelta(days=1)
LATER = DAY + timedelta(days=9)
FACILITY = """\
facilities:
  - id: clinic
    name: Clinic
    country: Uganda
    region: Western
    district: Kasese
    timezone: Africa/Kampala
    nodes: [{id: pi}]
    equipment:
      - {id: mains, kind: mains, name: Mains, channels: [{quantity: supply, node: pi, name: mains, interval: 10min}]}
      - {id: generator, kind: generator, name: Generator, channels: [
          {quantity: running, node: pi, name: generator, interval: 10min}]}
      - {id: fridge, kind: fridge, name: Fridge, channels: [
          {quantity: temperature, node: pi, name: t, interval: 10min, limits: {low: 2 °C, high: 8 °C}}]}
  - {id: silent, name: "=Silent", country: Uganda, region: Western, district: Kasese}
"""
ASKED = Asked(Place(district="Kasese"), DAY, NEXT)


class Site:
    """A clinic, what it measured, and the report on its day."""

    def __init__(self, config: ServiceConfig) -> None:
        self.config = config

    async def store(self, name: str, values: Sequence[tuple[float, float]]) -> None:
        """Store values of a channel, each with its minute of the day."""
        quantity = {"mains": "mains/supply", "generator": "generator/running", "fridge": "fridge/temperature"}[name]
        readings = [
            Reading(f"clinic/{quantity}", to_ms(DAY) + round(minute * 60 * SECOND_MS), value, Quality.GOOD, to_ms(NEXT))
            for minute, value in values
        ]
        async with Journal.open(self.config.data) as journal:
            await journal.commit(readings, [])

    async def report(self, now: datetime = LATER, asked: Asked = ASKED) -> dict[str, Any]:
        """Return the report."""
        return await sla(self.config, asked, now=now, progress=lambda *_: None)

    async def service(self, name: str, now: datetime = LATER) -> dict[str, Any]:
        """Return what the report says of one service of the clinic."""
        data = await self.report(now)
        found: dict[str, Any] = next(each for each in data["facilities"] if each["id"] == "clinic")["services"][name]
        return found


@pytest.fixture
async def clinic(tmp_path: Path) -> Site:
    """Return a clinic that measured nothing yet."""
    (tmp_path / "vitals.yaml").write_text("data: data\n", "utf-8")
    config = read_config(tmp_path / "vitals.yaml", {})
    config.data.mkdir()
    async with open_database(config.database_url) as database:
        registry = RegistryStore(database)
        await registry.create_tables()
        await registry.import_document(Document("r", yaml.safe_load(FACILITY)), occasion=Occasion(1))
    async with Journal.open(config.data):
        pass
    return Site(config)


def every_ten(begin: int, end: int, value: float) -> list[tuple[float, float]]:
    """Return the same value every ten minutes of a stretch of minutes."""
    return [(minute, value) for minute in range(begin, end, 10)]


async def test_a_day_of_power_to_the_second(clinic: Site) -> None:
    """Mains from 0:00 to 6:00 and from 9:30:45 on; a generator from 7:00 to 8:00; nobody heard from 12:00 to 18:00.

    Down are 6:00-7:00 and 8:00-9:30:45; a reading covers twenty minutes, so unknown is 12:10 + 10 min to 18:00.
    """
    await clinic.store("mains", [*every_ten(0, 360, 1), *every_ten(360, 570, 0), (570.75, 1), *every_ten(580, 720, 1)])
    await clinic.store("mains", every_ten(1080, 1440, 1))
    await clinic.store("generator", [*every_ten(0, 420, 0), *every_ten(420, 480, 1), *every_ten(480, 720, 0)])
    found = await clinic.service("power")
    assert found["down_seconds"] == 3600 + 3600 + 30 * 60 + 45
    assert found["unknown_seconds"] == 18 * 3600 - (11 * 3600 + 50 * 60 + 20 * 60)
    assert found["planned_seconds"] == 0
    assert found["up_seconds"] == 24 * 3600 - found["down_seconds"] - found["unknown_seconds"]
    assert [(each["start"][11:19], each["end"][11:19], each["momentary"]) for each in found["outages"]] == [
        ("06:00:00", "07:00:00", False),
        ("08:00:00", "09:30:45", False),
    ]


async def test_what_a_silent_clinic_sends_later_turns_unknown_into_what_it_was(clinic: Site) -> None:
    """No link was not no power; the next report says what changed since the one that was issued."""
    await clinic.store("mains", every_ten(0, 720, 1))
    lines: list[str] = []

    async def issue() -> str:
        lines.clear()
        await tell_sla(
            clinic.config, ASKED, now=LATER, output=Output("table"), issue=True, progress=lambda *_: None,
            say=lines.append,
        )  # fmt: skip
        return "\n".join(lines)

    assert "Since the issue" not in await issue()
    before = await clinic.service("power")
    assert (before["up_seconds"], before["unknown_seconds"]) == (12 * 3600 + 600, 12 * 3600 - 600)
    await clinic.store("mains", [*every_ten(720, 900, 0), *every_ten(900, 1440, 1)])
    after = await clinic.service("power")
    assert (after["down_seconds"], after["unknown_seconds"]) == (3 * 3600, 0)
    told = await issue()
    assert "clinic power: availability 1.0 → 0.875" in told
    assert "clinic monitoring:" in told
    assert "0 figures changed" in await issue()


async def test_the_cold_chain_is_judged_by_the_limits_of_its_time(clinic: Site) -> None:
    """Below, above and on the limit; no reading is no verdict."""
    await clinic.store("fridge", [*every_ten(0, 60, 5), *every_ten(60, 120, 8.1), *every_ten(120, 180, 8.0)])
    await clinic.store("fridge", [*every_ten(180, 240, 1.9), (240, 5)])
    found = await clinic.service("cold_chain")
    assert (found["down_seconds"], found["up_seconds"]) == (7200, 7200 + 1200)


async def test_maintenance_is_left_out_and_shown_from_its_announcement_on(clinic: Site) -> None:
    """What was announced at six for the time from five on counts from six; a rule that is silent is no maintenance."""
    await clinic.store("mains", every_ten(0, 1440, 0))
    six, eight = DAY + timedelta(hours=6), DAY + timedelta(hours=8)
    async with open_database(clinic.config.database_url) as database:
        alerts = AlertStore(database)
        await alerts.create_tables()
        panel = Silence(
            kind=SilenceKind.MAINTENANCE, reason="new panel", created_by="Grace", created_at=six,
            start=DAY + timedelta(hours=5), end=eight, facility="clinic",
        )  # fmt: skip
        for each in (panel, replace(panel, rule="mains-lost", created_at=DAY, end=NEXT)):
            await alerts.silence(each)
    found = await clinic.service("power")
    assert (found["planned_seconds"], found["down_seconds"]) == (7200, 22 * 3600)
    assert [(each["begun_before"], each["goes_on"]) for each in found["outages"]] == [(False, True), (True, True)]


async def test_equipment_out_of_service_counts_as_if_it_were_not_there(clinic: Site) -> None:
    """A fridge taken out at noon harms no figure after noon; a silent generator leaves nothing in doubt after it."""
    await clinic.store("generator", [(0, 0)])
    await clinic.store("fridge", every_ten(0, 1440, 12))
    await clinic.store("mains", every_ten(0, 1440, 0))
    async with open_database(clinic.config.database_url) as database:
        upkeep = UpkeepStore(database)
        noon = DAY + timedelta(hours=12)
        for item in ("clinic/fridge", "clinic/generator"):
            await upkeep.say(Upkeep(item, UpkeepState.OUT_OF_SERVICE, noon, noon, "Grace", "broken"))
    cold, power = await clinic.service("cold_chain"), await clinic.service("power")
    assert (cold["down_seconds"], cold["up_seconds"]) == (12 * 3600, 12 * 3600)
    assert (power["unknown_seconds"], power["down_seconds"]) == (12 * 3600 - 1200, 12 * 3600 + 1200)


async def test_nothing_is_known_of_what_is_still_to_come(clinic: Site) -> None:
    """At noon the day has twelve hours, and an outage goes on."""
    await clinic.store("mains", [*every_ten(0, 660, 1), *every_ten(660, 720, 0)])
    await clinic.store("generator", every_ten(0, 720, 0))
    found = await clinic.service("power", DAY + timedelta(hours=12))
    assert (found["up_seconds"], found["down_seconds"]) == (11 * 3600, 3600)
    assert found["outages"][0]["goes_on"]


async def test_a_silent_facility_is_in_the_report(clinic: Site, tmp_path: Path) -> None:
    """It has no service that is watched, and its name is no formula in the file; figures are the same in each form."""
    await clinic.store("mains", every_ten(0, 1440, 1))
    data = await clinic.report()
    assert [each["id"] for each in data["facilities"]] == ["clinic", "silent"]
    assert data["indices"]["power"] == {
        "facilities": 1, "sustained": 0, "momentary": 0, "saifi": 0.0, "saidi_minutes": 0.0, "caidi_minutes": None,
        "maifi": 0.0,
    }  # fmt: skip
    for form in ("csv", "json"):
        await tell_sla(
            clinic.config, ASKED, now=LATER, output=Output(form, tmp_path / form), issue=False,
            progress=lambda *_: None, say=print,
        )  # fmt: skip
    assert json.loads((tmp_path / "json").read_text("utf-8"))["facilities"] == data["facilities"]
    table = (tmp_path / "csv").read_text("utf-8-sig").splitlines()
    assert table[1].startswith("clinic,Clinic,Kasese,power,1.0,86400,0,0,0,0,0")


async def test_a_facility_is_not_down_before_it_was_there(clinic: Site) -> None:
    """Monitoring counts from the first reading on, at whatever report; where nothing ever came there is silence."""
    await clinic.store("mains", every_ten(600, 720, 1))
    found = await clinic.service("monitoring")
    assert (found["unknown_seconds"], found["up_seconds"]) == (600 * 60, 130 * 60)
    assert found["down_seconds"] == (1440 - 730) * 60
    day_before = Asked(Place(), DAY - timedelta(days=1), DAY)
    services = {each["id"]: each["services"] for each in (await clinic.report(asked=day_before))["facilities"]}
    assert services["clinic"]["monitoring"]["unknown_seconds"] == 24 * 3600
    day_after = Asked(Place(), NEXT, NEXT + timedelta(days=1))
    services = {each["id"]: each["services"] for each in (await clinic.report(asked=day_after))["facilities"]}
    assert services["clinic"]["monitoring"]["down_seconds"] == 24 * 3600


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (Asked(Place(district="Kasesse"), DAY, NEXT), "no such district"),
        (Asked(Place(), LATER + timedelta(days=1), LATER + timedelta(days=2)), "the period has not begun"),
    ],
)
async def test_what_cannot_be_reported_is_said(clinic: Site, asked: Asked, sentence: str) -> None:
    """One sentence, and what is allowed."""
    with pytest.raises(OperatorError, match=sentence):
        await clinic.report(asked=asked)

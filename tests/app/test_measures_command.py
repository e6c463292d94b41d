"""``vitals alerts measures``."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from alerts.measures.rows import Period
from app.cli import main
from app.config import ServiceConfig, read_config
from app.database import make_folder, open_database
from app.measures_command import duration, period_of, tell_measures
from domain.errors import OperatorError
from domain.places import Place
from tests.alerts.given import MINUTE, NOON, a_judge, an_episode, ended, opened

DAY = Period(NOON, NOON + timedelta(days=1))


async def a_service(folder: Path) -> ServiceConfig:
    """Return the configuration of a service that told of one alert, which was answered."""
    path = folder / "vitals.yaml"
    path.write_text(f"data: {folder}/data\n", encoding="utf-8")
    config = read_config(path, {})
    make_folder(config.data)
    async with open_database(config.database_url) as database:
        judge = await a_judge(database)
        await judge.record(opened(an_episode()))
        judge.now += 10 * MINUTE
        await judge.store.acknowledge(1, by="amina", now=judge.now, origin="page")
        await judge.record(ended(an_episode()))
    return config


async def test_the_table_is_for_people(tmp_path: Path) -> None:
    """Every figure stands with its word."""
    said: list[str] = []
    await tell_measures(await a_service(tmp_path), DAY, Place(), as_json=False, say=said.append)
    lines = said[0].splitlines()
    assert lines[0] == "From 2026-11-20 12:00 to 2026-11-21 12:00 UTC"
    assert "1 alerts: 1 told, 0 quiet, 0 by late data only" in lines
    assert "answered: 1, half within 10 min, nine of ten within 10 min; 0 unanswered" in lines
    assert "restored: 1, half within 45 min, nine of ten within 45 min; 0 not over" in lines
    assert any(line.split()[:2] == ["heat", "1"] for line in lines)
    assert any(line.split() == ["amina", "0.0", "0.0", "4", "0"] for line in lines)
    [district] = [line for line in lines if "not registered any more" in line]
    assert " ".join(district.split()).endswith("0%/100%/0% rate acceptable; above target: top ten, severities")


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (["--from", "yesterday"], "'yesterday' is no time; allowed: 2026-11-01"),
        (["--from", "2026-11-02", "--to", "2026-11-01"], "not after its beginning"),
        (["--facility", "kasese-3"], "no such facility"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path: Path, asked: list[str], sentence: str) -> None:
    """It is the fault of whoever asked, and said so in a sentence."""
    path = tmp_path / "vitals.yaml"
    path.write_text(f"data: {tmp_path}/data\n", encoding="utf-8")
    (tmp_path / "data").mkdir()
    refused = CliRunner().invoke(main, ["alerts", "measures", "--config", str(path), *asked])
    assert (refused.exit_code, sentence in refused.output) == (2, True), refused.output


async def test_json_is_for_programs(tmp_path: Path) -> None:
    """It is the document of the API."""
    said: list[str] = []
    await tell_measures(await a_service(tmp_path), DAY, Place(), as_json=True, say=said.append)
    found = json.loads(said[0])
    assert (found["told"], found["acknowledge"]["median"]) == (1, 600.0)


async def test_an_unknown_place_is_refused(tmp_path: Path) -> None:
    """Noughts for a misspelt district would be a lie."""
    config = await a_service(tmp_path)
    with pytest.raises(OperatorError, match="no such district"):
        await tell_measures(config, DAY, Place(district="Kasesse"), as_json=False, say=print)


def test_a_period_from_dates() -> None:
    """By default the thirty days before now."""
    assert period_of("2026-11-01", "2026-11-02", NOON).length == timedelta(days=1)
    assert period_of(None, None, NOON) == Period(NOON - timedelta(days=30), NOON)
    with pytest.raises(OperatorError, match="allowed: 2026-11-01"):
        period_of("yesterday", None, NOON)


@pytest.mark.parametrize("end", ["0001-01-01", "1969-12-31", "2200-01-01"])
def test_a_time_out_of_reach_is_refused(end: str) -> None:
    """Also the first day of the calendar, before which there are no thirty days; the API allows the same years."""
    with pytest.raises(OperatorError, match="out of reach; allowed: the years 1970 to 2199"):
        period_of(None, end, NOON)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(45, "45 s"), (300, "5 min"), (3600, "1 h"), (12_000, "3 h 20 min"), (172_800, "2 d"), (187_200, "2 d 4 h")],
)
def test_lengths_as_people_say_them(seconds: int, words: str) -> None:
    """No more than two units."""
    assert duration(timedelta(seconds=seconds)) == words


def test_the_command_explains_itself() -> None:
    """It stands in the group of alerts."""
    shown = CliRunner().invoke(main, ["alerts", "measures", "--help"])
    assert shown.exit_code == 0
    assert "--district" in shown.output

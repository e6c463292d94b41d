"""Recordings: real CSV files come out as readings, and a bad row is named with file, row and column."""

from itertools import pairwise
from pathlib import Path

import pytest
from pydantic import ValidationError

from domain.errors import DocumentError, OperatorError
from domain.instant import parse_rfc3339, to_ms
from domain.reading import Quality, Sample
from edge.drivers import create_driver
from edge.drivers.replay import ReplaySettings
from edge.recordings import CsvMapping, mapping_of, replay_samples
from tests.edge.clocks import JumpingClock

DATA = Path(__file__).parents[2] / "../shared/data"
QTAG = DATA / "coldchain/berlinger/qtagCLm_RCPJ00010_02.readings.csv"
ESMI = DATA / "power/esmi_2015-01-04_APU001_APU002_APU003_1min.csv"

needs_data = pytest.mark.skipif(not DATA.exists(), reason="the folder with recorded data is not here")

PLAIN = CsvMapping(time="at", value="celsius", channel="fridge")


def written(tmp_path: Path, *rows: str) -> Path:
    """Return a file with a header and these rows."""
    file = tmp_path / "recording.csv"
    file.write_text("\n".join(("at,celsius,place", *rows)) + "\n", encoding="utf-8")
    return file


@needs_data
def test_the_qtag_log_is_read_whole() -> None:
    """124 rows, ten minutes apart, in device time taken as UTC."""
    samples = list(replay_samples([QTAG], mapping_of("qtag", channel="probe")))
    assert len(samples) == 124
    assert samples[0] == Sample("probe", to_ms(parse_rfc3339("2022-11-08T04:49:00Z")), 4.4, Quality.GOOD, "Cel")
    assert {b.measured_at_ms - a.measured_at_ms for a, b in pairwise(samples)} == {600_000}
    assert (min(s.value or 0 for s in samples), max(s.value or 0 for s in samples)) == (0.9, 24.3)


@needs_data
def test_the_voltages_are_read_station_by_station() -> None:
    """Each station is a channel, in Indian time; one of them can be chosen and named."""
    samples = list(replay_samples([ESMI], mapping_of("esmi")))
    assert {sample.name for sample in samples} == {"APU001", "APU002", "APU003"}
    chosen = list(replay_samples([ESMI], mapping_of("esmi", where={"station": "APU002"}, channel="mains")))
    assert len(chosen) == 300
    assert chosen[0].measured_at_ms == to_ms(parse_rfc3339("2015-01-04T10:00:00+05:30"))
    assert sum(sample.value is not None and sample.value > 253 for sample in chosen) == 177


@pytest.mark.parametrize(
    ("row", "place", "found"),
    [
        ("2020-01-01 00:00,warm,a", "3:2: celsius", "'warm'"),
        ("2020-01-01 00:00,nan,a", "3:2: celsius", "'nan'"),
        ("2020-01-01 00:00,1e999,a", "3:2: celsius", "'1e999'"),
        ("2020-01-01 00:00", "3:2: celsius", "a row that ends before it"),
        ("yesterday,4.5,a", "3:1: at", "'yesterday'"),
        ("1970-01-01 00:00,4.5,a", "3:1: at", "'1970-01-01 00:00'"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, row: str, place: str, found: str) -> None:
    """The error says which file, row and column, what stands there and what may; rows before it were read."""
    file = written(tmp_path, "2019-12-31 23:59,4.5,a", row)
    samples = replay_samples([file], PLAIN)
    assert next(samples).value == 4.5
    with pytest.raises(DocumentError) as refusal:
        next(samples)
    message = str(refusal.value)
    assert message.startswith(f"{file}:{place}: found {found}; allowed: ")


def test_a_missing_column_is_named_with_those_that_are_there(tmp_path: Path) -> None:
    """A wrong mapping is told before the first row."""
    with pytest.raises(DocumentError, match="fahrenheit: found no such column; allowed: at, celsius, place"):
        list(replay_samples([written(tmp_path)], CsvMapping(time="at", value="fahrenheit", channel="a")))


def test_a_value_that_was_not_measured_stays_missing(tmp_path: Path) -> None:
    """Unavailable is not zero."""
    file = written(tmp_path, "2020-01-01 00:00,unavailable,a", "2020-01-01 00:01,---,a")
    assert [(s.value, s.quality) for s in replay_samples([file], PLAIN)] == [(None, Quality.SENSOR_GONE)] * 2


def test_times_are_read_in_their_own_zone_format_and_offset(tmp_path: Path) -> None:
    """A zone in the text wins over the mapping's; another shape of time can be described."""
    nairobi = PLAIN.model_copy(update={"zone": "Africa/Nairobi"})
    file = written(tmp_path, "2020-01-01 03:00,1,a", "2020-01-01T00:00:00Z,2,a")
    first, second = replay_samples([file], nairobi)
    assert first.measured_at_ms == second.measured_at_ms == to_ms(parse_rfc3339("2020-01-01T00:00:00Z"))
    file = written(tmp_path, "31/12/19 23:00,1,a")
    (sample,) = replay_samples([file], PLAIN.model_copy(update={"time_format": "%d/%m/%y %H:%M"}))
    assert sample.measured_at_ms == to_ms(parse_rfc3339("2019-12-31T23:00:00Z"))


@pytest.mark.parametrize("name", ["missing.csv", "."])
def test_a_file_that_cannot_be_read_is_the_operators(tmp_path: Path, name: str) -> None:
    """The error names the file."""
    with pytest.raises(OperatorError, match="recording"):
        list(replay_samples([tmp_path / name], PLAIN))


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    """A spreadsheet is not a CSV file."""
    file = tmp_path / "recording.csv"
    file.write_bytes(b"at,celsius\n\xff\xfe\x00")
    with pytest.raises(OperatorError, match="recording"):
        list(replay_samples([file], PLAIN))


@pytest.mark.parametrize("fields", [{}, {"channel": "a", "channel_column": "b"}, {"channel": "a", "zone": "Mars/Base"}])
def test_a_mapping_that_cannot_work_is_refused(fields: dict[str, str]) -> None:
    """A channel is named once, and a zone exists."""
    with pytest.raises(ValidationError):
        CsvMapping.model_validate({"time": "at", "value": "v"} | fields)


def test_an_unknown_format_is_refused_with_the_known_ones() -> None:
    """The error lists what may stand there."""
    with pytest.raises(OperatorError, match="qtag"):
        mapping_of("excel")


async def test_the_driver_hands_out_what_is_due_by_its_clock(tmp_path: Path) -> None:
    """At sixty times the speed a recorded hour takes a minute, whatever the order of the rows."""
    file = written(tmp_path, "2020-01-01 01:00,2,a", "2020-01-01 00:00,1,a", "2020-01-01 02:00,3,a")
    clock = JumpingClock()
    driver = create_driver(ReplaySettings(files=(file,), mapping=PLAIN, speed=60.0), clock)
    seen = []
    for _ in range(4):
        seen.append([sample.value for sample in await driver.read()])
        await clock.sleep(45.0)
    assert seen == [[1.0], [], [2.0], [3.0]]


async def test_the_driver_without_a_speed_hands_out_all(tmp_path: Path) -> None:
    """As fast as it goes, and nothing twice."""
    file = written(tmp_path, *(f"2020-01-01 00:{minute:02},1,a" for minute in range(60)))
    driver = create_driver(ReplaySettings(files=(file,), mapping=PLAIN), JumpingClock())
    assert [len(await driver.read()) for _ in range(2)] == [60, 0]


def test_a_node_names_the_format_of_its_recording() -> None:
    """The settings take a known format and what differs from it."""
    settings = ReplaySettings.model_validate(
        {"files": ["a.csv"], "mapping": {"format": "esmi", "where": {"station": "APU002"}, "channel": "mains"}}
    )
    assert settings.mapping == mapping_of("esmi", where={"station": "APU002"}, channel="mains")

"""DS18B20 probes: measurements are read, and each of the sensor's lies is told from the truth."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.reading import QUALITY_BY_LABEL, Quality, Sample
from edge.drivers import create_driver
from edge.drivers.ds18b20 import Ds18b20Settings, Finding, parse_w1_slave
from tests.edge.clocks import START_MS, JumpingClock

FIXTURES = Path(__file__).parent / "fixtures" / "ds18b20"
RECORDED = Path(__file__).parents[2] / "../shared/data/temperature/w1_slave_cases.json"
PROBE = "28-0316a2795dff"


async def read(root: Path) -> Sample:
    """Return what the driver makes of one probe below this folder."""
    driver = create_driver(Ds18b20Settings(root=root, probes={PROBE: "fridge"}), JumpingClock())
    (sample,) = await driver.read()
    await driver.close()
    return sample


@pytest.mark.parametrize("case", sorted(path.parent.name for path in FIXTURES.glob("*/expected.txt")))
async def test_a_recorded_folder_is_read_as_expected(case: str) -> None:
    """A folder is a test case: sysfs as it was found, and the quality and value it stands for."""
    label, *value = (FIXTURES / case / "expected.txt").read_text().split()
    expected = Sample("fridge", START_MS, float(value[0]) if value else None, QUALITY_BY_LABEL[label], "Cel")
    assert await read(FIXTURES / case) == expected


async def test_a_missing_bus_is_not_a_missing_probe(tmp_path: Path) -> None:
    """Without the kernel's folder it is the bus that does not work."""
    assert (await read(tmp_path / "devices")).quality is Quality.BUS_ERROR


async def test_an_unreadable_file_is_the_bus(tmp_path: Path) -> None:
    """An error of the read itself is the bus, whatever the probe would have said."""
    (tmp_path / PROBE / "w1_slave").mkdir(parents=True)
    assert (await read(tmp_path)).quality is Quality.BUS_ERROR


@pytest.mark.skipif(not RECORDED.exists(), reason="the folder with recorded data is not here")
def test_other_peoples_recordings_are_understood() -> None:
    """Cases recorded by another project, whose two lines are joined by a space."""
    for case in json.loads(RECORDED.read_text())["cases"]:
        answer = parse_w1_slave(case["text"])
        if case["expect"] == "invalid_crc":
            assert answer.finding is Finding.CHECKSUM
        else:
            assert answer == (Finding.MEASURED, case["expect"])


@given(st.text(max_size=120))
def test_no_text_does_worse_than_be_marked(text: str) -> None:
    """A temperature comes only out of a measurement."""
    answer = parse_w1_slave(text)
    assert (answer.celsius is not None) is (answer.finding is Finding.MEASURED)

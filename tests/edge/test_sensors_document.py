"""What a technician is told to write works: every example in the document makes a driver, every measure is named."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from app.documents import parse_document
from app.secrets import resolve_secrets
from edge.calibration import Calibration, CalibrationBook
from edge.drivers import DRIVERS, create_driver
from edge.drivers.modbus_meter import MODELS
from edge.drivers.nut import MEASURES as UPS_MEASURES
from edge.drivers.vedirect import MEASURES as VEDIRECT_MEASURES
from edge.http_presets import PRESETS
from edge.settings import SomeDriver
from tests.edge.clocks import JumpingClock

PATH = Path(__file__).parents[2] / "docs" / "sensors.md"
DOCUMENT = PATH.read_text(encoding="utf-8")
OF_NO_SENSOR = {"health", "replay", "simulator"}


def examples() -> Iterator[dict[str, Any]]:
    """Return the data of every YAML block, read as a node's file is."""
    for block in re.findall(r"```yaml\n(.*?)```", DOCUMENT, re.DOTALL):
        document = resolve_secrets(parse_document(block, "sensors.md"), {"LOGGER_PASSWORD": "secret"}, PATH.parent)
        assert isinstance(document.data, dict)
        yield document.data


DRIVERS_SHOWN: list[dict[str, Any]] = [each for example in examples() for each in example.get("drivers", ())]


@pytest.mark.parametrize("written", DRIVERS_SHOWN, ids=lambda written: str(written["driver"]))
async def test_every_example_makes_a_driver(written: dict[str, Any]) -> None:
    """The settings of an example are accepted, and their driver has the channels that they name."""
    driver = create_driver(TypeAdapter(SomeDriver).validate_python(written), JumpingClock())
    assert driver.channels
    await driver.close()


def test_every_sensor_has_an_example() -> None:
    """A driver that is added to the table is added to the document."""
    assert {written["driver"] for written in DRIVERS_SHOWN} == DRIVERS.keys() - OF_NO_SENSOR


def test_every_measure_is_named() -> None:
    """Whatever can stand in a channel's settings stands in the document."""
    measures = {measure for model in MODELS.values() for measure in model.registers}
    measures |= UPS_MEASURES.keys() | VEDIRECT_MEASURES.keys() | PRESETS.keys()
    named = set(re.findall(r"`([a-z0-9_]+)`", DOCUMENT))
    assert measures <= named


def test_the_calibrations_shown_hold_together() -> None:
    """The example of calibrations is accepted, and corrects channels that examples measure."""
    (written,) = [example["calibrations"] for example in examples() if "calibrations" in example]
    calibrations = TypeAdapter(tuple[Calibration, ...]).validate_python(written)
    CalibrationBook(calibrations).check({"fridge-1/temperature", "room/humidity"})

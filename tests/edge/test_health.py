"""The node's own health: what a machine shows of itself, and what it does not."""

from pathlib import Path
from typing import Any

import pytest

from domain.quantities import QUANTITIES
from domain.reading import Quality
from edge.drivers.health import MEASUREMENTS, HealthDriver, HealthSettings
from edge.status import NodeStatus, write_status
from tests.edge.clocks import JumpingClock
from tests.edge.expectations import FIXTURES, cases, expected, found

CHANNELS: dict[str, Any] = {
    "cpu": "cpu_temperature",
    "supply": "under_voltage",
    "depth": "outbox_depth",
    "signal": "signal",
}


def driver_on(machine: Path, **channels: str) -> HealthDriver:
    """Return the driver of a node on this machine, whose disk has 7 bytes left."""
    settings = HealthSettings.model_validate(
        {"channels": channels, "sys": machine / "sys", "proc": machine / "proc", "status": machine / "status.json"}
    )
    return HealthDriver(settings, JumpingClock(), free=lambda path: 7)


@pytest.mark.parametrize("case", cases("health"))
async def test_a_machine_is_read_as_expected(case: str) -> None:
    """A folder is a machine: what it shows becomes values, what it does not show is a sensor that is gone."""
    folder = FIXTURES / "health" / case
    assert found(await driver_on(folder, **CHANNELS).read()) == expected(folder)


async def test_a_weak_supply_in_the_past_is_told_once() -> None:
    """The firmware remembers an under-voltage until the machine restarts; the channel does not stay at fault."""
    driver = driver_on(FIXTURES / "health" / "supply_was_low_since_boot", supply="under_voltage")
    values = [sample.value for _ in range(3) for sample in await driver.read()]
    assert values == [1.0, 0.0, 0.0]


async def test_the_disk_is_the_one_that_holds_the_outbox(tmp_path: Path) -> None:
    """Where the settings name no disk and no status, the node's own are meant."""
    settings = HealthSettings.model_validate({"channels": {"disk": "free_disk"}})
    placed = settings.in_node(outbox=tmp_path / "state" / "outbox.db", status=tmp_path / "status.json")
    asked: list[Path] = []

    def free(path: Path) -> int:
        asked.append(path)
        return 5_000

    (sample,) = await HealthDriver(placed, JumpingClock(), free=free).read()
    assert (sample.value, asked, placed.status) == (5_000.0, [tmp_path / "state"], tmp_path / "status.json")


async def test_a_file_that_may_not_be_read_is_a_bus_error(tmp_path: Path) -> None:
    """A folder where a file should be: the machine is there and refuses."""
    (tmp_path / "sys/class/thermal/thermal_zone0/temp").mkdir(parents=True)
    (tmp_path / "status.json").mkdir()
    samples = await driver_on(tmp_path, cpu="cpu_temperature", depth="outbox_depth").read()
    assert [sample.quality for sample in samples] == [Quality.BUS_ERROR, Quality.BUS_ERROR]


def test_every_measurement_is_a_known_quantity() -> None:
    """Each row names a quantity that the registry and the stores know."""
    assert {row.quantity for row in MEASUREMENTS.values()} <= set(QUANTITIES)


@pytest.mark.parametrize(("trusted", "value"), [(True, 0.0), (False, 1.0)])
async def test_a_clock_that_the_agent_does_not_believe_is_wrong(tmp_path: Path, trusted: bool, value: float) -> None:
    """The channel says what the agent wrote of the machine's clock."""
    text = (FIXTURES / "health" / "raspberry_pi" / "status.json").read_text(encoding="utf-8")
    status = NodeStatus.model_validate_json(text).model_copy(update={"clock_trusted": trusted})
    write_status(tmp_path / "status.json", status)
    (sample,) = await driver_on(tmp_path, clock="clock").read()
    assert (sample.value, sample.quality) == (value, Quality.GOOD)

"""The technician's commands as typed: what they print and the exit codes that scripts see."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.cli import main
from app.edge_screen import sensors_table, status_text
from domain.reading import Quality, Sample
from edge.commands.config_keeper import config_file
from edge.commands.remote_config import Applied, ConfigState
from edge.status import NodeStatus, Trouble, boot_seconds, sole_agent, write_status
from edge.survey import Found

NOW_MS = 1_763_640_000_000
CONFIG = """\
node: n1
broker: mqtt://127.0.0.1:1
outbox: state/outbox.db
drivers:
  - driver: ds18b20
    root: w1
    probes: {28-000000000001: fridge}
"""
SCRATCHPAD = "48 01 4b 46 7f ff 0c 10 5f"


@pytest.fixture
def node(tmp_path: Path) -> Path:
    """Return the configuration of a node with one probe that measures and one that nobody configured."""
    for device, celsius in (("28-000000000001", 4.5), ("28-000000000002", 21.25)):
        (tmp_path / "w1" / device).mkdir(parents=True)
        text = f"{SCRATCHPAD} : crc=5f YES\n{SCRATCHPAD} t={round(celsius * 1000)}\n"
        (tmp_path / "w1" / device / "w1_slave").write_text(text)
    config = tmp_path / "edge.yaml"
    config.write_text(CONFIG)
    return config


def vitals(*arguments: str | Path) -> Result:
    """Type a command."""
    return CliRunner().invoke(main, [str(each) for each in arguments])


def status_of(node: Path, **changes: object) -> NodeStatus:
    """Write and return what a well agent says of itself."""
    fields: dict[str, object] = {
        "node": "n1",
        "version": "0.1.0",
        "broker": "mqtt://127.0.0.1:1",
        "started_at_ms": NOW_MS - 60_000,
        "written_at_ms": NOW_MS,
        "written_at_boot_seconds": boot_seconds(),
        "clock_trusted": True,
        "connected": True,
        "last_error": None,
        "last_receipt_ms": NOW_MS - 2_000,
        "waiting_readings": 2,
        "oldest_waiting_ms": None,
        "disk_free_bytes": 5_300_000_000,
    }
    status = NodeStatus.model_validate(fields | changes)
    write_status(node.parent / "state/outbox.db.status.json", status)
    return status


def test_sensors_are_shown_with_what_is_not_configured(node: Path) -> None:
    """The first command after plugging in shows the value, and the probe that still needs a name."""
    result = vitals("edge", "sensors", "--config", node)
    assert result.exit_code == 0
    assert result.output.splitlines()[1].split()[:4] == ["fridge", "4.5", "°C", "good"]
    assert "28-000000000002  21.2 °C" in result.output


def test_a_missing_sensor_is_an_exit_code(node: Path) -> None:
    """A script sees that a channel has no value, a person sees why."""
    (node.parent / "w1/28-000000000001/w1_slave").write_text("")
    result = vitals("edge", "sensors", "--config", node)
    assert result.exit_code == 1
    assert "sensor gone: nothing: nobody answers on the line" in result.output


def test_the_configuration_may_stand_before_the_command(node: Path) -> None:
    """Both ways of writing work; none at all is a usage error."""
    assert vitals("edge", "--config", node, "sensors").exit_code == 0
    assert vitals("edge", "sensors").exit_code == 2
    assert "Missing option '--config'" in vitals("edge").output


def test_the_status_of_a_node_that_never_ran(node: Path) -> None:
    """It says what to do."""
    result = vitals("edge", "status", "--config", node)
    assert (result.exit_code, result.output.startswith("! no agent has run here yet")) == (1, True)


def test_the_status_of_a_node_that_is_well(node: Path) -> None:
    """With a running agent and a fresh file the exit code is 0, in words and as JSON."""
    status_of(node)
    with sole_agent(node.parent / "state/outbox.db"):
        words, plain = (vitals("edge", "status", "--config", node, *more) for more in ((), ("--json",)))
    assert words.exit_code == plain.exit_code == 0
    assert words.output.startswith("all is well\n")
    known = json.loads(plain.output)
    assert (known["well"], known["troubles"], known["last_receipt"]) == (True, [], "2025-11-20T11:59:58Z")


def test_a_status_without_its_agent_is_the_last_word(node: Path) -> None:
    """The figures are shown, and that nobody is there any more."""
    status_of(node)
    result = vitals("edge", "status", "--config", node, "--json")
    assert result.exit_code == 1
    assert json.loads(result.output)["troubles"] == ["not_running"]


def test_the_configuration_in_use_is_the_one_that_counts(node: Path) -> None:
    """What came from the service is what the sensors are read with, and the status says where it came from."""
    document = "drivers:\n  - {driver: ds18b20, root: w1, probes: {28-000000000002: room}}\n"
    current = Applied(id="k1", issued_at_ms=NOW_MS, document=document)
    state = ConfigState(current=current, on_trial=True)
    status_of(node)
    config_file(node.parent / "state/outbox.db").write_text(state.model_dump_json())
    assert "room" in vitals("edge", "sensors", "--config", node).output
    assert "k1, from the service, on trial" in vitals("edge", "status", "--config", node).output


def test_a_second_agent_is_refused(node: Path) -> None:
    """Two processes on one outbox would send under the same numbers."""
    with sole_agent(node.parent / "state/outbox.db"):
        result = vitals("edge", "--config", node)
    assert result.exit_code == 2


@pytest.mark.parametrize(
    ("sample", "reason", "shown"),
    [
        (Sample("a", NOW_MS, 5_300_000_000.0, unit="B"), "", ("5.3 GB", "good")),
        (Sample("a", NOW_MS, 0.55, unit="/"), "", ("55 %", "good")),
        (Sample("a", NOW_MS, 230.1, Quality.UNCERTAIN, "V"), "old", ("230.1 V", "uncertain: old")),
        (Sample("a", NOW_MS, 3.0, unit="furlong"), "", ("3 furlong", "good")),
        (Sample("a", NOW_MS, None, Quality.BUS_ERROR), "busy", ("-", "bus error: busy")),
        (None, "nothing to say yet", ("-", "nothing to say yet")),
    ],
)
def test_a_channel_is_one_line(sample: Sample | None, reason: str, shown: tuple[str, str]) -> None:
    """Values stand in the unit that a person reads, qualities in words."""
    line = sensors_table([Found("a", "x", sample, reason, 0.25)]).splitlines()[1]
    assert tuple(part.strip() for part in line.split("  ") if part) == ("a", *shown, "0.2 s", "x")


def test_troubles_come_first(node: Path) -> None:
    """What is wrong is read before the figures; moments are told as time since."""
    status = status_of(node, connected=False, last_error="timed out", oldest_waiting_ms=NOW_MS - 3_600_000)
    text = status_text(status, [Trouble.NO_LINK], ConfigState(), NOW_MS).splitlines()
    assert text[0] == "! no connection to the broker; readings are kept here"
    assert "waiting        2 readings, the oldest of 1h ago" in text
    assert "broker         mqtt://127.0.0.1:1, no connection: timed out" in text

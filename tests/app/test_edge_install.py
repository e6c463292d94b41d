"""What a Pi gets: an install script that may run again, a unit that systemd accepts, an example that is understood."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from app.edge import read_edge_config

DEPLOY = Path(__file__).parents[2] / "deploy" / "edge"
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="the script gives files to other users: it needs root")

LOGGED = '#!/bin/sh\nprintf "%s %s\\n" "${0##*/}" "$*" >>"$CALLS"\n'
PYTHON = (
    LOGGED
    + """\
if [ "$1 $2" = "-m venv" ]; then mkdir -p "$3/bin" && cp "$0" "$3/bin/python"; fi
"""
)


class Machine:
    """A machine in a folder: the script's own paths, and commands that only say that they were called."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.calls = folder / "calls"
        commands = folder / "commands"
        (folder / "units").mkdir()
        commands.mkdir()
        for name in ("systemctl", "useradd", "usermod", "apt-get"):
            (commands / name).write_text(LOGGED)
        (commands / "python3").write_text(PYTHON)
        for command in commands.iterdir():
            command.chmod(0o755)
        places = {
            "PROGRAM": "opt",
            "CONFIGURATION": "etc",
            "STATE": "var",
            "UNITS": "units",
            "COMMANDS": "bin",
            "DOCUMENTATION": "doc",
            "BOOT_CONFIGURATION": "config.txt",
        }
        self._environment = {f"VITALS_{name}": str(folder / place) for name, place in places.items()} | {
            "PATH": f"{commands}:{os.environ['PATH']}",
            "CALLS": str(self.calls),
            "VITALS_ACCOUNT": "root",
        }

    def install(self, *options: str) -> subprocess.CompletedProcess[str]:
        """Run the script; what it called is in ``calls``, anew each time."""
        self.calls.write_text("")
        return subprocess.run(
            ["/bin/sh", DEPLOY / "install.sh", *options],
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def called(self, command: str) -> list[str]:
        """Return the calls of this command."""
        return [line for line in self.calls.read_text().splitlines() if line.startswith(f"{command} ")]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Return a machine that has nothing yet."""
    return Machine(tmp_path)


@needs_root
def test_the_first_run_installs_and_does_not_start(machine: Machine) -> None:
    """A node that does not know who it is must not publish; the key is for the node's user alone."""
    done = machine.install()
    assert done.returncode == 0, done.stderr
    assert machine.called("systemctl") == ["systemctl daemon-reload", "systemctl enable --quiet vitals-edge.service"]
    key = machine.folder / "etc/command.key"
    assert len(bytes.fromhex(key.read_text())) == 32
    assert stat.S_IMODE(key.stat().st_mode) == 0o640
    assert (machine.folder / "etc/edge.yaml").read_text() == (DEPLOY / "edge.yaml").read_text()
    (pip,) = [call for call in machine.called("python") if " pip " in call]
    assert pip.endswith(f"{DEPLOY.parents[1]}[edge,serial,modbus,i2c,gpio]")


@needs_root
def test_another_run_changes_nothing_that_is_configured(machine: Machine) -> None:
    """An upgrade keeps key and configuration, and starts the agent of a node that is configured."""
    machine.install()
    configuration = machine.folder / "etc/edge.yaml"
    key = (machine.folder / "etc/command.key").read_text()
    configuration.write_text("node: kasese-hc3-1\n")
    done = machine.install("--package", "some.whl", "--extras", "")
    assert done.returncode == 0, done.stderr
    assert configuration.read_text() == "node: kasese-hc3-1\n"
    assert (machine.folder / "etc/command.key").read_text() == key
    assert machine.called("systemctl")[-1] == "systemctl restart vitals-edge.service"
    assert not [call for call in machine.called("python3") if "-m venv" in call]
    assert [call for call in machine.called("python") if call.endswith("some.whl[edge]")]


@needs_root
def test_the_one_wire_bus_is_switched_on_once(machine: Machine) -> None:
    """The line stands in the boot configuration once, however often the script runs."""
    boot = machine.folder / "config.txt"
    assert machine.install("--one-wire").returncode == 1
    boot.write_text("arm_64bit=1\n")
    for _ in range(2):
        assert machine.install("--one-wire").returncode == 0
    assert boot.read_text() == "arm_64bit=1\n\n[all]\ndtoverlay=w1-gpio\n"


@needs_root
@pytest.mark.parametrize("options", [["--colour"], ["--extras"]])
def test_a_mistake_on_the_command_line_changes_nothing(machine: Machine, options: list[str]) -> None:
    """What cannot be understood is refused before anything is touched."""
    assert machine.install(*options).returncode == 1
    assert machine.calls.read_text() == ""


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
def test_the_script_is_clean() -> None:
    """Shellcheck finds nothing."""
    found = subprocess.run(["shellcheck", DEPLOY / "install.sh"], capture_output=True, text=True, check=False)
    assert found.stdout == ""


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    """No unknown directive and no contradiction, and a sandbox that systemd calls OK."""
    unit = tmp_path / "vitals-edge.service"
    unit.write_text((DEPLOY / "vitals-edge.service").read_text().replace("/opt/vitals/bin/vitals", "/bin/true"))
    verified = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    assert unit.name not in verified.stderr
    judged = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=25", unit],
        capture_output=True,
        text=True,
        check=False,
    )
    assert judged.returncode == 0, judged.stdout[-200:]


def test_the_example_is_understood(tmp_path: Path) -> None:
    """What a technician starts from has no mistake, with every line that is commented out switched on."""
    text = (DEPLOY / "edge.yaml").read_text()
    switched_on = "\n".join(
        line.replace("# ", "", 1) if line.startswith(("  # ", "# command_key")) else line for line in text.splitlines()
    )
    for content in (text, switched_on):
        (tmp_path / "edge.yaml").write_text(content)
        (tmp_path / "password").write_text("secret")
        (tmp_path / "command.key").write_text("0123456789abcdef" * 4)
        settings = read_edge_config(tmp_path / "edge.yaml", {})
    assert [driver.driver for driver in settings.drivers] == ["health", "ds18b20", "modbus_meter"]
    assert settings.broker.ca_file == tmp_path / "ca.pem"
    assert settings.command_key is not None

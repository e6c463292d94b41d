"""The machine's own clocks, as far as any machine has them."""

from __future__ import annotations

from pathlib import Path

from edge.hardware.machine import LinuxMachine
from edge.keeping_settings import ClockSettings


def test_the_clocks_of_this_machine_answer(tmp_path: Path) -> None:
    """The count since the start goes on, the boot has one name, and the kernel says whether it is synchronised."""
    machine = LinuxMachine(ClockSettings(set_files=(), battery_clocks=tmp_path))
    assert 0 < machine.elapsed_ms() <= machine.elapsed_ms()
    assert machine.boot_name == LinuxMachine(ClockSettings()).boot_name
    assert machine.synchronised() in (True, False)
    assert not machine.set_since_start()
    assert machine.battery_ms() is None


def test_the_witnesses_are_looked_for_where_the_settings_say(tmp_path: Path) -> None:
    """A file of a time service, and the first battery clock that can be read."""
    told = tmp_path / "synchronized"
    for name, content in (("rtc0", "no number"), ("rtc1", "1763640000\n")):
        (tmp_path / "rtc" / name).mkdir(parents=True)
        (tmp_path / "rtc" / name / "since_epoch").write_text(content, encoding="ascii")
    machine = LinuxMachine(ClockSettings(set_files=(told,), battery_clocks=tmp_path / "rtc"))
    assert not machine.set_since_start()
    told.touch()
    assert machine.set_since_start()
    assert machine.battery_ms() == 1_763_640_000_000

"""`vitals edge alarms`: what a technician sees and hears after wiring a buzzer and a modem."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner, Result

from app.cli import main
from app.edge_alarm_trial import try_alarms
from edge.alarms.at import Sent, Trouble
from edge.alarms.modem import Modem
from edge.settings import EdgeSettings

NODE = """\
node: pi-1
broker: mqtt://127.0.0.1:1
outbox: outbox.db
drivers: [{driver: ds18b20, probes: {28-000000000001: fridge}}]
"""
ALARMS = """\
local_alarms:
  place: Bukasa HC3
  rules: [{rule: who-heat}]
  channels: {fridge: {channel: clinic/fridge-1/temperature, quantity: temperature, equipment: fridge}}
  outputs: [{output: file, path: PATH}]
"""


def alarms_of(folder: Path, text: str, *arguments: str) -> Result:
    """Type the command for a node with this file."""
    config = folder / "edge.yaml"
    config.write_text(text)
    command = ["edge", "alarms", "--config", str(config), "--seconds", "0.1", *arguments]
    return CliRunner().invoke(main, command)


def test_every_output_is_driven_and_left_off(tmp_path: Path) -> None:
    """As for a warning, then as for a critical alarm."""
    result = alarms_of(tmp_path, NODE + ALARMS.replace("PATH", "buzzer"))
    assert result.exit_code == 0
    assert result.output.splitlines() == ["file buzzer: warning for 0.1 s", "file buzzer: critical for 0.1 s"]
    assert (tmp_path / "buzzer").read_text() == "0\n"


def test_an_output_that_does_not_work_is_named(tmp_path: Path) -> None:
    """The exit code tells scripts."""
    result = alarms_of(tmp_path, NODE + ALARMS.replace("PATH", "nowhere/buzzer"))
    assert result.exit_code == 1
    assert "file buzzer: does not work" in result.output


def test_without_alarms_or_a_modem_there_is_nothing_to_try(tmp_path: Path) -> None:
    """It says which section is missing."""
    assert "no local_alarms:" in alarms_of(tmp_path, NODE).output
    assert "no local_alarms.sms" in alarms_of(tmp_path, NODE + ALARMS.replace("PATH", "buzzer"), "--sms").output


class Telephone(Modem):
    """A modem with a network for one message."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    async def send(self, number: str, text: str) -> Sent:
        """Take the first message."""
        self.sent.append(f"{number}: {text}")
        return Sent(None, "1") if len(self.sent) == 1 else Sent(Trouble.NO_NETWORK, "+CMS ERROR: 331")


async def test_a_message_goes_to_every_number(tmp_path: Path) -> None:
    """And each is told of with its outcome."""
    sms = {"port": "/dev/ttyUSB2", "numbers": ["+256700000001", "+256700000002"]}
    settings = EdgeSettings.model_validate(
        {
            "node": "pi-1",
            "broker": "mqtt://127.0.0.1:1",
            "outbox": tmp_path / "outbox.db",
            "drivers": [{"driver": "ds18b20", "probes": {"28-000000000001": "fridge"}}],
            "local_alarms": {
                "place": "Bukasa HC3",
                "rules": [{"rule": "who-heat"}],
                "channels": {"fridge": {"channel": "c", "quantity": "temperature", "equipment": "fridge"}},
                "sms": sms,
            },
        }
    )
    said: list[str] = []
    modem = Telephone()
    assert not await try_alarms(settings, sms=True, seconds=0.1, say=said.append, modem=modem)
    assert modem.sent[0] == "+256700000001: TEST Bukasa HC3: alarms of pi-1 reach you."
    assert said == ["SMS to +256700000001: sent", "SMS to +256700000002: no_network (+CMS ERROR: 331)"]

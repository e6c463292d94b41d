"""A node that is told to identify itself: its buzzers and lamps do, unless they have an alarm to tell."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from edge.alarms.outputs import ConsoleOutputSettings, Device, Output, SomeOutput
from edge.alarms.signals import Signals


class Recorded:
    """An output that counts how often it was switched on."""

    def __init__(self, device: Device, counts: dict[Device, int]) -> None:
        self._device, self._counts = device, counts

    def switch(self, *, on: bool) -> None:
        """Count."""
        self._counts[self._device] += on

    def close(self) -> None:
        """Do nothing."""


def opener(counts: dict[Device, int]) -> Callable[[SomeOutput], Output]:
    """Return what opens outputs that count."""
    return lambda settings: Recorded(settings.device, counts)


async def test_buzzers_and_lamps_say_which_node_this_is() -> None:
    """They blink and beep until the time is over; a relay, which may drive a siren, stays off."""
    counts: dict[Device, int] = defaultdict(int)
    moment_s = 100.0
    outputs = [ConsoleOutputSettings(output="console", device=device, steady=False) for device in Device]
    signals = Signals(outputs, silence_s=60, open_=opener(counts), now_s=lambda: moment_s)
    assert signals.drive() is None
    await signals.identify(3)
    while (wait_s := signals.drive()) is not None:
        moment_s += max(wait_s, 0.001)
    assert moment_s >= 103
    assert counts == {Device.BUZZER: 6, Device.LAMP: 6, Device.RELAY: 0}

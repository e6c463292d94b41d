"""Buzzers, buttons and modems: files, pins and a terminal in the place of hardware."""

from __future__ import annotations

import asyncio
import os
import pty
import select
import threading
import tty
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from domain.episode import Episode, Severity, SubjectKind
from edge.alarms.at import Trouble
from edge.alarms.board import Alarm, When
from edge.alarms.button import watch_button
from edge.alarms.modem import Modem
from edge.alarms.outputs import ConsoleOutputSettings, FileOutputSettings, Output, SomeOutput
from edge.alarms.settings import ButtonSettings
from edge.alarms.signals import Signals
from edge.hardware.lines import Edge, OnEdge

START = datetime(2026, 3, 2, 6, tzinfo=UTC)
WAIT_SECONDS = 20.0


def alarm(key: str, severity: Severity = Severity.CRITICAL) -> Alarm:
    """Return an alarm that goes on."""
    return Alarm(Episode(key, "warm", severity, SubjectKind.CHANNEL, "fridge", "", START, START), When.ALWAYS)


class Pin:
    """An output that remembers how it was switched, and fails when told."""

    def __init__(self) -> None:
        self.levels: list[bool] = []
        self.broken = False
        self.closed = False

    def switch(self, *, on: bool) -> None:
        """Remember the level."""
        if self.broken:
            raise OSError("no such device")
        self.levels.append(on)

    def close(self) -> None:
        """Switch off."""
        self.closed = True


BUZZER = ConsoleOutputSettings.model_validate({"output": "console", "steady": False})
RELAY = ConsoleOutputSettings.model_validate({"output": "console", "device": "relay"})


def signals_on(*pins: tuple[SomeOutput, Pin], now_s: list[float], silence_s: float = 600.0) -> Signals:
    """Return signals on these pins, at the moment that stands in ``now_s``."""
    waiting = [pin for _, pin in pins]

    def open_(_: SomeOutput) -> Output:
        return waiting.pop(0)

    return Signals([settings for settings, _ in pins], silence_s=silence_s, open_=open_, now_s=lambda: now_s[0])


def test_a_buzzer_beeps_and_a_relay_holds() -> None:
    """Each as its device does, and both are off when all is well."""
    buzzer, relay, now_s = Pin(), Pin(), [100.0]
    signals = signals_on((BUZZER, buzzer), (RELAY, relay), now_s=now_s)
    signals.drive()
    signals.show([alarm("a")])
    for _ in range(6):
        wait_s = signals.drive()
        assert wait_s is not None
        now_s[0] += wait_s
    signals.show([])
    assert signals.drive() is None
    assert buzzer.levels == [False, True, False, True, False, True, False]
    assert relay.levels == [False, True, False]


def test_the_button_silences_the_buzzer_alone_and_for_a_while() -> None:
    """A lamp or a siren's relay goes on; a new alarm is heard at once."""
    buzzer, relay, now_s = Pin(), Pin(), [100.0]
    signals = signals_on((BUZZER, buzzer), (RELAY, relay), now_s=now_s)
    signals.show([alarm("a")])
    signals.drive()
    signals.silence()
    assert signals.drive() == 600.0
    assert (buzzer.levels[-1], relay.levels[-1]) == (False, True)
    signals.show([alarm("a"), alarm("b")])
    signals.drive()
    assert buzzer.levels[-1]
    signals.show([alarm("a")])
    signals.drive()
    assert not buzzer.levels[-1]
    now_s[0] += 600.0
    signals.drive()
    assert buzzer.levels[-1]


def test_a_pin_that_fails_is_tried_again() -> None:
    """One broken output takes nothing from another."""
    broken, mended, relay, now_s = Pin(), Pin(), Pin(), [0.0]
    broken.broken = True
    waiting: list[Pin] = [broken, relay, mended]
    signals = Signals([RELAY, RELAY], silence_s=1.0, open_=lambda _: waiting.pop(0), now_s=lambda: now_s[0])
    signals.show([alarm("a")])
    wait_s = signals.drive()
    assert relay.levels == [True]
    assert wait_s is not None
    now_s[0] += wait_s
    signals.drive()
    assert mended.levels == [True]


async def test_a_file_shows_the_alarm_and_goes_out_with_the_agent(tmp_path: Path) -> None:
    """As /sys/class/leds/.../brightness would."""
    path = tmp_path / "brightness"
    settings = FileOutputSettings.model_validate({"output": "file", "path": path, "steady": True})
    signals = Signals([settings], silence_s=1.0)
    running = asyncio.create_task(signals.run())
    signals.show([alarm("a")])
    async with asyncio.timeout(WAIT_SECONDS):
        while not path.exists() or path.read_text() != "1\n":  # noqa: ASYNC110 - a file tells nobody that it changed
            await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.wait({running})
    assert path.read_text() == "0\n"


class FakeLine:
    """A line whose level a test sets."""

    def __init__(self, on_edge: OnEdge) -> None:
        self._on_edge = on_edge
        self.high = True
        self.lost = 0
        self.ns = 0

    def now_ns(self) -> int:
        """Return a moment long after the last edge."""
        self.ns += 10**9
        return self.ns

    def is_high(self) -> bool:
        """Return the level."""
        return self.high

    def close(self) -> None:
        """Do nothing."""

    def become(self, *, high: bool) -> None:
        """Change the level."""
        self.high = high
        self._on_edge(Edge(self.now_ns(), high))


@asynccontextmanager
async def button(pressed: Callable[[], None]) -> AsyncIterator[FakeLine]:
    """Watch a button on a line that pulls up."""
    lines: list[FakeLine] = []

    def open_(_: ButtonSettings, on_edge: OnEdge) -> FakeLine:
        lines.append(FakeLine(on_edge))
        return lines[-1]

    settings = ButtonSettings(line=17, debounce_ms=1)
    watching = asyncio.create_task(watch_button(settings, pressed, open_=open_))
    while not lines:  # noqa: ASYNC110 - until the task had its first turn
        await asyncio.sleep(0)
    try:
        yield lines[0]
    finally:
        watching.cancel()
        await asyncio.wait({watching})


async def test_a_press_is_one_press() -> None:
    """Letting go is none."""
    presses: asyncio.Queue[str] = asyncio.Queue()
    async with button(lambda: presses.put_nowait("pressed")) as line, asyncio.timeout(WAIT_SECONDS):
        for _ in range(2):
            line.become(high=False)
            await presses.get()
            line.become(high=True)
        line.become(high=False)
        await presses.get()
    assert presses.empty()


@contextmanager
def simulated_modem(answer: Callable[[bytes], bytes]) -> Iterator[tuple[Path, list[bytes]]]:
    """A terminal that answers what is written to it word by word, as a modem does; yields its path and the words."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    hung_up, hang_up = os.pipe()
    words: list[bytes] = []

    def talk() -> None:
        heard = b""
        while hung_up not in (ready := select.select([master, hung_up], [], [])[0]):
            heard += os.read(ready[0], 256)
            while (end := next((i for i, byte in enumerate(heard) if byte in b"\r\x1a"), None)) is not None:
                word, heard = heard[: end + 1].lstrip(b"\x1b"), heard[end + 1 :]
                words.append(word)
                os.write(master, answer(word))

    thread = threading.Thread(target=talk, daemon=True)
    thread.start()
    try:
        yield Path(os.ttyname(slave)), words
    finally:
        os.write(hang_up, b"!")
        thread.join()
        for each in (slave, master, hung_up, hang_up):
            os.close(each)


def obliging(word: bytes) -> bytes:
    """Answer as a modem with a SIM card and a network."""
    if word.startswith(b"AT+CMGS"):
        return b"\r\n> "
    if word.endswith(b"\x1a"):
        return b"\r\n+CMGS: 42\r\n\r\nOK\r\n"
    return b"\r\nOK\r\n"


async def test_an_sms_goes_through_a_serial_port() -> None:
    """The real library on a real terminal: number and text arrive, the reference comes back."""
    pytest.importorskip("serial")
    with simulated_modem(obliging) as (path, words):
        modem = Modem(path, 115_200, answer_seconds=WAIT_SECONDS)
        sent = await modem.send("+256700000001", "ALARM Bukasa HC3: 9.4°C_")
        again = await modem.send("+256700000001", "OK")
    assert (sent.trouble, sent.detail, again.trouble) == (None, "42", None)
    assert words[5] == b'AT+CMGS="+256700000001"\r'
    assert words[6] == b"ALARM Bukasa HC3: 9.4C-\x1a"


async def test_a_silent_modem_and_a_missing_one_are_no_answer(tmp_path: Path) -> None:
    """Neither holds anybody up."""
    pytest.importorskip("serial")
    with simulated_modem(lambda _: b"") as (path, _):
        silent = await Modem(path, 115_200, answer_seconds=0.3).send("+256700000001", "ALARM")
    missing = await Modem(tmp_path / "ttyUSB9", 115_200).send("+256700000001", "ALARM")
    assert (silent.trouble, missing.trouble) == (Trouble.NO_ANSWER, Trouble.NO_ANSWER)

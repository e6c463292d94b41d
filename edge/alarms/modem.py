"""A GSM modem on a serial port: opened for one message, closed after it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Protocol

from edge.alarms.at import Sent, SmsDialogue, Trouble
from edge.hardware.blocking import Lane
from edge.hardware.libraries import hardware_library

logger = logging.getLogger(__name__)

ANSWER_SECONDS = 60.0
"""A network that is busy takes its time; 3GPP TS 27.005 names no limit, modems do: 40 to 60 s."""
CHUNK_SECONDS = 0.2


class Port(Protocol):
    """As much of a serial port as the conversation needs."""

    def read(self, size: int = 1) -> bytes:
        """Return up to so many bytes; fewer, or none, when the time-out passes."""

    def write(self, data: bytes) -> int | None:
        """Send the bytes."""

    def close(self) -> None:
        """Let the port go."""


def open_port(path: Path, baud: int) -> Port:
    """Return the port, emptied of what came before; raises ``OSError`` and ``OperatorError``."""
    serial = hardware_library("serial", extra="serial")
    port: Port = serial.Serial(str(path), baud, timeout=CHUNK_SECONDS, write_timeout=5.0, exclusive=True)
    return port


def converse(open_: Callable[[], Port], dialogue: SmsDialogue, seconds: float, now_s: Callable[[], float]) -> Sent:
    """Hold the conversation, at most for so many seconds; blocks, raises ``OSError``."""
    port = open_()
    try:
        port.write(dialogue.start())
        until_s = now_s() + seconds
        while dialogue.outcome is None and now_s() < until_s:
            if answer := dialogue.receive(port.read(256)):
                port.write(answer)
        if dialogue.outcome is None:
            port.write(dialogue.give_up())
        return dialogue.outcome or Sent(Trouble.NO_ANSWER, "")
    finally:
        port.close()


class Modem:
    """Sends one message at a time."""

    def __init__(
        self,
        path: Path,
        baud: int,
        *,
        answer_seconds: float = ANSWER_SECONDS,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = path
        self._open = partial(open_port, path, baud)
        self._answer_seconds = answer_seconds
        self._now_s = now_s
        self._lane = Lane(f"modem {path}")

    async def send(self, number: str, text: str) -> Sent:
        """Send a message and return what became of it; raises ``OperatorError`` where pyserial is missing."""
        dialogue = SmsDialogue(number, text)
        work = partial(converse, self._open, dialogue, self._answer_seconds, self._now_s)
        try:
            return await self._lane.run(work, timeout_seconds=self._answer_seconds + 10.0)
        except OSError as error:  # pyserial's errors and time-outs are of this kind
            return Sent(Trouble.NO_ANSWER, f"{self._path}: {error}")

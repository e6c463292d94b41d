"""An I2C bus that plays a recorded talk, and objects to any other."""

from __future__ import annotations

import errno
import os
from collections import deque
from pathlib import Path


class PlayedBus:
    """Both ends of a recorded talk: what the driver must say, and what the device answers."""

    def __init__(self, folder: Path) -> None:
        lines = (folder / "bus.txt").read_text(encoding="utf-8").splitlines()
        self._talk = deque(line.split() for line in lines)
        self.is_open = False

    def open(self, number: int) -> PlayedBus:
        """Open it, as the driver does."""
        assert number == 1
        if self._talk[0][0] == "open":
            self._answer(self._talk.popleft()[1])
        self.is_open = True
        return self

    def write(self, address: int, data: bytes) -> None:
        """Take what is written, or fail as recorded."""
        _, _, said, *failure = self._next(address, "<")
        assert said == data.hex()
        for name in failure:
            self._answer(name)

    def read(self, address: int, size: int) -> bytes:
        """Answer as recorded."""
        return self._answer(self._next(address, ">")[2])[:size]

    def write_read(self, address: int, data: bytes, size: int) -> bytes:
        """Take what is written, and answer as recorded."""
        _, _, said, answer = self._next(address, "<>")
        assert said == data.hex()
        return self._answer(answer)[:size]

    def close(self) -> None:
        """Close it."""
        self.is_open = False

    @property
    def finished(self) -> bool:
        """Tell whether the talk was held to its end, and the bus let go."""
        return not self._talk and not self.is_open

    def _next(self, address: int, sign: str) -> list[str]:
        turn = self._talk.popleft()
        assert turn[:2] == [f"{address:02x}", sign]
        return turn

    @staticmethod
    def _answer(text: str) -> bytes:
        if text.startswith("E"):
            number = getattr(errno, text)
            raise OSError(number, os.strerror(number))
        return bytes.fromhex(text)

"""Acknowledgements of one connection: each after its message's fate is known, all in the order the messages came."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(slots=True, eq=False)
class _Owed:
    message_id: int
    stored: bool | None = None


class Acknowledgements:
    """What was read on one connection and is not acknowledged, oldest first.

    MQTT wants acknowledgements in the order of the messages (3.1.1, section 4.6), so one that is settled early waits
    for those before it. One that is not stored is passed over: its broker sends it again on the next connection.
    """

    def __init__(self, acknowledge: Callable[[int], object]) -> None:
        self._acknowledge = acknowledge
        self._owed: deque[_Owed] = deque()
        self._closed = False

    def __len__(self) -> int:
        return len(self._owed)

    def expect(self, message_id: int) -> Callable[[bool], None]:
        """Note a message that came; return what to call, once, when it is known whether it is stored."""
        owed = _Owed(message_id)
        self._owed.append(owed)

        def settle(stored: bool) -> None:
            owed.stored = stored
            self._send_on()

        return settle

    def close(self) -> None:
        """Acknowledge nothing more: the connection is gone, and its ids mean other messages on the next."""
        self._closed = True
        self._owed.clear()

    def _send_on(self) -> None:
        while not self._closed and self._owed and self._owed[0].stored is not None:
            owed = self._owed.popleft()
            if owed.stored:
                self._acknowledge(owed.message_id)

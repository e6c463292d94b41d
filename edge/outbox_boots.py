"""Whose clock a reading has: one timeline per boot of the machine, and what is known of its place in time.

A reading is kept with the milliseconds since its machine started, which no step of the wall clock can change. As soon
as one moment of a boot is known in both clocks, so is every other moment of that boot.
"""

from __future__ import annotations

import logging
import sqlite3
from typing import NamedTuple

from edge.outbox_file import ABSOLUTE_BOOT

logger = logging.getLogger(__name__)

_KEPT_BOOTS = 50
"""Boots without readings that are remembered, so that a clock that goes back is noticed."""


class BootTimeline(NamedTuple):
    """The boot in which this process runs; readings come in milliseconds since it began."""

    name: str
    """What the kernel calls it."""
    guess_ms: int
    """What the wall clock claims to have been at its beginning; for showing only."""


class Boot(NamedTuple):
    """What is known of one boot."""

    offset_ms: int | None
    """Its beginning in milliseconds since 1970; None while nobody knows."""
    estimated: bool = False
    """The offset is the latest possible one."""
    last_ms: int | None = None
    """Its latest moment that was written down so far."""


class Boots:
    """The boots of which readings are kept, the latest last; the caller holds the transaction."""

    def __init__(self, connection: sqlite3.Connection, timeline: BootTimeline | None) -> None:
        self._connection = connection
        self._guess_ms = 0 if timeline is None else timeline.guess_ms
        self.current = ABSOLUTE_BOOT if timeline is None else _number_of(connection, timeline.name)
        self._known: dict[int, Boot] = {}
        self.load()

    def load(self) -> None:
        """Read everything again."""
        rows = self._connection.execute("SELECT id, offset_ms, estimated, last_ms FROM boot ORDER BY id")
        self._known = {number: Boot(offset, bool(estimated), last) for number, offset, estimated, last in rows}

    def forget_old(self, needed: set[int]) -> None:
        """Forget boots of long ago of which nothing waits."""
        for number in [number for number in self._known if number not in needed][:-_KEPT_BOOTS]:
            if number not in (ABSOLUTE_BOOT, self.current):
                self._connection.execute("DELETE FROM boot WHERE id = ?", (number,))
                del self._known[number]

    def __getitem__(self, number: int) -> Boot:
        return self._known[number]

    def held(self) -> list[int]:
        """Return the boots whose readings cannot be sent yet: over, and their time unknown."""
        return [number for number, boot in self._known.items() if boot.offset_ms is None and number != self.current]

    def age_ms(self, number: int, moment_ms: int, now_ms: int) -> int | None:
        """Return how long ago a boot's moment was at the current boot's ``now_ms``; None where nobody knows."""
        if number == self.current:
            return now_ms - moment_ms
        then, now = self._known[number].offset_ms, self._known[self.current].offset_ms
        return None if then is None or now is None else now_ms + now - moment_ms - then

    def shown_ms(self, number: int, moment_ms: int) -> int:
        """Return the moment in milliseconds since 1970 as well as it is known now."""
        offset_ms = self._known[number].offset_ms
        current_ms = self._known[self.current].offset_ms
        latest_ms = self._guess_ms if current_ms is None else current_ms
        if offset_ms is not None:
            return moment_ms + offset_ms
        return moment_ms + latest_ms if number == self.current else latest_ms

    def known_ms(self) -> int | None:
        """Return the latest moment that has certainly passed: the end of the last boot whose clock was trusted.

        An earlier boot that claims to have ended later had a wrong clock.
        """
        for boot in reversed(self._known.values()):
            if boot.last_ms is not None and boot.offset_ms is not None and not boot.estimated:
                return boot.last_ms + boot.offset_ms
        return None

    def seen(self, number: int, moment_ms: int, step_ms: int) -> None:
        """Write down that a boot lasted until this moment, where that is news by at least ``step_ms``."""
        boot = self._known[number]
        if boot.last_ms is None or moment_ms - boot.last_ms >= step_ms:
            self._connection.execute("UPDATE boot SET last_ms = ? WHERE id = ?", (moment_ms, number))
            self._known[number] = boot._replace(last_ms=moment_ms)

    def place(self, offset_ms: int) -> None:
        """Write down when the current boot began; boots before it get the latest place that is possible."""
        self._place(self.current, offset_ms, estimated=False)
        self.estimate(before_ms=offset_ms)

    def estimate(self, before_ms: int) -> None:
        """Give boots that are over and never had a trusted clock the latest place before this moment.

        Each ended before the next one began. How long the machine was off in between, nobody knows.
        """
        for number in sorted(self._known, reverse=True):
            boot = self._known[number]
            if number >= self.current and self.current != ABSOLUTE_BOOT:
                continue
            if boot.offset_ms is None:
                self._place(number, before_ms - (boot.last_ms or 0), estimated=True)
            if number != ABSOLUTE_BOOT:
                before_ms = self._known[number].offset_ms or before_ms

    def _place(self, number: int, offset_ms: int, *, estimated: bool) -> None:
        self._connection.execute(
            "UPDATE boot SET offset_ms = ?, estimated = ? WHERE id = ?", (offset_ms, estimated, number)
        )
        self._known[number] = self._known[number]._replace(offset_ms=offset_ms, estimated=estimated)


def _number_of(connection: sqlite3.Connection, name: str) -> int:
    connection.execute("INSERT OR IGNORE INTO boot(name) VALUES (?)", (name,))
    return int(connection.execute("SELECT id FROM boot WHERE name = ?", (name,)).fetchone()[0])

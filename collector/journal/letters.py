"""Dead letters: what was refused, kept as it came so that it can be replayed once its reason is mended; bounded.

Every sender has its own share of each reason, so that no flood pushes out what another sender's technician looks for.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import NamedTuple

from collector.journal.packed import Insert
from collector.journal.settings import JournalSettings
from domain.rejection import Reason, Rejected

_DETAIL_CHARACTERS = 1_000
_INSERT = Insert("INSERT INTO rejected(reason, received, topic, node, detail, payload)", 6)
_COUNT = "INSERT INTO rejected_total VALUES(?, ?) ON CONFLICT(reason) DO UPDATE SET count = count + excluded.count"
_BOUND_REASON = (
    "DELETE FROM rejected WHERE reason = ?1 AND id <= "
    "(SELECT id FROM rejected WHERE reason = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)"
)
_BOUND_SENDER = (
    "DELETE FROM rejected WHERE reason = ?1 AND node IS ?2 AND id <= "
    "(SELECT id FROM rejected WHERE reason = ?1 AND node IS ?2 ORDER BY id DESC LIMIT 1 OFFSET ?3)"
)
_OLDEST = "DELETE FROM rejected WHERE id IN (SELECT id FROM rejected ORDER BY id LIMIT 100) RETURNING length(payload)"
_MATCHING = (
    "FROM rejected WHERE (?1 IS NULL OR reason = ?1) AND (?2 IS NULL OR node = ?2)"
    " AND received >= ?3 AND id > ?4 AND id <= ?5"
)
_LAST = 2**62
_EMPTIED_TO = 0.9


class Letter(NamedTuple):
    """Something refused, under the number by which it is shown and replayed."""

    id: int
    rejected: Rejected


class LetterFilter(NamedTuple):
    """Which letters are meant; what is left out means all."""

    reason: Reason | None = None
    node: str | None = None
    since_ms: int = 0
    after_id: int = 0
    upto_id: int = _LAST

    def parameters(self) -> tuple[str | int | None, ...]:
        """Return what the statements ask for."""
        reason = None if self.reason is None else self.reason.value
        return (reason, self.node, self.since_ms, self.after_id, self.upto_id)


EVERY_LETTER = LetterFilter()


class LetterGroup(NamedTuple):
    """The letters of one sender with one reason."""

    reason: Reason
    node: str | None
    letters: int
    payload_bytes: int
    first_ms: int
    """Arrival of the oldest that is kept."""
    last_ms: int
    last_id: int


class LetterBox:
    """Puts letters into the file and keeps it within its bounds; runs inside the writer's transactions."""

    def __init__(self, connection: sqlite3.Connection, settings: JournalSettings) -> None:
        self._connection, self._settings = connection, settings
        self._bytes: int | None = None

    def keep(self, rejected: Sequence[Rejected]) -> None:
        """Insert, count, and let the oldest go where a share is used up."""
        longest = self._settings.rejected_payload_bytes
        rows = [
            (r.reason.value, r.received_at_ms, r.topic, r.node, r.detail[:_DETAIL_CHARACTERS], r.payload[:longest])
            for r in rejected
        ]
        _INSERT.run(self._connection, list(chain.from_iterable(rows)))
        for reason, count in Counter(r.reason.value for r in rejected).items():
            self._connection.execute(_COUNT, (reason, count))
            self._connection.execute(_BOUND_REASON, (reason, self._settings.rejected_per_reason))
        for reason, node in {(r.reason.value, r.node) for r in rejected}:
            self._connection.execute(_BOUND_SENDER, (reason, node, self._settings.rejected_per_sender))
        self._bound_bytes(sum(len(row[-1]) for row in rows))

    def forget(self, ids: Iterable[int]) -> None:
        """Delete these letters."""
        self._connection.executemany("DELETE FROM rejected WHERE id = ?", ((number,) for number in ids))
        self._bytes = None

    @contextmanager
    def undone_with_it(self) -> Iterator[None]:
        """Forget what is remembered of the file where the block, and so its transaction, does not come about."""
        try:
            yield
        except BaseException:
            self._bytes = None
            raise

    def _bound_bytes(self, more: int) -> None:
        """Let the oldest go where all of them take too much; well below the bound, so that this is seldom looked at."""
        most = self._settings.rejected_bytes
        self._bytes = self._counted() if self._bytes is None else self._bytes + more
        if self._bytes <= most:
            return
        self._bytes = self._counted()  # what the other bounds deleted was not counted down
        while self._bytes > most * _EMPTIED_TO:
            gone = self._connection.execute(_OLDEST).fetchall()
            self._bytes -= sum(size for (size,) in gone)

    def _counted(self) -> int:
        (size,) = self._connection.execute("SELECT coalesce(sum(length(payload)), 0) FROM rejected").fetchone()
        return int(size)


def find(
    connection: sqlite3.Connection, wanted: LetterFilter, limit: int, *, newest_first: bool = False
) -> list[Letter]:
    """Return up to ``limit`` letters in order of their numbers."""
    order = "DESC" if newest_first else "ASC"
    rows = connection.execute(
        f"SELECT id, reason, detail, topic, node, payload, received {_MATCHING} ORDER BY id {order} LIMIT ?6",
        (*wanted.parameters(), limit),
    )
    return [Letter(number, Rejected(Reason(name), *rest)) for number, name, *rest in rows]


def groups(connection: sqlite3.Connection, wanted: LetterFilter) -> list[LetterGroup]:
    """Return the letters counted by reason and sender, most first."""
    rows = connection.execute(
        f"SELECT reason, node, count(*), sum(length(payload)), min(received), max(received), max(id) {_MATCHING}"
        " GROUP BY reason, node ORDER BY count(*) DESC, reason, node",
        wanted.parameters(),
    )
    return [LetterGroup(Reason(name), *rest) for name, *rest in rows]

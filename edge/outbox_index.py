"""What waits in the outbox, in memory: how much, and which chunks travel under which number."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple


class Formed(NamedTuple):
    """A batch: neighbouring chunks of one boot, under one number for ever."""

    boot: int
    newest_ms: int
    """On the timeline of its boot."""
    readings: int
    chunks: tuple[int, ...]


class Piece(NamedTuple):
    """A chunk that could become part of a batch."""

    id: int
    boot: int
    newest_ms: int
    readings: int


@dataclass
class Index:
    """A summary of the table of chunks, read once at opening and kept in step afterwards."""

    depth: int = 0
    """How many readings wait."""
    unformed: int = 0
    """How many chunks belong to no batch."""
    batches: dict[int, Formed] = field(default_factory=dict)
    """By number, in the order of forming."""
    ends: dict[int, int] = field(default_factory=dict)
    """The latest moment of each boot of which something waits."""

    @classmethod
    def load(cls, connection: sqlite3.Connection) -> Index:
        """Read the whole table, without the readings themselves."""
        index = cls()
        rows = connection.execute("SELECT id, boot, newest_ms, readings, batch FROM chunk ORDER BY id")
        formed: dict[int, list[Piece]] = {}
        for *piece, batch in rows:
            each = Piece(*piece)
            index.depth += each.readings
            index.ends[each.boot] = max(each.newest_ms, index.ends.get(each.boot, each.newest_ms))
            if batch is None:
                index.unformed += 1
            else:
                formed.setdefault(batch, []).append(each)
        for seq in sorted(formed):
            index.batches[seq] = batch_of(formed[seq])
        return index

    def form(self, seq: int, pieces: Sequence[Piece]) -> None:
        """Note that these chunks, counted before, became a batch."""
        self.batches[seq] = batch_of(pieces)
        self.unformed -= len(pieces)

    def take_out(self, ranges: Iterable[Sequence[int]]) -> dict[int, Formed]:
        """Forget and return the batches that the ranges name."""
        spans = [(first, last) for first, last in ranges]
        named = [seq for seq in self.batches if any(first <= seq <= last for first, last in spans)]
        gone = {seq: self.batches.pop(seq) for seq in named}
        self.depth -= sum(batch.readings for batch in gone.values())
        return gone


def batch_of(pieces: Sequence[Piece]) -> Formed:
    """Return the batch of these chunks."""
    return Formed(
        pieces[0].boot,
        max(piece.newest_ms for piece in pieces),
        sum(piece.readings for piece in pieces),
        tuple(sorted(piece.id for piece in pieces)),
    )


def grouped(pieces: Iterable[Piece], most_readings: int) -> Iterator[list[Piece]]:
    """Yield neighbours of one boot that travel together: one chunk, or as many as fit."""
    group: list[Piece] = []
    readings = 0
    for piece in pieces:
        if group and (piece.boot != group[0].boot or readings + piece.readings > most_readings):
            yield group
            group, readings = [], 0
        group.append(piece)
        readings += piece.readings
    if group:
        yield group

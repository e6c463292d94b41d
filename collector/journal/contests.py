"""Contested moments: where two readings differed, the kept one goes into the log once more, behind both.

A follower that keeps what came last, as InfluxDB does, then ends with what the journal keeps. A better reading that
comes after a worse one needs that too where the worse one was doubtful: who wrote the doubt down has to hear that it
is over. Runs in the writer's thread, inside its transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter

from collector.journal.errors import translated
from collector.journal.packed import fetch
from collector.journal.precedence import differs
from collector.journal.reader import reading
from collector.journal.writer import Writer
from domain.reading import Quality, Reading

_PREPARE = (
    "CREATE TEMP TABLE contested(sid INTEGER, ts INTEGER, PRIMARY KEY(sid, ts)) WITHOUT ROWID",
    f"""
    CREATE TEMP TRIGGER doubt_is_over AFTER UPDATE OF quality ON main.readings
    WHEN new.quality = {int(Quality.GOOD)} AND old.quality <> {int(Quality.GOOD)}
    BEGIN INSERT INTO contested VALUES(new.sid, new.ts); END
    """,
)
_LOSERS = f"""
    INSERT OR IGNORE INTO temp.contested SELECT log.sid, log.ts FROM json_each(?) AS wanted
    CROSS JOIN log ON log.position = wanted.value
    CROSS JOIN readings AS r ON r.sid = log.sid AND r.ts = log.ts WHERE {differs("log", "r")}
"""  # noqa: S608 -- constants of this package
_KEPT = "FROM temp.contested CROSS JOIN readings USING (sid, ts)"


class Contests:
    """Collects the contested moments of one transaction, and repeats what is kept of them."""

    def __init__(self, writer: Writer) -> None:
        """Watch the writer's connection from now on."""
        self._writer = writer
        with translated(writer.path):
            for statement in _PREPARE:
                writer.connection.execute(statement)

    def find_losers(self, positions: str) -> None:
        """Collect where rows of the log, a JSON list of positions, differ from what their series keeps."""
        self._writer.connection.execute(_LOSERS, (positions,))

    def settle(self) -> Sequence[Reading]:
        """Repeat what is kept of the collected moments, and begin to collect anew; see ``repeat``."""
        kept = self.repeat(_KEPT)
        if kept:
            self._writer.connection.execute("DELETE FROM temp.contested")
        return kept

    def repeat(self, source: str, parameters: Sequence[int] = ()) -> Sequence[Reading]:
        """Put kept readings, ``SELECT sid, ts, value, quality, received source``, into the log once more.

        Returns them, for ``Writer.remember``.
        """
        rows = fetch(self._writer.connection, "sid, ts, value, quality, received", source, parameters)
        channels = self._writer.series.channels
        kept = [reading(channels[sid], row) for sid, *row in sorted(rows, key=itemgetter(0, 1))]
        if kept:
            self._writer.repeat(kept)
        return kept

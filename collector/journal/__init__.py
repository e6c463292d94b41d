"""The journal: SQLite, staged; commit, follow, ask. What it promises and why it is built so: docs/journal.md."""

from collector.journal.errors import (
    JournalBusy,
    JournalDamaged,
    JournalError,
    JournalFull,
    JournalLocked,
    JournalMissing,
    JournalTooNew,
    JournalTooOld,
    JournalUnwritable,
)
from collector.journal.journal import Journal, JournalStats
from collector.journal.letters import Letter, LetterFilter, LetterGroup
from collector.journal.rollup import Resolution, Rollup
from collector.journal.settings import ArchiveSettings, JournalSettings, Retention, RetentionSettings

__all__ = [
    "ArchiveSettings",
    "Journal",
    "JournalBusy",
    "JournalDamaged",
    "JournalError",
    "JournalFull",
    "JournalLocked",
    "JournalMissing",
    "JournalSettings",
    "JournalStats",
    "JournalTooNew",
    "JournalTooOld",
    "JournalUnwritable",
    "Letter",
    "LetterFilter",
    "LetterGroup",
    "Resolution",
    "Retention",
    "RetentionSettings",
    "Rollup",
]

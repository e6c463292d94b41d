"""The desk on a real SQLite file."""

from __future__ import annotations

from tests.alerts.answers.desk_contract import DeskContract


class TestOnSqlite(DeskContract):
    """The contract on a SQLite file."""

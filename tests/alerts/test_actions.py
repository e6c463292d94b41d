"""What people do with alerts, on SQLite."""

from __future__ import annotations

from tests.alerts.actions_contract import ActionsContract


class TestOnSqlite(ActionsContract):
    """On a file of this test."""

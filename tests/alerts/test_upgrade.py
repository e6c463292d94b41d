"""An older database on SQLite."""

from __future__ import annotations

from tests.alerts.upgrade_contract import UpgradeContract


class TestOnSqlite(UpgradeContract):
    """On a file of this test."""

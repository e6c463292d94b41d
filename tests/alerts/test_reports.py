"""Reports and next channels on SQLite."""

from __future__ import annotations

from tests.alerts.reports_contract import ReportsContract


class TestOnSqlite(ReportsContract):
    """On a file of this test."""

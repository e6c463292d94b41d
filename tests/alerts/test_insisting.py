"""Asking until somebody answers, and disturbing little, on SQLite."""

from __future__ import annotations

from tests.alerts.insisting_contract import InsistingContract


class TestOnSqlite(InsistingContract):
    """On a file of this test."""

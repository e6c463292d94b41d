"""Waiting, incidents and escalation on SQLite."""

from __future__ import annotations

from tests.alerts.telling_contract import TellingContract


class TestOnSqlite(TellingContract):
    """On a file of this test."""

"""Timers on SQLite after the clock was set."""

from __future__ import annotations

from tests.alerts.timers_contract import TimersContract


class TestOnSqlite(TimersContract):
    """On a file of this test."""

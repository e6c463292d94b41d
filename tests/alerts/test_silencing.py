"""Shelving and maintenance on SQLite."""

from __future__ import annotations

from tests.alerts.silence_contract import SilenceContract


class TestOnSqlite(SilenceContract):
    """On a file of this test."""

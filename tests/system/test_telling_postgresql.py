"""Waiting, incidents, escalation and timers on a real PostgreSQL server."""

from __future__ import annotations

import pytest

from tests.alerts.telling_contract import TellingContract
from tests.alerts.timers_contract import TimersContract
from tests.system.test_notif_postgresql import database, server  # noqa: F401 - fixtures

pytestmark = pytest.mark.system


class TestOnPostgresql(TellingContract):
    """The contract on PostgreSQL."""


class TestTimersOnPostgresql(TimersContract):
    """Timers on PostgreSQL."""

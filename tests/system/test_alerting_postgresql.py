"""Asking again, silences and reports on a real PostgreSQL server."""

from __future__ import annotations

import pytest

from tests.alerts.insisting_contract import InsistingContract
from tests.alerts.reports_contract import ReportsContract
from tests.alerts.silence_contract import SilenceContract
from tests.system.test_notif_postgresql import database, server  # noqa: F401 - fixtures

pytestmark = pytest.mark.system


class TestSilencesOnPostgresql(SilenceContract):
    """The contract of shelving and maintenance on PostgreSQL."""


class TestReportsOnPostgresql(ReportsContract):
    """The contract of reports on PostgreSQL."""


class TestInsistingOnPostgresql(InsistingContract):
    """The contract of asking again, quiet hours, quotas and flapping on PostgreSQL."""

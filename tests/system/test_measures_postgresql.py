"""Measures for managers out of a real PostgreSQL server."""

from __future__ import annotations

import pytest

from tests.alerts.measures_contract import MeasuresContract
from tests.system.test_notif_postgresql import database, server  # noqa: F401 - fixtures

pytestmark = pytest.mark.system


class TestOnPostgresql(MeasuresContract):
    """The contract on PostgreSQL."""

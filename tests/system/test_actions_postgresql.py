"""What people do with alerts on a real PostgreSQL server."""

from __future__ import annotations

import pytest

from tests.alerts.actions_contract import ActionsContract
from tests.system.test_notif_postgresql import database, server  # noqa: F401 - fixtures

pytestmark = pytest.mark.system


class TestOnPostgresql(ActionsContract):
    """The contract on PostgreSQL."""

"""Tables of an older Vitals on a real PostgreSQL server."""

from __future__ import annotations

import pytest

from tests.alerts.upgrade_contract import UpgradeContract
from tests.system.test_notif_postgresql import database, server  # noqa: F401 - fixtures

pytestmark = pytest.mark.system


class TestOnPostgresql(UpgradeContract):
    """The contract on PostgreSQL."""

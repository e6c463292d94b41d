"""The desk for answers on a real PostgreSQL server."""

from __future__ import annotations

import pytest

from tests.alerts.answers.desk_contract import DeskContract
from tests.system.test_notif_postgresql import database, server  # noqa: F401 - fixtures

pytestmark = pytest.mark.system


class TestOnPostgresql(DeskContract):
    """The contract on PostgreSQL."""

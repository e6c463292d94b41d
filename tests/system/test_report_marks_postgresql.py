"""The marks of reports that were sent, in a real PostgreSQL server."""

from __future__ import annotations

import pytest

from tests.app.marks_contract import MarksContract
from tests.system.test_notif_postgresql import database, server  # noqa: F401 - fixtures

pytestmark = pytest.mark.system


class TestOnPostgresql(MarksContract):
    """The contract on PostgreSQL."""

"""The state of equipment, the visit log and edits on a real PostgreSQL server."""

from __future__ import annotations

import pytest

from tests.registry.changes_contract import ChangesContract
from tests.registry.upkeep_contract import UpkeepContract
from tests.system.test_notif_postgresql import database, server

__all__ = ["database", "server"]  # pytest finds them by name

pytestmark = pytest.mark.system


class TestUpkeepOnPostgresql(UpkeepContract):
    """The contract on PostgreSQL."""


class TestChangesOnPostgresql(ChangesContract):
    """The contract of edits on PostgreSQL."""

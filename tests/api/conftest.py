"""A world in memory and a client that speaks to its API without a socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from api.create import create_api
from tests.api.desk import Desk, a_desk
from tests.api.world import World


@pytest.fixture
def world() -> World:
    """Three facilities: one in trouble, one silent, one well."""
    return World()


@pytest.fixture
async def client(world: World) -> AsyncIterator[httpx.AsyncClient]:
    """Return a client of the world's API."""
    transport = httpx.ASGITransport(create_api(world.services()), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield client


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """Give a judge and a client over a fresh file."""
    async with a_desk(f"{tmp_path}/vitals.db") as both:
        yield both

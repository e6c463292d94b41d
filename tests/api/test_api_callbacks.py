"""Gateways post to us: past the guard with their token, and nowhere else."""

from __future__ import annotations

import httpx
import pytest

from alerts.notifiers.notifier import Callback, Heard
from api.create import create_api
from tests.api.world import World

TOKEN = "callback-token-0001"
PATH = f"/api/v1/callbacks/sms_gateway/{TOKEN}"


async def hear(channel: str, token: str, callback: Callback) -> Heard | None:
    """Say what came."""
    return Heard((), f"{callback.method} {channel} {callback.body.decode()}".encode()) if token == TOKEN else None


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (PATH, 200),
        (f"{PATH}x", 404),
        ("/api/v1/callbacks/sms_gateway/short", 403),
        (f"{PATH}/more", 403),
        ("/alerts/4821/acknowledge", 403),
    ],
)
async def test_a_form_of_a_gateway_is_let_through_on_its_path_alone(world: World, path: str, status: int) -> None:
    """A gateway says nowhere that it comes from."""
    transport = httpx.ASGITransport(create_api(world.services(hear_callback=hear)))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        answer = await client.post(path, data={"id": "1"})
        assert answer.status_code == status
        assert (await client.post(PATH, content=b"x" * 300_000)).status_code == 413
        assert (await client.get(PATH)).text == "GET sms_gateway "
    assert status != 200 or answer.text == "POST sms_gateway id=1"


async def test_without_channels_nobody_listens(client: httpx.AsyncClient) -> None:
    """The address is unknown then, and stands in OpenAPI all the same."""
    assert (await client.post(PATH, data={"id": "1"})).status_code == 404
    assert "/api/v1/callbacks/{channel}/{token}" in (await client.get("/api/v1/openapi.json")).json()["paths"]

"""The real service with sign-in: the first user by command line, a real client, a restart, a disabled user."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from tests.system.servers import free_ports

PASSWORD = "seven green kettles"
PATIENCE_SECONDS = 60

pytestmark = pytest.mark.system


async def vitals(config: Path, *arguments: str, said: str = "") -> str:
    """Run a command to its end, as an operator would."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app.cli", *arguments, "--config", str(config)),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, _ = await asyncio.wait_for(process.communicate(said.encode()), PATIENCE_SECONDS)
    assert process.returncode == 0
    return output.decode()


@asynccontextmanager
async def service(config: Path) -> AsyncIterator[list[str]]:
    """Run the service; gives what it says at the start."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app.cli", "run", "--config", str(config)), stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        lines = [(await asyncio.wait_for(process.stdout.readline(), PATIENCE_SECONDS)).decode()]
        yield lines
    finally:
        process.terminate()
        rest, _ = await asyncio.wait_for(process.communicate(), PATIENCE_SECONDS)
        lines += rest.decode().splitlines()


async def test_the_first_user_signs_in_and_stays_so_over_a_restart(tmp_path: Path) -> None:
    """And is out at once when disabled, while the service runs; so is a token that is revoked."""
    (port,) = free_ports(1)
    config = tmp_path / "vitals.yaml"
    config.write_text(f"data: data\nlisten: {{host: 127.0.0.1, port: {port}}}\n", "utf-8")
    base = f"http://127.0.0.1:{port}"
    headers = {"accept": "text/html", "origin": base}
    async with httpx.AsyncClient(base_url=base, headers=headers, timeout=PATIENCE_SECONDS) as browser:
        async with service(config) as lines:
            assert "vitals user add NAME --role administrator" in (await browser.get("/sign-in")).text
            await vitals(
                config, "user", "add", "amina", "--role", "administrator", "--password-file", "-", said=PASSWORD
            )
            assert (await browser.get("/alerts")).headers["location"] == "/sign-in?next=%2Falerts"
            form = {"name": "amina", "password": PASSWORD, "next": "/alerts"}
            assert (await browser.post("/sign-in", data=form)).headers["location"] == "/alerts"
            assert "Amina" in (await browser.get("/alerts")).text.title()
        assert "Nobody can sign in yet" in "".join(lines)
        async with service(config) as lines:
            assert (await browser.get("/alerts")).status_code == 200
            token = (await vitals(config, "token", "add", "Grafana", "--role", "viewer")).split()[-1]
            bearer = {"authorization": f"Bearer {token}"}
            async with httpx.AsyncClient(base_url=base, headers=bearer, timeout=PATIENCE_SECONDS) as program:
                assert (await program.get("/metrics")).status_code == 200
                await vitals(config, "token", "revoke", "1")
                assert (await program.get("/metrics")).status_code == 401
            await vitals(config, "user", "disable", "amina")
            assert (await browser.get("/alerts")).status_code == 303
        assert "Nobody can sign in yet" not in "".join(lines)


async def test_what_a_server_before_it_says_is_believed_from_this_machine_alone(tmp_path: Path) -> None:
    """Over HTTPS cookies are bound to the host; somebody from elsewhere cannot claim another address or scheme."""
    (port,) = free_ports(1)
    config = tmp_path / "vitals.yaml"
    config.write_text(f"data: data\nlisten: {{host: 0.0.0.0, port: {port}}}\napi: {{hosts: ['*']}}\n", "utf-8")
    await vitals(config, "user", "add", "amina", "--role", "administrator", "--password-file", "-", said=PASSWORD)
    said = {"x-forwarded-proto": "https", "x-forwarded-for": "198.51.100.7", "origin": f"https://127.0.0.1:{port}"}
    found = {}
    async with service(config):
        for own in ("127.0.0.1", "127.0.0.2"):
            transport = httpx.AsyncHTTPTransport(local_address=own)
            async with httpx.AsyncClient(transport=transport, timeout=PATIENCE_SECONDS) as client:
                form = {"name": "amina", "password": PASSWORD}
                answer = await client.post(f"http://127.0.0.1:{port}/sign-in", data=form, headers=said)
                assert answer.status_code == 303
                found[own] = answer.headers.get_list("set-cookie")[0]
    assert found["127.0.0.1"].startswith("__Host-vitals_session=")
    assert "Secure" in found["127.0.0.1"]
    assert found["127.0.0.2"].startswith("vitals_session=")

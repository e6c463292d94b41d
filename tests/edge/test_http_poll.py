"""HTTP devices against a real web server: what they answer, what they leave out, and what hostile ones do."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from edge.drivers import create_driver
from edge.drivers.http_poll import HttpPollSettings, judge
from edge.hardware.http import Fetched
from edge.http_presets import PRESETS
from edge.json_values import MISSING, JsonValue, look_up
from tests.edge.clocks import JumpingClock
from tests.edge.expectations import FIXTURES, cases, expected, found

VALUE: dict[str, Any] = {"v": {"path": "v", "quantity": "voltage"}}


@asynccontextmanager
async def device(answer: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    """Serve every path with this answer; yields the address."""
    application = web.Application()
    application.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def socket_that_sends(content: bytes, *, forever: bool = False) -> AsyncIterator[str]:
    """Serve these bytes to whoever connects, and then close; or again and again. Yields the address."""

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(content)
        while forever and not writer.is_closing():
            await asyncio.sleep(0.01)  # the pace of a device that drips
            writer.write(b"x")
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def read(url: str, **settings: Any) -> dict[str, tuple[str, float | None]]:
    """Return what the driver makes of a device."""
    driver = create_driver(HttpPollSettings.model_validate({"url": url, "channels": VALUE} | settings), JumpingClock())
    try:
        return found(await driver.read())
    finally:
        await driver.close()


@pytest.mark.parametrize("case", cases("http_poll"))
async def test_a_recorded_answer_is_read_as_expected(case: str) -> None:
    """A folder is a test case: what a device answers, and what each channel is worth."""
    folder = FIXTURES / "http_poll" / case
    settings, body = json.loads((folder / "settings.json").read_bytes()), (folder / "answer.json").read_bytes()
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path_qs)
        return web.Response(body=body, content_type="application/json")

    async with device(answer) as url:
        assert await read(url, **settings) == expected(folder)
    assert asked == [PRESETS[settings["preset"]].path if "preset" in settings else "/"]


@pytest.mark.parametrize(("status", "quality"), [(401, "bus_error"), (404, "bus_error"), (500, "bus_error")])
async def test_a_refusal_is_the_bus(status: int, quality: str) -> None:
    """A device that answers with an error has said nothing about its sensors."""

    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"v": 230}, status=status)

    async with device(answer) as url:
        assert await read(url) == {"v": (quality, None)}


async def test_a_redirection_is_not_followed() -> None:
    """A device that sends elsewhere is not believed: whoever stands there is not the device."""
    asked = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        raise web.HTTPFound("/elsewhere")

    async with device(answer) as url:
        assert await read(url) == {"v": ("bus_error", None)}
    assert asked == ["/"]


async def test_credentials_are_sent_and_never_shown() -> None:
    """User name and password go out as HTTP basic authentication, and stay out of texts."""

    async def answer(request: web.Request) -> web.Response:
        known = request.headers.get("Authorization") == "Basic YWRtaW46c2VjcmV0"
        return web.json_response({"v": 230}, status=200 if known else 401)

    async with device(answer) as url:
        assert await read(url, username="admin", password="secret") == {"v": ("good", 230.0)}
        assert await read(url, username="admin", password="wrong") == {"v": ("bus_error", None)}
    settings = HttpPollSettings.model_validate(
        {"url": "http://a", "username": "u", "password": "secret", "channels": VALUE}
    )
    assert "secret" not in repr(settings)


async def test_an_answer_without_end_is_cut() -> None:
    """A device that sends more than it should costs no more than the limit."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=b'{"v": 230, "more": "' + b"x" * 200_000 + b'"}')

    async with device(answer) as url:
        assert await read(url) == {"v": ("bad_value", None)}
        assert await read(url, most_bytes=300_000) == {"v": ("good", 230.0)}


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{"])
async def test_a_device_that_drips_ends_with_the_time(head: bytes) -> None:
    """One byte now and then, in the first line, a header or the body, does not stretch the time for an answer.

    The next read is not held up either.
    """
    async with socket_that_sends(head, forever=True) as url:
        settings = HttpPollSettings.model_validate({"url": url, "channels": VALUE, "timeout_seconds": 0.1})
        driver = create_driver(settings, JumpingClock())
        assert found(await driver.read()) == {"v": ("bus_error", None)}
        for thread in threading.enumerate():
            if thread.name == "127.0.0.1":  # it was told to end
                await asyncio.to_thread(thread.join)
        assert found(await driver.read()) == {"v": ("bus_error", None)}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00\xff\x00\xff",
        b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{}",
        b"HTTP/1.1 many OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 2000 + b"\r\n{}",
        b"HTTP/1.1 200 OK\r\nA: " + b"b" * 100_000 + b"\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n",
    ],
)
async def test_what_is_no_web_server_is_the_bus(content: bytes) -> None:
    """Closed, cut off, or another protocol altogether: nothing was said about the sensors."""
    async with socket_that_sends(content) as url:
        assert await read(url) == {"v": ("bus_error", None)}


async def test_nobody_there_is_the_bus() -> None:
    """A refused connection and a name that does not exist are errors of the bus."""
    async with socket_that_sends(b"") as url:
        pass
    assert await read(url) == {"v": ("bus_error", None)}
    assert await read("http://no-such-device.invalid") == {"v": ("bus_error", None)}


async def test_the_counter_of_a_device_that_forgets(tmp_path: Path) -> None:
    """A plug that loses the last hour of its counter in a power cut makes no negative interval, nor after a restart."""
    lives = [[12.3, 12.4], [11.9, 11.9, 11.9, 12.0, 12.1]]
    shown = iter([total for life in lives for total in life])

    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"StatusSNS": {"ENERGY": {"Total": next(shown)}}})

    totals = []
    async with device(answer) as url:
        settings = {"url": url, "preset": "tasmota_energy", "channels": {"energy": "energy"}}
        for life in lives:
            kept = HttpPollSettings.model_validate(settings | {"state": tmp_path / "counters.json"})
            driver = create_driver(kept, JumpingClock())
            totals += [found(await driver.read())["energy"][1] for _ in life]
    assert totals == [12_300.0, 12_400.0, None, None, 12_400.0, 12_500.0, 12_600.0]


json_documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["v", "a", "0"]), inner, max_size=3),
    max_leaves=12,
)


@given(json_documents)
def test_no_document_does_worse_than_be_marked(document: Any) -> None:
    """Whatever a device answers, a value comes out only within what the quantity can be."""
    value = JsonValue(path="v.a[0]", quantity="temperature")
    finding = judge(Fetched(200, json.dumps({"v": document}).encode()), {"v": value})["v"]
    assert finding.value is None or -200 <= finding.value <= 150
    assert (finding.value is None) != finding.quality.usable


@given(st.binary(max_size=200))
def test_no_bytes_do_worse_than_be_marked(body: bytes) -> None:
    """Bytes of any kind are a bad value or a missing one, never an error."""
    assert judge(Fetched(200, body), {"v": JsonValue(path="v", quantity="voltage")})["v"].reason


def test_paths_lead_where_they_say() -> None:
    """Names, numbers in lists, and quoted names with dots are followed; what is not there is missing."""
    document = {"a": {"b:0": [{"c": 1}, {"c": 2}]}, "x.y": {"z": 3}, "7": 4}
    paths = {"a.b:0[1].c": 2, "a.b:0.1.c": 2, "['x.y'].z": 3, "7": 4, "a.b:0[2].c": MISSING, "a.c": MISSING}
    assert {path: look_up(document, path) for path in paths} == paths


@pytest.mark.parametrize("path", ["", ".a", "a..b", "a[b]", "a[1", "a.", "['']"])
def test_paths_of_another_shape_are_refused(path: str) -> None:
    """A path that cannot be followed is refused before anything is asked."""
    with pytest.raises(ValidationError, match="not a path"):
        JsonValue(path=path, quantity="voltage")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"url": "192.168.1.20"}, "write the address as"),
        ({"url": "ftp://device/a"}, "write the address as"),
        ({"preset": "shelly_1"}, "shelly_plus_pm"),
        ({"channels": {"a": "voltage"}}, "without a preset"),
        ({"preset": "tasmota_energy", "channels": {"a": "volts"}}, "measures one of voltage"),
        ({"channels": {"a": {"path": "a", "quantity": "volts"}}}, "a quantity is one of"),
        ({"channels": {"a": {"path": "a", "quantity": "voltage", "unit": "Cel"}}}, r"V \(volts\)"),
        ({"username": "admin"}, "go together"),
    ],
)
def test_settings_that_cannot_work_are_refused_in_words(wrong: dict[str, Any], message: str) -> None:
    """What a technician may get wrong is answered with what is allowed."""
    with pytest.raises(ValidationError, match=message):
        HttpPollSettings.model_validate({"url": "http://device", "channels": VALUE} | wrong)

"""Apprise: what is sent, which addresses are used, what a failure means, and that no address is ever quoted."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from alerts.notification import NotificationKind, NotificationState
from alerts.notifiers.apprise import (
    AppriseNotifier,
    Library,
    apprise_library,
    open_apprise,
    refused,
    usable_service,
)
from alerts.notifiers.apprise_addresses import AppriseSettings, UnusableAddressError
from alerts.notifiers.notifier import Delivery
from alerts.notifiers.threads import PatientThreads, ThreadsBusyError
from domain.errors import OperatorError
from tests.alerts.notifiers.given import SECRET, a_gateway, a_message, a_workplace, json_answer, text_answer
from tests.system.servers import serve

DELIVERED, FAILED = NotificationState.DELIVERED, NotificationState.FAILED
DISCORD = f"discord://123456789012345678/{SECRET}"


@pytest.fixture(scope="module")
def library() -> Library:
    """Return the real library."""
    return apprise_library()


def host_of(url: str) -> str:
    """Return host and port."""
    return url.removeprefix("http://")


async def sent(url: str, rest: str = f"/{SECRET}", *, user: str = "", **more: Any) -> Delivery:
    """Send to a loopback server that the settings allow, by a ``json://`` address."""
    settings = {"schemas": ["json"], "hosts": [host_of(url)], **more.pop("settings", {})}
    address = f"json://{user}{host_of(url)}{rest}"
    async with open_apprise(AppriseSettings.model_validate(settings), a_workplace()) as notifier:
        return await notifier.send(a_message(address, **more))


@pytest.mark.parametrize(
    ("kind", "severity", "tone"),
    [
        ("alarm", "critical", "failure"),
        ("worse", "warning", "warning"),
        ("alarm", "info", "info"),
        ("all_clear", "critical", "success"),
        ("test", "critical", "info"),
    ],
)
async def test_the_short_text_goes_out_under_the_subject(kind: str, severity: str, tone: str) -> None:
    """As it is, whatever signs are in it, in the tone of its severity."""
    text = "ALARM *Kasese* <b> & more: 9.4C, ü ሰላም\\n. ref 7"
    async with a_gateway(json_answer({})) as gateway:
        delivery = await sent(gateway.url, short_text=text, kind=NotificationKind(kind), facts={"severity": severity})
    assert delivery.state is DELIVERED
    (asked,) = gateway.asked
    document = json.loads(asked.body)
    assert (document["title"], document["message"], document["type"]) == ("ALARM Kasese", text, tone)
    assert document["attachments"] == []
    assert asked.path == f"/{SECRET}"


@pytest.mark.parametrize(
    ("status", "recoverable"),
    [(401, True), (403, True), (404, True), (429, True), (500, True), (503, True), (400, False), (413, False)],
)
async def test_a_refusal_says_whether_to_try_again(status: int, recoverable: bool) -> None:
    """By the HTTP status, as with every other channel."""
    async with a_gateway(text_answer(f"no: {SECRET}", status)) as gateway:
        delivery = await sent(gateway.url)
    assert (delivery.state, delivery.recoverable) == (FAILED, recoverable)
    assert f"JSON answered {status}" in delivery.sentence
    assert SECRET not in delivery.sentence


async def test_a_refusal_is_understood_however_little_is_logged() -> None:
    """The status is read from the library's log, which the level of ours must not silence."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.CRITICAL)
    try:
        async with a_gateway(text_answer("", 400)) as gateway:
            delivery = await sent(gateway.url)
    finally:
        root.setLevel(level)
    assert not delivery.recoverable


async def test_a_redirect_is_not_followed() -> None:
    """The message goes where the address says or nowhere."""
    async with a_gateway(text_answer("", 307, {"Location": "/elsewhere"})) as gateway:
        delivery = await sent(gateway.url)
    assert (delivery.state, delivery.recoverable) == (FAILED, False)
    assert len(gateway.asked) == 1


async def test_a_service_that_is_silent_stalls_or_is_away_is_tried_again() -> None:
    """None of it is the fault of the message."""
    async with a_gateway(text_answer("")) as gateway:
        gateway.stalls = True
        stalled = await sent(gateway.url, settings={"timeout_seconds": 0.4})
    away = await sent(gateway.url)
    for delivery in (stalled, away):
        assert (delivery.state, delivery.recoverable) == (FAILED, True)
    assert "JSON cannot be reached" in away.sentence


async def test_a_service_that_trickles_is_given_up() -> None:
    """Its single bytes keep the library waiting; we wait no longer than allowed."""
    over = asyncio.Event()

    async def trickle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "9999"})
        await response.prepare(request)
        while not over.is_set():
            await response.write(b".")
            await asyncio.sleep(0.02)
        return response

    application = web.Application()
    application.router.add_post("/{path:.*}", trickle)
    async with serve(application) as url:
        delivery = await sent(url, settings={"timeout_seconds": 0.3})
        over.set()
    assert (delivery.state, delivery.recoverable) == (FAILED, True)
    assert "within 0.3 s" in delivery.sentence


@pytest.mark.parametrize(
    "address",
    [
        "json://127.0.0.1/x",
        "file:///etc/passwd",
        "exec://rm",
        "dbus://",
        "syslog://",
        "mailto://a:b@example.org",
        f"https://discord.com/api/webhooks/1/{SECRET}",
        f" {DISCORD}",
        f"{DISCORD}\n",
        f"{DISCORD} json://127.0.0.1",
        SECRET,
        "",
        "://",
    ],
)
def test_a_schema_that_is_not_listed_is_no_way_in(library: Library, address: str) -> None:
    """Nor is what looks like several addresses, or like none."""
    with pytest.raises(UnusableAddressError) as refusal:
        usable_service(library, address, AppriseSettings())
    assert SECRET not in str(refusal.value)
    assert "discord" in str(refusal.value)


@pytest.mark.parametrize(
    "rest",
    ["verify=no", "redirect=yes", "optional=yes", "overflow=split", "format=html", "template=/etc/passwd", "to=x",
     "retry=5", "wait=99", "rto=999", "cto=999", "store=no", "tag=x", "emojis=yes", "user=x", "pass=x", "password=x",
     "url=http://127.0.0.1", "avatar_url=http://127.0.0.1", "ping=@everyone", "%2BX-Header=1", "+X-Header=1", "-a=b",
     ":message=x", f"priority=high&{SECRET}=1", "VERIFY=no", "priority=1&verify=no", "%76erify=no"],
)  # fmt: skip
def test_an_address_cannot_switch_anything(library: Library, rest: str) -> None:
    """Certificates, redirects, success, files, servers, texts and times are ours to decide."""
    with pytest.raises(UnusableAddressError, match="allowed after `\\?`: priority, sound, thread") as refusal:
        usable_service(library, f"{DISCORD}?{rest}", AppriseSettings())
    assert SECRET not in str(refusal.value)


def test_an_address_may_say_how_loud_and_where(library: Library) -> None:
    """What is left to it reaches the service; the rest is pinned."""
    address = f"pover://{'u' * 30}@{'t' * 30}?priority=high&sound=siren"
    service = usable_service(library, address, AppriseSettings(timeout_seconds=8))
    assert (service.priority, service.sound) == (1, "siren")
    assert (service.verify_certificate, service.redirects, service.optional) == (True, False, False)
    assert (service.request_timeout, service.overflow_mode) == ((4, 4), "truncate")


@pytest.mark.parametrize(
    "address",
    ["json://127.0.0.1/hush-hush", "json://localhost:9/", "json://push.example.org:8080/", "jsons://push.example.org.evil/",
     "json://push.example.org@127.0.0.1/", "json://[::1]/", "json://push.example.org%2F@127.0.0.1/", "json://hush-hush"],
)  # fmt: skip
async def test_a_server_that_is_not_listed_is_not_asked(library: Library, address: str) -> None:
    """Neither on loopback nor on another port; the sentence names the servers that are allowed."""
    settings = AppriseSettings(schemas=("json", "jsons"), hosts=("push.example.org",))
    delivery = await AppriseNotifier(settings, library).send(a_message(address))
    assert (delivery.state, delivery.recoverable) == (FAILED, False)
    assert SECRET not in delivery.sentence


def test_a_path_cannot_become_part_of_the_server(library: Library) -> None:
    """Apprise 2.3 cuts the path of some services at the wrong place, and its rest would lengthen the host's name."""
    settings = AppriseSettings(schemas=("synology",), hosts=("ok.example",))
    with pytest.raises(UnusableAddressError, match="cannot be told from its server"):
        usable_service(library, "synology://u@ok.example/%25%25%25%25%25%25%25x.evil.examples/", settings)


def test_a_server_that_is_listed_may_be_named(library: Library) -> None:
    """With its port where it has one, in whatever case."""
    settings = AppriseSettings(schemas=("json", "gotifys"), hosts=("push.example.org", "[::1]:8080"))
    assert usable_service(library, "json://PUSH.example.org/x", settings).host.lower() == "push.example.org"
    assert usable_service(library, f"gotifys://push.example.org/{SECRET}", settings).secure
    with pytest.raises(UnusableAddressError, match=r"allowed: push\.example\.org"):
        usable_service(library, "json://push.example.org:81/x", settings)


def test_no_service_of_the_default_lets_an_address_name_a_server(library: Library) -> None:
    """What is on without a word is hosted at one place that Apprise knows, and works without further packages."""
    for schema in AppriseSettings().schemas:
        assert "host" not in library.services[schema].template_tokens
        assert library.services[schema].enabled


@pytest.mark.parametrize("address", [f"slack://T1JJ3T3L2/A1BRTD4JD/{'T' * 24}/#a/#b", f"pbul://{SECRET}/#a/#b"])
def test_an_address_names_one_recipient(library: Library, address: str) -> None:
    """Of several one could get it and the others not."""
    with pytest.raises(UnusableAddressError, match="one recipient; it names 2"):
        usable_service(library, address, AppriseSettings())


def test_an_address_that_its_service_cannot_read_says_where_the_form_stands(library: Library) -> None:
    """Without quoting it."""
    with pytest.raises(UnusableAddressError, match=r"see https://appriseit\.com/services/discord/") as refusal:
        usable_service(library, f"discord://{SECRET}", AppriseSettings())
    assert SECRET not in str(refusal.value)


@given(st.sampled_from(AppriseSettings().schemas), st.text(st.characters(min_codepoint=32, max_codepoint=126)))
def test_every_address_is_usable_or_refused_in_a_sentence(schema: str, rest: str) -> None:
    """Whatever stands in the registry."""
    try:
        service = usable_service(apprise_library(), f"{schema}://{rest}", AppriseSettings())
    except UnusableAddressError:
        return
    assert (service.verify_certificate, service.redirects, service.optional) == (True, False, False)


class Lines(logging.Handler):
    """Keeps what reaches the root logger, where the service's own log is written."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the line, with its traceback."""
        self.lines.append(self.format(record))


@pytest.fixture
def lines() -> Iterator[list[str]]:
    """Return what is logged meanwhile at the finest level."""
    root, handler = logging.getLogger(), Lines()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield handler.lines
    root.setLevel(level)
    root.removeHandler(handler)


@pytest.mark.parametrize("status", [200, 302, 400, 404, 500])
async def test_no_log_quotes_an_address(status: int, lines: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    """Whether it is sent, refused, unreadable or its service away; others may go on using the HTTP library's log."""
    user = f"amina:{SECRET}@"
    async with a_gateway(text_answer(SECRET, status)) as gateway:
        told = [(await sent(gateway.url, user=user)).sentence]
    told += [(await sent(gateway.url, user=user)).sentence]
    told += [(await sent(gateway.url, f"/{SECRET}?{SECRET}=1")).sentence]
    told += [(await sent(gateway.url, f"/{SECRET}", user=f"{SECRET}@evil/")).sentence]
    logging.getLogger("apprise").error("cannot load json://%s", SECRET)
    logging.getLogger("urllib3.connectionpool").warning("somebody else's line")
    output = capfd.readouterr()
    assert SECRET not in "".join([*told, *lines, output.out, output.err])
    assert "somebody else's line" in lines


async def test_a_defect_of_the_library_quotes_no_address_either(library: Library, lines: list[str]) -> None:
    """Its name alone is told, and the message tried again."""

    class Broken:
        setup_url = ""

        @staticmethod
        def parse_url(url: str) -> None:
            raise RuntimeError(url)

    broken = Library(library.module, {"discord": Broken}, library.asset)
    delivery = await AppriseNotifier(AppriseSettings(), broken).send(a_message(DISCORD))
    assert (delivery.state, delivery.recoverable) == (FAILED, True)
    assert delivery.sentence == "defect in apprise: RuntimeError"
    assert "apprise failed on 7-1-amina-x with RuntimeError" in lines
    assert SECRET not in "".join(lines)


def test_a_status_is_read_from_the_last_refusal() -> None:
    """A log of several requests tells of the one that failed; none tells nothing."""
    lines = ["Failed to send Slack: error=200.", "Failed to send to Slack: Forbidden, error=404.", f"{SECRET}"]
    assert refused("Slack", lines).sentence.startswith("Slack answered 404")
    assert refused("Slack", lines[:1]).recoverable
    assert SECRET not in refused("Slack", lines[2:]).sentence


def test_a_missing_library_says_what_to_install() -> None:
    """At the start, not at the first alarm."""
    with pytest.raises(
        OperatorError, match=r"apprise_of_nowhere is not installed; run: pip install 'vitals\[server,app"
    ):
        apprise_library("apprise_of_nowhere")


@pytest.mark.parametrize(("schema", "word"), [("discrod", "discord"), ("macosx", "lacks what it needs here")])
async def test_a_service_that_apprise_has_not_is_found_at_the_start(schema: str, word: str) -> None:
    """Misspelt, or of another system."""
    with pytest.raises(OperatorError, match=word):
        async with open_apprise(AppriseSettings(schemas=(schema,)), a_workplace()):
            pass


async def test_threads_that_never_end_are_few() -> None:
    """Who comes when all are stuck is told so at once, and is served when one is free again."""
    threads, stuck = PatientThreads("stuck", 2), threading.Event()
    with pytest.raises(TimeoutError):
        await threads.run(stuck.wait, seconds=0.01)
    waiting = asyncio.create_task(threads.run(stuck.wait, seconds=10))
    await asyncio.sleep(0)
    with pytest.raises(ThreadsBusyError):
        await threads.run(lambda: 1, seconds=10)
    stuck.set()
    assert await waiting
    assert await threads.run(lambda: 1, seconds=10) == 1


async def test_signs_of_a_markup_in_a_text_are_no_markup() -> None:
    """A service that formats its texts is given ours with such signs escaped: names may hold stars."""
    async with a_gateway(text_answer("")) as gateway:
        address = f"rocket://{'a' * 24}%2F{'b' * 24}@{host_of(gateway.url)}/#kasese"
        settings = AppriseSettings(schemas=("rocket",), hosts=(host_of(gateway.url),))
        async with open_apprise(settings, a_workplace()) as notifier:
            delivery = await notifier.send(a_message(address, short_text="ALARM *Kasese*, ref 7"))
    assert delivery.state is DELIVERED
    assert "ALARM \\*Kasese\\*, ref 7" in json.loads(gateway.asked[0].body)["text"]

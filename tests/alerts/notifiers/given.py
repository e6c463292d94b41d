"""A gateway on loopback that answers as it is told and remembers what it was asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from alerts.notification import NotificationKind
from alerts.notifiers.notifier import Callback, OutgoingMessage, Workplace
from tests.system.servers import serve

TOKEN = "callback-token-0001"
SECRET = "hush-hush"


def a_message(address: str = "+256700000001", **changes: Any) -> OutgoingMessage:
    """Return an alarm to somebody."""
    fields: dict[str, Any] = {
        "key": "7-1-amina-x",
        "reference": 7,
        "kind": NotificationKind.ALARM,
        "contact": "amina",
        "address": address,
        "subject": "ALARM Kasese",
        "short_text": "ALARM Kasese & more: 9.4C. ref 7",
        "long_text": "long",
        "facts": {"severity": "critical"},
    }
    return OutgoingMessage(**{**fields, **changes})


@dataclass
class Asked:
    """One request."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass
class Gateway:
    """What came, and what is answered: the first of ``answers``, the last one for ever."""

    url: str = ""
    answers: list[Callable[[], web.StreamResponse]] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    stalls: bool = False
    """Sends the head of an answer and no more."""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Remember and answer."""
        body = await request.read()
        self.asked.append(Asked(request.method, request.path, dict(request.query), dict(request.headers), body))
        if self.stalls:
            response = web.StreamResponse(status=200, headers={"Content-Length": "99"})
            await response.prepare(request)
            await asyncio.sleep(60)
            return response
        return (self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])()


def json_answer(document: Any, status: int = 200, **headers: str) -> Callable[[], web.StreamResponse]:
    """Return an answer with a JSON document."""
    return lambda: web.json_response(document, status=status, headers=headers)


def text_answer(
    text: str, status: int = 200, headers: dict[str, str] | None = None
) -> Callable[[], web.StreamResponse]:
    """Return an answer with a text."""
    return lambda: web.Response(text=text, status=status, headers=headers)


@asynccontextmanager
async def a_gateway(*answers: Callable[[], web.StreamResponse]) -> AsyncIterator[Gateway]:
    """Run a gateway meanwhile."""
    gateway = Gateway(answers=list(answers))
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", gateway.handle)
    async with serve(application) as url:
        gateway.url = url
        yield gateway


def a_workplace(**changes: Any) -> Workplace:
    """Return a workplace whose time stands still and where nothing is written."""
    return Workplace(**{"writer": lambda _: None, "unix_seconds": lambda: 1_800_000_000.0, **changes})


def a_callback(
    body: bytes = b"", headers: dict[str, str] | None = None, query: dict[str, str] | None = None, method: str = "POST"
) -> Callback:
    """Return what a gateway posts."""
    return Callback(method, headers or {}, query or {}, body)

"""What every answer carries: security headers, and an ETag that saves a slow network from loading it twice."""

from __future__ import annotations

import hashlib
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
SECURITY_HEADERS: Final = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not "no-referrer": with it browsers post our own forms with the origin "null".
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
ONLY_ENCRYPTED: Final = {"Strict-Transport-Security": f"max-age={365 * 86_400}"}
"""Said over HTTPS only, as RFC 6797 asks; without the names below ours, which may belong to others."""
_TAGGED_AT_MOST: Final = 4 * 1024 * 1024


def security_headers(scope: Scope) -> dict[str, str]:
    """Return the security headers of the answer to a request."""
    return {**SECURITY_HEADERS, **(ONLY_ENCRYPTED if scope.get("scheme") == "https" else {})}


class SecurityHeaders:
    """ASGI middleware that adds the security headers, and ``no-store`` where a route said nothing of caching."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in security_headers(scope).items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)


class EntityTags:
    """ASGI middleware: an answer whose cache must ask again gets a tag, and 304 when the asker has it already.

    Only answers with ``Cache-Control: no-cache`` are held back to be tagged; everything else streams through.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http" or scope["method"] not in {"GET", "HEAD"}:
            await self._app(scope, receive, send)
            return
        await self._app(scope, receive, _Tagging(send, Headers(scope=scope).get("if-none-match", "")))


class _Tagging:
    """One answer on its way out."""

    def __init__(self, send: Send, known: str) -> None:
        self._send = send
        self._known = {tag.strip().removeprefix("W/") for tag in known.split(",")}
        self._start: Message | None = None
        self._body = bytearray()

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            if message["status"] == 200 and "no-cache" in Headers(raw=message["headers"]).get("cache-control", ""):
                self._start = message
                return
        elif self._start is not None and message["type"] == "http.response.body":
            self._body += message.get("body", b"")
            more = bool(message.get("more_body"))
            if more and len(self._body) <= _TAGGED_AT_MOST:
                return
            await self._release(more)
            return
        await self._send(message)

    async def _release(self, more: bool) -> None:
        start, body, self._start = self._start, bytes(self._body), None
        if start is None:
            return
        if not more:
            tag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
            headers = MutableHeaders(scope=start)
            headers["ETag"] = f"W/{tag}"
            if tag in self._known:
                start["status"], body = 304, b""
                for name in ("content-length", "content-type"):
                    del headers[name]
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body, "more_body": more})

"""A server that answers as Grafana does, on a real socket: it keeps what is put into it, and every request."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

TOKEN = "glsa_a-token"


class Request(NamedTuple):
    """One request as it came."""

    method: str
    path: str
    body: Any


@dataclass
class Grafana:
    """What the server holds, and how it answers."""

    version: str = "12.1.0"
    sources: dict[str, str] = field(
        default_factory=lambda: {"vitals-influxdb": "Influx of the ministry", "vitals-prometheus": "Prom"}
    )
    folders: dict[str, str] = field(default_factory=dict)
    dashboards: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    """By uid: the folder, and what was sent."""
    marks: list[Any] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    refusals: dict[tuple[str, str], tuple[int, Any]] = field(default_factory=dict)
    """By method and path: the status and the body that stand in for the answer."""
    moved_to: str = ""
    prefix: str = ""

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: Any) -> tuple[int, Any]:
        """Return status and body."""
        if (refusal := self.refusals.get((method, path))) is not None:
            return refusal
        match method, path.strip("/").split("/"):
            case "GET", ["api", "health"]:
                return 200, {"commit": "abc", "database": "ok", "version": self.version}
            case "GET", ["api", "folders", uid]:
                return (200, {"uid": uid, "title": self.folders[uid]}) if uid in self.folders else missing("folder")
            case "POST", ["api", "folders"]:
                self.folders[body["uid"]] = body["title"]
                return 200, {"uid": body["uid"], "title": body["title"]}
            case "GET", ["api", "datasources", "uid", uid]:
                return (200, {"uid": uid, "name": self.sources[uid]}) if uid in self.sources else missing("source")
            case "GET", ["api", "dashboards", "uid", uid]:
                return self._read(uid)
            case "POST", ["api", "dashboards", "db"]:
                return self._keep(body)
            case "POST", ["api", "annotations"]:
                self.marks.append(body)
                return 200, {"id": len(self.marks), "message": "Annotation added"}
            case "GET", ["api", "search"]:
                return 200, self._search(query)
        return missing("page")

    def _read(self, uid: str) -> tuple[int, Any]:
        if uid not in self.dashboards:
            return missing("dashboard")
        folder, kept = self.dashboards[uid]
        # A newer server raises the format when it reads, and leaves out what is null.
        read = {**without_nulls(kept), "id": 7, "version": 3, "schemaVersion": 42}
        return 200, {"dashboard": read, "meta": {"folderUid": folder, "provisioned": False}}

    def _keep(self, body: Any) -> tuple[int, Any]:
        dashboard = body["dashboard"]
        if dashboard["uid"] in self.dashboards and not body["overwrite"]:
            return 412, {"message": "The dashboard has been changed by someone else", "status": "version-mismatch"}
        self.dashboards[dashboard["uid"]] = (body["folderUid"], dashboard)
        return 200, {"id": 7, "uid": dashboard["uid"], "status": "success", "version": 1, "url": "/d/x"}

    def _search(self, query: dict[str, list[str]]) -> list[dict[str, str]]:
        if query["type"] == ["dash-folder"]:
            wanted = query.get("query", [""])[0]
            return [{"uid": uid, "title": title} for uid, title in self.folders.items() if wanted in title]
        return [
            {"uid": uid, "title": kept["title"], "folderUid": folder} for uid, (folder, kept) in self.dashboards.items()
        ]


def missing(what: str) -> tuple[int, Any]:
    """Return that something is not there."""
    return 404, {"message": f"{what} not found"}


def without_nulls(value: Any) -> Any:
    """Return the same without what is null."""
    if isinstance(value, dict):
        return {name: without_nulls(item) for name, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


@contextmanager
def serving(grafana: Grafana) -> Iterator[str]:
    """Serve on a free loopback port; yields the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._handle("GET")

        def do_POST(self) -> None:
            self._handle("POST")

        def _handle(self, method: str) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            address = urlsplit(self.path)
            path = address.path.removeprefix(grafana.prefix)
            grafana.requests.append(Request(method, self.path, json.loads(body) if body else None))
            if grafana.moved_to:
                self.send_response(301)
                self.send_header("Location", grafana.moved_to)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            # The health is told to everybody, as there.
            if path != "/api/health" and self.headers.get("Authorization") != f"Bearer {TOKEN}":
                self._say(401, {"message": "Invalid API key"})
            else:
                known = json.loads(body) if body else None
                self._say(*grafana.answer(method, path, parse_qs(address.query), known))

        def _say(self, status: int, answer: Any) -> None:
            text = answer if isinstance(answer, str) else json.dumps(answer)
            self.send_response(status)
            self.send_header("Content-Type", "text/html" if isinstance(answer, str) else "application/json")
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}{grafana.prefix}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

"""A Grafana server as six calls: health, folder, data source, dashboard, mark, search; nothing goes by numeric id.

``grafana-api`` (the optional extra ``grafana``) carries them. It has no call for the health and none for a data source
by uid, and falls over an error that is no JSON, as proxies write it: a hook reads each answer before it does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any
from urllib.parse import quote, urlsplit

from domain.errors import OperatorError, PeerError, VitalsError

ANSWERS_WITHIN_SECONDS = 30.0
# What the server numbers, and what a newer one raises when it reads.
_SERVERS_OWN = frozenset({"id", "version", "schemaVersion"})


class Outcome(StrEnum):
    """What became of a dashboard."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


class RefusedError(OperatorError):
    """The server answered that it will not; the status says why."""

    def __init__(self, status: int, sentence: str) -> None:
        self.status = status
        super().__init__(sentence)


class GrafanaServer:
    """One server, with one service account's token."""

    def __init__(self, url: str, token: str) -> None:
        try:
            from grafana_api.grafana_face import GrafanaFace
        except ModuleNotFoundError as error:
            raise OperatorError("pushing dashboards needs more packages: pip install 'vitals[grafana]'") from error
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
            raise OperatorError(f"{url!r} is no address of a server; allowed: such as https://grafana.example.org")
        self.url = url.rstrip("/")
        prefix = parts.path.strip("/")
        self._face = GrafanaFace(
            token,
            host=parts.netloc,
            url_path_prefix=f"{prefix}/" if prefix else "",
            protocol=parts.scheme,
            timeout=ANSWERS_WITHIN_SECONDS,
        )
        self._face.api.s.hooks["response"].append(self._judge)

    def health(self) -> str:
        """Return the server's version; empty where it does not tell."""
        return str(self._call("GET", "/health").get("version", ""))

    def folder(self, title: str) -> str:
        """Return the uid of the folder with this title, made where there is none."""
        uid = re.sub(r"[^a-z0-9]+", "-", title.casefold()).strip("-") or "folder"
        try:
            return str(self._call("GET", f"/folders/{uid}")["uid"])
        except RefusedError as error:
            if error.status != 404:
                raise
        for found in self.search(query=title, kind="dash-folder"):
            if found["title"] == title:
                return str(found["uid"])
        return str(self._call("POST", "/folders", {"title": title, "uid": uid})["uid"])

    def data_source(self, uid: str) -> str | None:
        """Return the name of the data source with this uid; None where there is none or the token may not look."""
        try:
            return str(self._call("GET", f"/datasources/uid/{quote(uid, safe='')}")["name"])
        except RefusedError as error:
            if error.status in (403, 404):
                return None
            raise

    def upsert(self, dashboard: Mapping[str, Any], folder: str, message: str) -> Outcome:
        """Put a dashboard into a folder, in the place of the one with its uid; write nothing where all is there."""
        outcome = self._compare(dashboard, folder)
        if outcome is not Outcome.UNCHANGED:
            sent = {**dashboard, "id": None}
            body = {"dashboard": sent, "folderUid": folder, "message": message, "overwrite": True}
            self._call("POST", "/dashboards/db", body)
        return outcome

    def mark(self, text: str) -> bool:
        """Put a mark at this moment that charts can show; return whether the token may."""
        try:
            self._call("POST", "/annotations", {"tags": ["vitals", "dashboards"], "text": text})
        except RefusedError as error:
            if error.status == 403:
                return False
            raise
        return True

    def search(self, *, query: str = "", tag: str = "", kind: str = "dash-db") -> list[dict[str, Any]]:
        """Return the dashboards or folders that fit."""
        asked = {"query": query, "tag": tag, "type": kind, "limit": "5000"}
        wanted = "&".join(f"{name}={quote(value, safe='')}" for name, value in asked.items() if value)
        found: list[dict[str, Any]] = self._call("GET", f"/search?{wanted}")
        return found

    def _compare(self, dashboard: Mapping[str, Any], folder: str) -> Outcome:
        try:
            there = self._call("GET", f"/dashboards/uid/{dashboard['uid']}")
        except RefusedError as error:
            if error.status != 404:
                raise
            return Outcome.CREATED
        ours = {name: value for name, value in dashboard.items() if name not in _SERVERS_OWN}
        same = there.get("meta", {}).get("folderUid", "") == folder and holds(there["dashboard"], ours)
        return Outcome.UNCHANGED if same else Outcome.CHANGED

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        import requests

        try:
            return getattr(self._face.api, method)(path, json=body)
        except VitalsError:
            raise
        except requests.exceptions.JSONDecodeError as error:
            raise OperatorError(f"what answers at {self.url} is not Grafana: {path} gave no JSON") from error
        except requests.exceptions.SSLError as error:
            raise OperatorError(
                f"the certificate of {self.url} is not trusted ({error}); REQUESTS_CA_BUNDLE names a file with its own"
            ) from error
        except requests.exceptions.RequestException as error:
            raise PeerError(f"no answer from {self.url}: {error}") from error

    def _judge(self, response: Any, **_: object) -> None:
        """Raise for an answer that is no success; called before the library reads it."""
        status = response.status_code
        if response.is_redirect:
            # Followed, a POST would become a GET and seem to succeed.
            to = response.headers["Location"]
            raise OperatorError(f"{self.url} sends one on to {to}: give the address that Grafana itself has")
        if status >= 500 or status == 429:
            raise PeerError(f"{self.url} cannot now ({status}): {_said(response)}")
        if status == 401:
            raise OperatorError(f"{self.url} does not know the token: {_said(response)}")
        if status == 403:
            raise RefusedError(
                status, f"the token may not ({_said(response)}); allowed: a service account that is an Editor"
            )
        if status >= 400:
            raise RefusedError(status, f"refused ({status}): {_said(response)}")


def holds(theirs: Any, ours: Any) -> bool:
    """Tell whether everything of ours is in theirs; servers add fields of their own, and leave out empty ones."""
    if isinstance(ours, dict):
        there = theirs if isinstance(theirs, dict) else {}
        return (bool(there) or not ours) and all(holds(there.get(name), value) for name, value in ours.items())
    if isinstance(ours, list):
        same_length = isinstance(theirs, list) and len(theirs) == len(ours)
        return (theirs is None and not ours) or (same_length and all(map(holds, theirs, ours)))
    return bool(theirs == ours)


def _said(response: Any) -> str:
    """Return what the server says of it, shortly; a proxy says it in HTML."""
    try:
        answer = response.json()
    except ValueError:
        return str(response.reason)
    return str(answer.get("message", response.reason)) if isinstance(answer, dict) else str(response.reason)

"""In which form figures are told to Prometheus: what was asked for, and one rendering for all who ask together."""

from __future__ import annotations

import asyncio
import time
import zlib
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from fastapi import Request, Response

_GZIP: Final = 16 + zlib.MAX_WBITS
_LEVEL: Final = 1
"""Nearly everything repeats: the best compression is a third smaller and takes six times as long."""
_PAUSE_SECONDS: Final = 0.001
"""Between two parts: a nation's scrape takes three seconds for it, and keeps nobody who waits for the interpreter."""


class Exposition(StrEnum):
    """A text format for metrics."""

    TEXT = "text/plain; version=0.0.4; charset=utf-8"
    OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


END: Final[Mapping[Exposition, str]] = {Exposition.TEXT: "", Exposition.OPENMETRICS: "# EOF\n"}
"""What a text ends with."""
Render = Callable[[Exposition], Iterable[str]]
"""Takes how everything is at once, without waiting, and returns the text in parts that are asked for in a thread."""


class _Form(NamedTuple):
    render: Render
    exposition: Exposition
    gzipped: bool


class Scrapes:
    """Answers scrapes; those that come while the same is being rendered share that rendering."""

    def __init__(self) -> None:
        self._rendering: dict[_Form, asyncio.Task[bytes]] = {}

    async def answer(self, request: Request, render: Render) -> Response:
        """Return the text in the form that the request accepts."""
        form = _Form(render, exposition_of(request.headers.get("accept", "")), _takes_gzip(request))
        task = self._rendering.get(form)
        if task is None:
            parts = render(form.exposition)
            task = asyncio.create_task(asyncio.to_thread(_joined, parts, gzipped=form.gzipped), name="render metrics")
            self._rendering[form] = task
            task.add_done_callback(lambda _: self._rendering.pop(form, None))
        content = await asyncio.shield(task)  # whoever goes away leaves it to the others
        headers = {"Content-Type": form.exposition.value, "Vary": "Accept, Accept-Encoding"}
        if form.gzipped:
            headers["Content-Encoding"] = "gzip"
        return Response(content, headers=headers)


def exposition_of(accept: str) -> Exposition:
    """Return the form that is liked best of those that are known; text where nothing is said."""
    liked = {Exposition.TEXT: 0.0, Exposition.OPENMETRICS: 0.0}
    for each in accept.lower().split(","):
        kind, *parameters = (part.strip() for part in each.split(";"))
        version = next((part.removeprefix("version=") for part in parameters if part.startswith("version=")), "")
        if kind == "application/openmetrics-text" and version in ("", "0.0.1", "1.0.0"):
            liked[Exposition.OPENMETRICS] = max(liked[Exposition.OPENMETRICS], _weight(parameters))
        elif kind in ("text/plain", "text/*", "*/*") and version in ("", "0.0.4"):
            liked[Exposition.TEXT] = max(liked[Exposition.TEXT], _weight(parameters))
    best = Exposition.OPENMETRICS if liked[Exposition.OPENMETRICS] > liked[Exposition.TEXT] else Exposition.TEXT
    return best if liked[best] else Exposition.TEXT


def _weight(parameters: Iterable[str]) -> float:
    """Return how much something is liked, between 0 (not at all) and 1."""
    said = next((part.removeprefix("q=") for part in parameters if part.startswith("q=")), "1")
    try:
        return min(max(float(said), 0.0), 1.0)
    except ValueError:
        return 0.0


def _takes_gzip(request: Request) -> bool:
    for each in request.headers.get("accept-encoding", "").lower().split(","):
        coding, *parameters = (part.strip() for part in each.split(";"))
        if coding in ("gzip", "*"):
            return _weight(parameters) > 0
    return False


def _joined(texts: Iterable[str], *, gzipped: bool) -> bytes:
    """Return the whole answer, made in small parts so that whoever waits for the interpreter gets it soon."""
    packer = zlib.compressobj(_LEVEL, wbits=_GZIP) if gzipped else None
    parts: list[bytes] = []
    for text in texts:
        part = text.encode("utf-8", "replace")
        parts.append(part if packer is None else packer.compress(part))
        time.sleep(_PAUSE_SECONDS)
    if packer is not None:
        parts.append(packer.flush())
    return b"".join(parts)

"""The label on a node: the address at which it is claimed, or its name alone, as a QR code."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import segno

from dashboards.pages.labels import claim_address
from domain.errors import OperatorError
from domain.topics import NODE_NAME, is_node_name

PREFIX = "vitals-node:"


def draw_label(node: str, service: str, out: Path | None, *, say: Callable[[str], None]) -> None:
    """Draw the code in the terminal, or write it as SVG or PNG; raise ``OperatorError``.

    ``service`` is the address under which telephones reach the pages; without one the code holds the name.
    """
    if not is_node_name(node):
        raise OperatorError(f"found node {node!r}; allowed: {NODE_NAME}")
    if service and urlsplit(service).scheme not in ("http", "https"):
        raise OperatorError(f"found address {service!r}; allowed: an address such as https://vitals.example")
    content = claim_address(service, node) if service else f"{PREFIX}{node}"
    code = segno.make(content, error="m", micro=False)
    if out is None:
        drawn = io.StringIO()
        code.terminal(drawn, compact=True)
        say(drawn.getvalue() + (content if service else node))
        return
    if out.suffix not in (".svg", ".png"):
        raise OperatorError(f"found {out}; allowed: a file that ends in .svg or .png")
    try:
        code.save(str(out), scale=8)
    except OSError as error:
        raise OperatorError(f"{out} cannot be written: {error.strerror}") from error

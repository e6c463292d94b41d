"""The label on a node: its name as a QR code."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import segno

from domain.errors import OperatorError
from domain.topics import NODE_NAME, is_node_name

PREFIX = "vitals-node:"


def draw_label(node: str, out: Path | None, *, say: Callable[[str], None]) -> None:
    """Draw the code in the terminal, or write it as SVG or PNG; raise ``OperatorError``."""
    if not is_node_name(node):
        raise OperatorError(f"found node {node!r}; allowed: {NODE_NAME}")
    code = segno.make(f"{PREFIX}{node}", error="m", micro=False)
    if out is None:
        drawn = io.StringIO()
        code.terminal(drawn, compact=True)
        say(drawn.getvalue() + node)
        return
    if out.suffix not in (".svg", ".png"):
        raise OperatorError(f"found {out}; allowed: a file that ends in .svg or .png")
    try:
        code.save(str(out), scale=8)
    except OSError as error:
        raise OperatorError(f"{out} cannot be written: {error.strerror}") from error

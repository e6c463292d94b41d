"""Work in processes of their own, as the service orders it: what it says on the way is heard, and it can be ended."""

from __future__ import annotations

import asyncio
import json
import pickle
import sys
from collections.abc import Callable, Sequence
from typing import Any, Final

from app.child import Work
from domain.errors import Fault, VitalsError

CHILD: Final = (sys.executable, "-m", "app.child")
_LONGEST_LINE: Final = 64 * 1024 * 1024
Hear = Callable[[dict[str, Any]], None]
"""Takes each line that ``app.child`` describes."""


class ChildError(VitalsError):
    """Work in another process failed, and said why or nothing."""

    fault = Fault.SERVICE


class Child:
    """One process for one piece of work."""

    def __init__(self, command: Sequence[str] = CHILD) -> None:
        self._command = command
        self._process: asyncio.subprocess.Process | None = None

    def kill(self) -> None:
        """End it, if it runs."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()

    async def run(self, work: Work, hear: Hear) -> int:
        """Have it done and return the exit code; whoever cancels this ends the process."""
        child = self._process = await asyncio.create_subprocess_exec(
            *self._command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=_LONGEST_LINE
        )
        assert child.stdin is not None and child.stdout is not None  # noqa: S101, PT018 - both were asked for
        try:
            child.stdin.write(pickle.dumps(work))
            child.stdin.close()
            async for line in child.stdout:
                hear(json.loads(line))
            return await child.wait()
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()


async def in_child(work: Work, command: Sequence[str] = CHILD) -> dict[str, Any]:
    """Have something done and return what came of it; raise ``ChildError`` where nothing did."""
    heard: dict[str, Any] = {}
    code = await Child(command).run(work, heard.update)
    if "result" not in heard:
        raise ChildError(heard.get("error") or f"It ended without an answer, with exit code {code}.")
    found: dict[str, Any] = heard["result"]
    return found

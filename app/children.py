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

    @property
    def is_ready(self) -> bool:
        """Tell whether it was started and has not ended."""
        return self._process is not None and self._process.returncode is None

    def kill(self) -> None:
        """End it, if it runs."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()

    async def end(self) -> None:
        """End it and return when it is gone."""
        self.kill()
        if self._process is not None:
            if self._process.stdin is not None:
                self._process.stdin.close()
            await self._process.wait()

    async def start(self, *modules: str) -> None:
        """Start it already, with what it is going to need imported: the work then begins at once."""
        self._process = await asyncio.create_subprocess_exec(
            *self._command, *modules, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=_LONGEST_LINE
        )

    async def run(self, work: Work, hear: Hear) -> int:
        """Have it done and return the exit code; whoever cancels this ends the process."""
        if self._process is None:
            await self.start()
        child = self._process
        assert child is not None and child.stdin is not None and child.stdout is not None  # noqa: S101, PT018
        try:
            child.stdin.write(pickle.dumps(work))
            child.stdin.close()
            async for line in child.stdout:
                hear(json.loads(line))
            return await child.wait()
        finally:
            await self.end()


async def in_child(work: Work, command: Sequence[str] = CHILD) -> dict[str, Any]:
    """Have something done and return what came of it; raise ``ChildError`` where nothing did."""
    heard: dict[str, Any] = {}
    code = await Child(command).run(work, heard.update)
    if "result" not in heard:
        raise ChildError(heard.get("error") or f"It ended without an answer, with exit code {code}.")
    found: dict[str, Any] = heard["result"]
    return found

"""Work on the database that a cancellation must not cut in two."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


async def whole(work: Coroutine[Any, Any, Result]) -> Result:
    """Await work to its end, also when cancelled meanwhile: a statement cut off can leave SQLite locked for others."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise

"""When Python looks for garbage: often among what is new, seldom among everything.

A nation's registry, statuses and figures are millions of objects, and going through all of them keeps the interpreter,
and with it every reading, page and alarm, for more than a second. Python does so by itself every few seconds, because
the newest readings of all channels outlive its two quick looks.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from typing import Final

NEW_SECONDS: Final = 1.0
ALL_SECONDS: Final = 3600.0
_NEVER: Final = 2**31 - 1


async def keep_tidy(
    now: Callable[[], float], *, new_seconds: float = NEW_SECONDS, all_seconds: float = ALL_SECONDS
) -> None:
    """Look for garbage until cancelled: every few seconds among what is new, once an hour among everything.

    What outlives a look is set aside until the next one at everything; the little of it that becomes garbage in cycles
    meanwhile costs memory until then. ``now`` counts seconds.
    """
    youngest, young, _ = before = gc.get_threshold()
    gc.set_threshold(youngest, young, _NEVER)
    gc.freeze()
    all_due = now() + all_seconds
    try:
        while True:
            await asyncio.sleep(new_seconds)
            if now() >= all_due:
                gc.unfreeze()
                all_due = now() + all_seconds
            gc.collect()
            gc.freeze()
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)

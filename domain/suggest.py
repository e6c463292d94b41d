"""How a wrong word is answered: with the words that are allowed and the one that was probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Final

MAX_LISTED: Final = 40
"""More words than these are counted instead of listed."""


def allowed_words(word: str, allowed: Iterable[str]) -> str:
    """Return e.g. ``one of fridge, freezer (did you mean fridge?)``; long lists are cut to the nearest words."""
    words = list(dict.fromkeys(allowed))
    if not words:
        return "none yet"
    if len(words) <= MAX_LISTED:
        near = difflib.get_close_matches(word, words, n=1)
        return f"one of {', '.join(words)}" + (f" (did you mean {near[0]}?)" if near else "")
    near = difflib.get_close_matches(word, words, n=3)
    return f"one of {len(words)} known ones" + (f" (did you mean {' or '.join(near)}?)" if near else "")

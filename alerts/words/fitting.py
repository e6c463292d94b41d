"""Room in a text message, shared out: the important parts first, each whole, cut, or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate, takewhile
from typing import NamedTuple

from alerts.words.alphabet import Alphabet

_LEAST = 16
"""A sentence that is cut to less says nothing."""


class Part(NamedTuple):
    """A piece of a message that may have to give way."""

    name: str
    """For whoever wants to know what was lost."""
    rank: int
    """The smaller, the sooner it gets its room; parts stand in the message in the order in which they are given."""
    whole: str
    """What it says where there is room."""
    within: Callable[[int], str]
    """What it says in so much room; empty where nothing sensible fits."""
    optional: bool = False
    """Whether nothing is lost without it."""


class Fitted(NamedTuple):
    """A text message, and what did not find room in it."""

    text: str
    cut: tuple[str, ...] = ()
    """Names of the parts that were shortened."""
    dropped: tuple[str, ...] = ()
    """Names of the parts that are missing."""


def sentence(name: str, rank: int, text: str, alphabet: Alphabet, *, most: int | None = None) -> Part:
    """Return a part that loses its end where need be; ``most`` caps it in any case."""
    whole = _ended(alphabet.clean(text))

    def within(room: int) -> str:
        capped = room if most is None else min(room, most)
        if alphabet.size(whole) <= capped:
            return whole
        return alphabet.shorten(whole, capped) if capped >= _LEAST else ""

    return Part(name, rank, whole, within)


def unit(name: str, rank: int, text: str, alphabet: Alphabet, *, optional: bool = False) -> Part:
    """Return a part that is there whole or not at all."""
    whole = alphabet.clean(text)
    return Part(name, rank, whole, lambda room: whole if alphabet.size(whole) <= room else "", optional)


def listing(
    name: str,
    rank: int,
    names: Sequence[str],
    around: Callable[[str], str],
    alphabet: Alphabet,
    *,
    between: str = ", ",
    most: int | None = None,
) -> Part:
    """Return a part that lists as many names as fit and counts the others: ``Also: Fridge 2, Freezer 1 +3.``.

    The names are clean. ``around`` puts the sentence around the list; ``most`` caps it. Where not even one name fits,
    it is cut.
    """

    def written(shown: int) -> str:
        more = f" +{len(names) - shown}" if shown < len(names) else ""
        return alphabet.clean(around(between.join(names[:shown]) + more))

    def within(room: int) -> str:
        capped = room if most is None else min(room, most)
        for shown in range(_at_most(names, between, capped), 0, -1):
            if alphabet.size(text := written(shown)) <= capped:
                return text
        return alphabet.shorten(written(1), capped) if names and capped >= _LEAST else ""

    return Part(name, rank, written(len(names)) if names else "", within)


def _at_most(names: Sequence[str], between: str, room: int) -> int:
    """Return how many names could fit if nothing stood around them: the others need not be tried."""
    ends = accumulate(len(name) + len(between) for name in names)
    return sum(1 for _ in takewhile(lambda end: end - len(between) <= room, ends))


def fit(head: str, parts: Iterable[Part], tail: str, alphabet: Alphabet) -> Fitted:
    """Return the message within the first limit that it fits whole, or else as much of it as the last allows.

    ``head`` and ``tail`` are clean, and always in it.
    """
    said = [part for part in parts if part.whole]
    fitted = Fitted("")
    for limit in alphabet.limits:
        fitted = _within(limit, head, said, tail, alphabet)
        if not (fitted.cut or fitted.dropped):
            break
    return fitted


def _within(limit: int, head: str, parts: Sequence[Part], tail: str, alphabet: Alphabet) -> Fitted:
    room = limit - alphabet.size(head) - alphabet.size(tail) - 1
    texts = [""] * len(parts)
    for place in sorted(range(len(parts)), key=lambda each: parts[each].rank):
        text = parts[place].within(room - 1) if room > 1 else ""
        texts[place] = text
        room -= alphabet.size(text) + 1 if text else 0
    kept = list(zip(parts, texts, strict=True))
    return Fitted(
        " ".join(filter(None, (head, *texts, tail))),
        tuple(part.name for part, text in kept if text and text != part.whole),
        tuple(part.name for part, text in kept if not text and not part.optional),
    )


def _ended(text: str) -> str:
    bare = text.rstrip(" .")
    return f"{bare}." if bare else ""

"""What somebody means who answers by text: from any string to an ``Answer``, without guessing. Pure.

The rule, as it is told to people: *a digit, then the number of the alarm, then whatever you like.*

- ``1`` is "I go", ``2`` "I need help", ``9`` "done"; words of ``alerts.answers.lexicon`` mean the same.
- **Codes, references and known words are read up to the first word that is none of them.** What follows is a note, and
  the numbers in it are not references (``9 4821 replaced 2 fuses``), except behind ``ref`` or ``#``.
- **A number that could be both**, 1, 2 or 9, is a code; it is a reference only behind ``ref``, ``alarm`` or ``#``
  (``1 ref 2``). Two different codes beside each other (``1 2``) are unclear, since they may be one of each.
- A number with a leading zero, a ``+``, more than nine digits, one or two digits behind a point, or a unit behind it
  (``12 doses``) is no reference: it is a telephone number, a time or a value.
- "yes" and "ok" mean "I go" where nothing but references and courtesies stand beside them. With more words they may
  mean anything and are unclear, as "I go" is with a "not" behind it, and any word with a question mark.
- ``help`` asks how to answer, as it does with every SMS service, unless a reference or "need" or "me" stands with it.
- References in a quoted message count where the answer itself names none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from alerts.answers.lexicon import CODES, NEGATIONS, Sense
from alerts.answers.notes import doses_in, note_of
from alerts.answers.tokens import Text, Token, read_tokens, sure_references

_MOST_REFERENCES = 10


class Meaning(StrEnum):
    """What a text asks for."""

    GOING = "going"
    HELP = "help"
    """Help is needed: the next people are to be told now."""
    DONE = "done"
    STATUS = "status"
    HOW = "how"
    """How one answers."""
    STOP = "stop"
    UNCLEAR = "unclear"

    @property
    def acts(self) -> bool:
        """Tell whether it changes alerts."""
        return self in {Meaning.GOING, Meaning.HELP, Meaning.DONE}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a text says."""

    meaning: Meaning
    references: tuple[int, ...] = ()
    """Each once, in the order of the text."""
    note: str = ""
    doses: int | None = None
    """How many doses are lost, where the note says it plainly."""


def parse(text: str) -> Answer:
    """Return what a text means; every string means something, if only ``UNCLEAR``."""
    read = Text.of(text)
    tokens = read_tokens(read.own)
    head = _head(tokens)
    if head is None:
        return Answer(Meaning.UNCLEAR)
    rest = tokens[head.length :]
    references = head.references or sure_references(rest) or sure_references(read_tokens(read.quoted))
    meaning = _meaning(head, rest)
    if not meaning.acts:
        return Answer(meaning, references[:_MOST_REFERENCES])
    note = note_of(read.own, rest)
    doses = doses_in(note) if meaning is Meaning.DONE else None
    return Answer(meaning, references[:_MOST_REFERENCES], note, doses)


@dataclass(frozen=True, slots=True)
class _Head:
    """What stands before the first free word."""

    codes: frozenset[Sense]
    words: tuple[Sense, ...]
    references: tuple[int, ...]
    asked: bool
    """Whether a question mark stands in it."""
    length: int
    """Tokens, without fillers at its end: they belong to the note."""


def _head(tokens: list[Token]) -> _Head | None:
    """Return the head; None where there is nothing to read."""
    codes, words, references = set(), [], []
    asked, length = False, 0
    marked = False
    for position, token in enumerate(tokens, start=1):
        if token.number is not None:
            if token.number in CODES and not marked:
                codes.add(CODES[token.number])
            else:
                references.append(token.number)
        elif token.sense is None:
            break
        elif token.word in {"?", "؟"}:
            asked = True
        elif token.sense not in {Sense.MARKER, Sense.FILLER}:
            words.append(token.sense)
        marked = token.sense is Sense.MARKER
        length = position if token.sense not in {Sense.MARKER, Sense.FILLER} else length
    if not tokens:
        return None
    return _Head(frozenset(codes), tuple(words), tuple(dict.fromkeys(references)), asked, length)


_REQUESTS = {Sense.STATUS: Meaning.STATUS, Sense.STOP: Meaning.STOP, Sense.HOW: Meaning.HOW}
_NOT_YET = {"bado", "not", "encore", "ainda", "بعد"}
_ACTS = {Sense.GOING: Meaning.GOING, Sense.HELP: Meaning.HELP, Sense.DONE: Meaning.DONE}


def _meaning(head: _Head, rest: list[Token]) -> Meaning:
    acts = head.codes | {sense for sense in head.words if sense in _ACTS}
    if len(acts) > 1:
        return Meaning.UNCLEAR
    if acts:
        (sense,) = acts
        sure = bool(head.codes) or not (head.asked or _is_turned_round(sense, rest))
        return _ACTS[sense] if sure else Meaning.UNCLEAR
    return _without_act(head, rest)


def _without_act(head: _Head, rest: list[Token]) -> Meaning:
    if head.words and head.words[0] in _REQUESTS:
        wants_help = head.words[0] is Sense.HOW and bool(head.references) and not head.asked
        return Meaning.HELP if wants_help else _REQUESTS[head.words[0]]
    if head.asked and not head.words and not rest and not head.references:
        return Meaning.HOW
    agrees = Sense.YES in head.words and set(head.words) == {Sense.YES}
    only_courtesies = all(token.sense in {Sense.FILLER, Sense.MARKER} for token in rest)
    return Meaning.GOING if agrees and not head.asked and only_courtesies else Meaning.UNCLEAR


def _is_turned_round(sense: Sense, rest: list[Token]) -> bool:
    """Tell whether a "not" stands near a word; a "no" behind "done" speaks of losses."""
    near = {part for token in rest[:4] for part in re.split(r"\W+", token.word)}
    return bool(near & (_NOT_YET if sense is Sense.DONE else NEGATIONS))

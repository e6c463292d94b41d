"""What stands behind a code: the note, and the doses that it says are lost. Pure."""

from __future__ import annotations

import re

from alerts.answers.lexicon import Sense
from alerts.answers.tokens import Token, fold

_LONGEST_NOTE = 500
_OUR_MESSAGE = re.compile(r"\b(?:ALARM|WORSE|ALARME|ALERTE?|ALERTA|PIRE|PIOR)\b[^:]{3,120}:")
_NOUN = r"(?:doses?|dozi|جرعة|جرعات|جرعه)"
_DOSES = re.compile(
    rf"(?<![\d.,/+-])(?<![\d][-/ ])(\d{{1,6}}) ?(?:vaccine )?{_NOUN}\b|\bdozi (\d{{1,6}})(?![\d.,/-]|\s*-)"
)
_NO_DOSES = re.compile(rf"\b(?:no|zero|without|aucune|pas de|sans|nenhuma|sem|hakuna|لا|بدون) {_NOUN}\b")
_KEPT = re.compile(
    r"\b(?:saved?|safe|ok|okay|good|fine|kept|moved|transferred|remain\w*|left|sauvee?s?|intactes?|deplacee?s?|"
    r"salvas?|boas?|movidas?|salama|zimehamishwa|سليمة)\b"
)


def note_of(text: str, tokens: list[Token]) -> str:
    """Return the text from the first of the tokens on, in one line, without a quoted message of ours."""
    if all(token.sense in {Sense.FILLER, Sense.MARKER} for token in tokens):
        return ""
    note = text[tokens[0].start :]
    quoted = _OUR_MESSAGE.search(note)
    if quoted:
        note = note[: quoted.start()]
    return " ".join(note.split())[:_LONGEST_NOTE].strip(" .,;:-")


def doses_in(note: str) -> int | None:
    """Return how many doses a note says are lost; None where it says none, several figures, or that they are safe."""
    folded = " ".join(fold(note).split())
    figures = {int(match[1] or match[2]) for match in _DOSES.finditer(folded)}
    if _NO_DOSES.search(folded):
        figures.add(0)
    return figures.pop() if len(figures) == 1 and not _KEPT.search(folded) else None

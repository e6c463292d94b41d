"""A line protocol decoder written from the format's description, independent of the code that encodes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$")
_BOOLEANS = {"t": True, "T": True, "true": True, "True": True, "TRUE": True} | {
    "f": False,
    "F": False,
    "false": False,
    "False": False,
    "FALSE": False,
}

FieldValue = float | int | str | bool


@dataclass
class Point:
    """One decoded line."""

    measurement: str
    tags: dict[str, str] = field(default_factory=dict)
    fields: dict[str, FieldValue] = field(default_factory=dict)
    time: int | None = None


class _Cursor:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    @property
    def next(self) -> str:
        """The next character, or "" at the end."""
        return self.text[self.at : self.at + 1]

    def take(self) -> str:
        character = self.next
        self.at += 1
        return character

    def skip(self, characters: str) -> None:
        while self.next and self.next in characters:
            self.at += 1

    def word(self, ends: str, escapable: str) -> str:
        """Take everything up to an unescaped end; a backslash counts only before a character it can escape."""
        found = []
        while self.next and self.next not in ends:
            character = self.take()
            if character == "\\" and self.next and self.next in escapable:
                character = self.take()
            found.append(character)
        if not found:
            raise ValueError(f"a name is empty at {self.at} of {self.text!r}")
        return "".join(found)


def decode(text: str) -> list[Point]:
    """Return the points of a text; raise ``ValueError`` where it is not line protocol."""
    cursor = _Cursor(text)
    points: list[Point] = []
    while True:
        cursor.skip(" \n")
        if not cursor.next:
            return points
        if cursor.next == "#":
            cursor.word("\n", "")
        else:
            points.append(_point(cursor))


def _point(cursor: _Cursor) -> Point:
    point = Point(cursor.word(", \n", ", "))
    while cursor.next == ",":
        cursor.take()
        key = cursor.word("=, \n", ",= ")
        _expect(cursor, "=")
        value = cursor.word(", =\n", ",= ")
        if key in point.tags:
            raise ValueError(f"tag {key!r} twice")
        point.tags[key] = value
    _expect(cursor, " ")
    cursor.skip(" ")
    _take_fields(cursor, point)
    cursor.skip(" ")
    if cursor.next and cursor.next != "\n":
        point.time = int(cursor.word(" \n", ""))
    cursor.skip(" ")
    if cursor.next and cursor.next != "\n":
        raise ValueError(f"more than a time at {cursor.at} of {cursor.text!r}")
    return point


def _take_fields(cursor: _Cursor, point: Point) -> None:
    while True:
        key = cursor.word("=, \n", ",= ")
        _expect(cursor, "=")
        point.fields[key] = _field_value(cursor)
        if cursor.next != ",":
            return
        cursor.take()


def _field_value(cursor: _Cursor) -> FieldValue:
    if cursor.next == '"':
        return _string(cursor)
    word = cursor.word(", \n", "")
    if word in _BOOLEANS:
        return _BOOLEANS[word]
    if word[-1] in "iu":
        return int(word[:-1])
    if not _NUMBER.match(word):
        raise ValueError(f"{word!r} is no number")
    return float(word)


def _string(cursor: _Cursor) -> str:
    cursor.take()
    found = []
    while (character := cursor.take()) != '"':
        if not character:
            raise ValueError("a string has no end")
        if character == "\\" and cursor.next in ('"', "\\"):
            character = cursor.take()
        found.append(character)
    return "".join(found)


def _expect(cursor: _Cursor, character: str) -> None:
    if cursor.take() != character:
        raise ValueError(f"no {character!r} at {cursor.at - 1} of {cursor.text!r}")

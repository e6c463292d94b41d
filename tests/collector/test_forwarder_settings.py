"""Settings of the forwarder: what does not fit together is refused with what is allowed."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from collector.forwarder.bisection import RefusedLine
from collector.forwarder.dead_letters import DeadLetters
from collector.forwarder.settings import InfluxSettings


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"url": "127.0.0.1:8086"}, "http://host:port"),
        ({"url": "http://me:secret@influx:8086"}, "fields of their own"),
        ({"kind": "v2"}, "needs org and token"),
        ({"kind": "v2", "org": "health", "token": "t", "username": "u", "password": "p"}, "belong to v1"),
        ({"token": "t"}, "belong to v2 and v3"),
        ({"kind": "v3", "token": "t", "retention": "90d"}, "retention belongs to v1 and v2"),
        ({"retention": "10min"}, "at least 1h"),
        ({"username": "u"}, "go together"),
        ({"username": "a:b", "password": "p"}, "colon"),
        ({"batch_lines": 0}, "greater than or equal to 1"),
        ({"databse": "vitals"}, "Extra inputs"),
    ],
)
def test_what_does_not_fit_is_refused(values: dict[str, Any], words: str) -> None:
    """Every mistake is refused with a sentence that says what is allowed."""
    with pytest.raises(ValidationError, match=words):
        InfluxSettings.model_validate(values)


def test_secrets_do_not_show() -> None:
    """A printed configuration does not tell the token."""
    settings = InfluxSettings.model_validate({"kind": "v2", "org": "health", "token": "tell-nobody"})
    assert "tell-nobody" not in f"{settings!r} {settings} {settings.model_dump_json()}"


def test_dead_letters_are_bounded() -> None:
    """The newest refused lines are kept, a part of each, and all are counted."""
    letters = DeadLetters(longest=2, longest_line=3)
    for line in ("first", "second", "third"):
        letters(RefusedLine(line, "bad"))
    assert (letters.total, [letter.line for letter in letters.recent()]) == (3, ["sec", "thi"])

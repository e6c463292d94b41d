"""Signed messages: what the service wrote is obeyed, what anybody changed is not."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.command import Command, CommandName, ConfigChange, Outcome, Refusal, Reply
from domain.rejection import PayloadError, Reason
from domain.signed import MAX_SIGNED_BYTES, canonical, is_signed, read_signed, signed

KEY = "0123456789abcdef0123456789abcdef"
TOPIC = "vitals/v1/n1/down/command"
NOW_MS = 1_763_640_000_000

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | texts,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(codec="ascii"), max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
contents = st.dictionaries(st.text(st.characters(codec="ascii"), min_size=1, max_size=8), values, max_size=5).map(
    lambda content: {name: value for name, value in content.items() if name != "signature"}
)


@given(contents)
def test_what_is_signed_is_read_back(content: dict[str, Any]) -> None:
    """The object survives the way, whatever is in it, and its signature holds."""
    found = read_signed(signed(content, topic=TOPIC, key=KEY))
    assert is_signed(found, topic=TOPIC, key=KEY)
    assert {name: value for name, value in found.items() if name != "signature"} == content


@given(contents)
def test_another_spelling_of_the_same_object_is_as_good(content: dict[str, Any]) -> None:
    """White space, order and escapes do not matter: the canonical form is signed, not the bytes."""
    written = json.loads(signed(content, topic=TOPIC, key=KEY))
    spelled = json.dumps(dict(reversed(written.items())), indent=1, ensure_ascii=True).encode()
    assert is_signed(read_signed(spelled), topic=TOPIC, key=KEY)


@given(contents, st.text(st.characters(codec="ascii"), min_size=1, max_size=8), values)
def test_any_change_breaks_the_signature(content: dict[str, Any], name: str, value: Any) -> None:
    """A member that was changed or added is not what the service signed."""
    written = read_signed(signed(content, topic=TOPIC, key=KEY))
    changed = {**written, name: value}
    # Equality in Python is wider than in JSON: true is 1.
    if json.dumps(changed, sort_keys=True) != json.dumps(written, sort_keys=True):
        assert not is_signed(changed, topic=TOPIC, key=KEY)


@pytest.mark.parametrize(("topic", "key"), [("vitals/v1/n2/down/command", KEY), (TOPIC, KEY[::-1])])
def test_a_signature_is_for_one_topic_and_one_key(topic: str, key: str) -> None:
    """What was meant for another node, or signed by somebody else, is not obeyed."""
    found = read_signed(signed({"id": "a"}, topic=TOPIC, key=KEY))
    assert not is_signed(found, topic=topic, key=key)


def test_the_signature_is_what_the_document_says() -> None:
    """Another program that follows docs/wire.md comes to the same bytes."""
    message = f'{TOPIC}\n{{"arguments":{{"seconds":30}},"id":"Zürich"}}'.encode()
    expected = hmac.new(KEY.encode(), message, hashlib.sha256).hexdigest()
    found = read_signed(signed({"id": "Zürich", "arguments": {"seconds": 30}}, topic=TOPIC, key=KEY))
    assert found["signature"] == expected


@pytest.mark.parametrize(
    "payload",
    [
        *(b"", b"{", b"[]", b"3", b'{"a": 1.5}', b'{"a": 1e3}', b'{"a": NaN}', b'{"a": 9007199254740992}', b"\xff"),
        *('{"ü": 1}'.encode(), b'{"a": "\\ud800"}', b"[" * 100_000, b'{"a": "' + b"x" * MAX_SIGNED_BYTES + b'"}'),
    ],
)
def test_what_has_no_exact_form_is_no_signed_message(payload: bytes) -> None:
    """Two programs must not be able to read it differently."""
    with pytest.raises(PayloadError) as refusal:
        read_signed(payload)
    assert refusal.value.reason in (Reason.MALFORMED, Reason.TOO_LARGE)


def test_floats_are_not_signed() -> None:
    """They are written differently by different programs."""
    with pytest.raises(ValueError, match="not an integer"):
        canonical({"a": 1.5})


def test_messages_come_back_as_they_were_sent() -> None:
    """Commands, configurations and replies survive their bytes."""
    command = Command("c1", CommandName.IDENTIFY, {"seconds": 5}, NOW_MS)
    change = ConfigChange("k1", NOW_MS + 1, "interval: 5min\n")
    reply = Reply(None, "config", Outcome.REFUSED, Refusal.INVALID, "línea 3", NOW_MS)
    assert Command.decode(command.encode(topic=TOPIC, key=KEY)) == command
    assert ConfigChange.decode(change.encode(topic=TOPIC, key=KEY)) == change
    assert Reply.decode(reply.encode()) == reply


@pytest.mark.parametrize(
    "change",
    [
        *({"id": ""}, {"id": "a b"}, {"id": 7}, {"name": None}, {"arguments": []}),
        *({"expires_at": "soon"}, {"expires_at": "2026-11-20T12:00:00"}),
    ],
)
def test_a_command_without_its_parts_is_refused(change: dict[str, Any]) -> None:
    """Each part is needed, in its own shape."""
    good = {"id": "c1", "name": "restart", "arguments": {}, "expires_at": "2026-11-20T12:00:00Z"}
    with pytest.raises(PayloadError):
        Command.decode(json.dumps(good | change).encode())


@pytest.mark.parametrize("payload", [b"", b"[]", b'{"id": null}', b'{"outcome": "fine"}', b"x" * 70_000])
def test_no_reply_is_taken_for_one(payload: bytes) -> None:
    """Anything else than a reply says so."""
    with pytest.raises(PayloadError):
        Reply.decode(payload)

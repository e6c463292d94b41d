"""Every answer of InfluxDB leads to one action, and no answer leads to loss."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.forwarder.answers import LONGEST_RETRY_AFTER_SECONDS, Action, Answer, decide, retry_after_seconds

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def said(status: int | None, message: str = "", key: str = "error") -> Answer:
    """Return an answer with the server's message in its JSON body."""
    return Answer(status, json.dumps({key: message}).encode() if message else b"")


@pytest.mark.parametrize(
    ("status", "action"),
    [
        (None, Action.RETRY),
        (200, Action.HOLD),
        (201, Action.BISECT),
        (204, Action.ADVANCE),
        (302, Action.HOLD),
        (400, Action.BISECT),
        (401, Action.HOLD),
        (403, Action.HOLD),
        (404, Action.HOLD),
        (405, Action.HOLD),
        (408, Action.RETRY),
        (413, Action.HALVE),
        (422, Action.BISECT),
        (429, Action.RETRY),
        (500, Action.RETRY),
        (502, Action.RETRY),
        (503, Action.RETRY),
        (504, Action.RETRY),
        (599, Action.RETRY),
    ],
)
def test_each_status_has_its_action(status: int | None, action: Action) -> None:
    """The table of statuses: what is stored, what is looked for, what waits and for whom."""
    assert decide(said(status), now=NOW).action is action


@pytest.mark.parametrize(
    ("answer", "action"),
    [
        (said(400, "partial write: points beyond retention policy dropped=3"), Action.EXPIRED),
        (
            said(
                422,
                "failure writing points to database: partial write: points beyond retention policy dropped=3",
                "message",
            ),
            Action.EXPIRED,
        ),
        (said(400, "partial write: max-series-per-database limit exceeded: (1000000) dropped=2"), Action.HOLD),
        (said(400, 'partial write: max-values-per-tag limit exceeded (10/10): measurement="m"'), Action.HOLD),
        (said(400, "unable to parse 'm,a=points beyond retention policy dropped=1': missing fields"), Action.BISECT),
        (said(400, "unable to parse 'm,a=max-series-per-database limit exceeded': missing fields"), Action.BISECT),
    ],
)
def test_a_refusal_is_read_from_its_beginning(answer: Answer, action: Action) -> None:
    """Expired points are no refusal, a full server is the operator's, and a quoted line decides nothing."""
    assert decide(answer, now=NOW).action is action


@pytest.mark.parametrize(
    ("message", "names"),
    [
        ("unable to parse 'bad': missing fields", True),
        ("partial write: unable to parse 'bad': missing fields dropped=0", True),
        ('partial write: field type conflict: input field "value" on measurement "m" is type integer dropped=1', True),
        ("partial write of line protocol occurred", True),
        ("database is required", False),
        ("unexpected EOF", False),
        ("", False),
    ],
)
def test_only_some_refusals_name_a_line(message: str, names: bool) -> None:
    """What is wrong with the request as a whole is told from what is wrong with a line."""
    assert decide(said(400, message), now=NOW).names_a_line is names


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        (" 0 ", 0.0),
        ("Fri, 20 Nov 2026 12:00:30 GMT", 30.0),
        ("Fri, 20 Nov 2026 11:00:00 GMT", 0.0),
        ("999999999999", LONGEST_RETRY_AFTER_SECONDS),
        ("-3", 0.0),
        ("²", 0.0),
        ("soon", 0.0),
        ("", 0.0),
    ],
)
def test_retry_after_is_read_in_both_of_its_forms(header: str, seconds: float) -> None:
    """Seconds and dates are honoured, nonsense counts as nothing, and an hour is the most."""
    assert retry_after_seconds(header, NOW) == seconds


@given(
    st.none() | st.integers(100, 999),
    st.binary(max_size=200) | st.text(max_size=100).map(lambda text: json.dumps({"error": text}).encode()),
    st.dictionaries(st.sampled_from(["Retry-After", "retry-after", "X-Other"]), st.text(max_size=30)),
)
def test_any_answer_can_be_decided(status: int | None, body: bytes, headers: dict[str, str]) -> None:
    """Whatever comes back, there is a decision, its text is one short line, and only 204 stores everything."""
    decision = decide(Answer(status, body, headers), now=NOW)
    assert (decision.action is Action.ADVANCE) == (status == 204)
    assert len(decision.detail) <= 301
    assert "\n" not in decision.detail
    assert 0 <= decision.retry_after_seconds <= LONGEST_RETRY_AFTER_SECONDS

"""Events of episodes on the wire: what is written is read again, and nothing else is accepted."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.episode import Episode, Severity, SubjectKind, episode_id
from domain.episode_event import MAX_EVENT_BYTES, EpisodeEvent
from domain.instant import to_ms
from domain.rejection import PayloadError, Reason

START = datetime(2026, 11, 20, 4, tzinfo=UTC)

milliseconds = st.integers(0, 10**10).map(lambda number: timedelta(milliseconds=number))
channels = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=50)


@st.composite
def events(draw: st.DrawFn) -> EpisodeEvent:
    """Return any event that a node may send."""
    started = START + draw(milliseconds)
    confirmed = started + draw(milliseconds)
    ended = draw(st.none() | milliseconds.map(lambda after: confirmed + after + timedelta(milliseconds=1)))
    extreme = draw(st.none() | st.floats(allow_nan=False, allow_infinity=False))
    rule, channel = draw(st.from_regex(r"\A[a-z0-9][a-z0-9-]{0,59}\Z")), draw(channels)
    episode = Episode(
        id=episode_id(rule, channel, to_ms(started)),
        rule=rule,
        severity=draw(st.sampled_from(Severity)),
        subject_kind=SubjectKind.CHANNEL,
        subject=channel,
        facility="",
        started_at=started,
        confirmed_at=confirmed,
        ended_at=ended,
        extreme=extreme,
        extreme_at=None if extreme is None else started,
    )
    return EpisodeEvent("e1", draw(st.integers(0, 2**53 - 1)), episode, (ended or confirmed) + draw(milliseconds))


@given(events())
def test_an_event_is_read_as_it_was_written(event: EpisodeEvent) -> None:
    """Every field survives the way."""
    assert EpisodeEvent.decode(event.encode()) == event


@given(
    st.binary(max_size=200) | st.recursive(st.none() | st.text(), st.lists).map(lambda any_: json.dumps(any_).encode())
)
def test_what_is_no_event_is_refused(payload: bytes) -> None:
    """Whatever else comes raises the error that says whose fault it is."""
    with pytest.raises(PayloadError):
        EpisodeEvent.decode(payload)


def fields(**changed: Any) -> bytes:
    """Return an event with some fields changed."""
    return json.dumps(
        {
            "epoch": "e1",
            "seq": 4,
            "id": "who-heat/c/20261120T040000Z",
            "rule": "who-heat",
            "channel": "c",
            "severity": "critical",
            "started": "2026-11-20T04:00:00Z",
            "confirmed": "2026-11-20T14:00:00Z",
            "ended": None,
            "extreme": 9.4,
            "extreme_at": "2026-11-20T13:20:00Z",
            "seen": "2026-11-20T15:00:00Z",
        }
        | changed
    ).encode()


@pytest.mark.parametrize(
    "changed",
    [
        {"epoch": "a b"},
        {"epoch": None},
        {"seq": -1},
        {"seq": True},
        {"seq": 2**53},
        {"id": "other/c/20261120T040000Z"},
        {"id": "who-heat/c/yesterday"},
        {"id": "who-heat/c/20261399T040000Z"},
        {"rule": "Who Heat"},
        {"channel": ""},
        {"channel": ["c"]},
        {"severity": "bad"},
        {"severity": {}},
        {"started": "2026-11-20T04:00:00"},
        {"started": "2026-11-20T14:00:01Z"},
        {"confirmed": 12},
        {"ended": "2026-11-20T04:00:00Z"},
        {"ended": "2026-11-20T15:00:01Z"},
        {"extreme": "9.4"},
        {"extreme": float("nan")},
        {"extreme": 10**400},
        {"extreme_at": None},
        {"seen": None},
        {"seen": "2026-11-20T13:59:59Z"},
    ],
)
def test_a_wrong_field_is_named(changed: dict[str, Any]) -> None:
    """The refusal says which field is meant."""
    assert EpisodeEvent.decode(fields()).seq == 4
    with pytest.raises(PayloadError) as refused:
        EpisodeEvent.decode(fields(**changed))
    assert refused.value.reason is Reason.MALFORMED


def test_a_large_event_is_not_read() -> None:
    """Its size alone refuses it."""
    with pytest.raises(PayloadError) as refused:
        EpisodeEvent.decode(fields(more="x" * MAX_EVENT_BYTES))
    assert refused.value.reason is Reason.TOO_LARGE

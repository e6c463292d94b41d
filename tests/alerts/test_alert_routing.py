"""Whom to tell, now, why: one decision with a reason for everybody."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.bundle import Occasion
from alerts.notification import NotificationKind
from alerts.routing import Audience, Question, Reach, Reason, Route, Verdict, decide, lanes_of, quiet_until
from domain.alert import AlertState
from domain.episode import Severity
from domain.people import QuietHours
from tests.alerts.given import AMINA, NOON

ALARM, WORSE, CLEAR = NotificationKind.ALARM, NotificationKind.WORSE, NotificationKind.ALL_CLEAR
NIGHT = QuietHours(time(21), time(6), "Africa/Kampala")
AT_NIGHT = datetime(2026, 11, 20, 20, 30, tzinfo=UTC)  # 23:30 in Kampala
ASKED = Question(
    kind=ALARM,
    occasion=Occasion.NEW,
    severity=Severity.WARNING,
    now=NOON,
    state=AlertState.UNACKNOWLEDGED,
    live=True,
    last=None,
    has_address=True,
)


def phone(channel: str, medium: str = "sms", *, on_request: bool = False) -> Route:
    """Return a channel that reaches a phone."""
    return Route(channel, Audience.PERSON, lambda contact: contact.phone, medium, on_request=on_request)


GATEWAY, MODEM, CALL = phone("gateway"), phone("modem"), phone("call", "voice", on_request=True)
MAIL = Route("email", Audience.PERSON, lambda contact: contact.email, "email")
HOOK = Route("webhook", Audience.SYSTEM, lambda _: "", "webhook")


@pytest.mark.parametrize(
    ("question", "verdict"),
    [
        (ASKED, Verdict(Reason.TOLD_NEW)),
        (replace(ASKED, last=CLEAR), Verdict(Reason.TOLD_NEW)),
        (replace(ASKED, last=ALARM), Verdict(Reason.TOLD_AGAIN)),
        (replace(ASKED, kind=WORSE, last=ALARM), Verdict(Reason.TOLD_WORSE)),
        (replace(ASKED, occasion=Occasion.NOBODY_ANSWERED), Verdict(Reason.TOLD_ESCALATED)),
        (replace(ASKED, occasion=Occasion.HELP_WANTED), Verdict(Reason.TOLD_HELP)),
        (replace(ASKED, occasion=Occasion.UNREACHABLE), Verdict(Reason.TOLD_UNREACHED)),
        (replace(ASKED, kind=CLEAR, last=ALARM), Verdict(Reason.TOLD_CLEAR)),
        (replace(ASKED, kind=CLEAR, last=CLEAR), Verdict(Reason.SILENT_ALREADY_TOLD)),
        (replace(ASKED, kind=CLEAR), Verdict(Reason.SILENT_NEVER_TOLD)),
        (replace(ASKED, kind=CLEAR, last=ALARM, was_pending=True), Verdict(Reason.SILENT_GOES_ON)),
        (
            replace(ASKED, kind=CLEAR, last=ALARM, was_pending=True, state=AlertState.NORMAL),
            Verdict(Reason.TOLD_CLEAR),
        ),
        (replace(ASKED, live=False), Verdict(Reason.SILENT_PAST)),
        (replace(ASKED, live=False, past_told_at=AT_NIGHT), Verdict(Reason.HELD_PAST, AT_NIGHT)),
        (replace(ASKED, live=False, past_told_at=AT_NIGHT, severity=Severity.INFO), Verdict(Reason.SILENT_PAST)),
        (replace(ASKED, kind=NotificationKind.PAST, was_pending=True), Verdict(Reason.TOLD_PAST)),
        (replace(ASKED, has_address=False), Verdict(Reason.SILENT_NO_ADDRESS)),
        (replace(ASKED, shares_address=True), Verdict(Reason.SILENT_SAME_ADDRESS)),
        (replace(ASKED, waits_until=AT_NIGHT), Verdict(Reason.HELD_TOGETHER, AT_NIGHT)),
        (replace(ASKED, waits_until=NOON), Verdict(Reason.TOLD_NEW)),
        (
            replace(ASKED, waits_until=AT_NIGHT, waits_for=Reason.HELD_FLAPPING),
            Verdict(Reason.HELD_FLAPPING, AT_NIGHT),
        ),
        (replace(ASKED, was_pending=True, state=AlertState.RETURNED_UNACKNOWLEDGED), Verdict(Reason.SILENT_OVER)),
        (replace(ASKED, was_pending=True, state=AlertState.NORMAL), Verdict(Reason.SILENT_OVER)),
        (replace(ASKED, was_pending=True, state=AlertState.ACKNOWLEDGED), Verdict(Reason.SILENT_HANDLED)),
        (replace(ASKED, was_pending=True, state=AlertState.SHELVED), Verdict(Reason.SILENT_HANDLED)),
        (replace(ASKED, was_pending=True), Verdict(Reason.TOLD_NEW)),
        (replace(ASKED, now=AT_NIGHT, quiet=NIGHT), Verdict(Reason.HELD_QUIET, datetime(2026, 11, 21, 3, tzinfo=UTC))),
        (replace(ASKED, now=AT_NIGHT, quiet=NIGHT, severity=Severity.CRITICAL), Verdict(Reason.TOLD_NEW)),
    ],
    ids=lambda value: value.reason.value if isinstance(value, Verdict) else "",
)
def test_every_reason_has_its_case(question: Question, verdict: Verdict) -> None:
    """The decision and its reason are what the situation asks for."""
    assert decide(question) == verdict


@given(
    st.sampled_from([ALARM, WORSE, CLEAR, NotificationKind.PAST]),
    st.sampled_from(Occasion),
    st.sampled_from(Severity),
    st.sampled_from(AlertState),
    st.sampled_from([None, ALARM, WORSE, CLEAR]),
    st.booleans(),
    st.booleans(),
    st.integers(-100, 100),
)
def test_whoever_waits_waits_for_a_moment_to_come(
    kind: NotificationKind,
    occasion: Occasion,
    severity: Severity,
    state: AlertState,
    last: NotificationKind | None,
    live: bool,
    pending: bool,
    minutes: int,
) -> None:
    """A held message always has a moment in the future; a told or silent one has none."""
    question = Question(
        kind=kind,
        occasion=occasion,
        severity=severity,
        now=AT_NIGHT,
        state=state,
        live=live,
        last=last,
        has_address=True,
        waits_until=AT_NIGHT + timedelta(minutes=minutes),
        quiet=NIGHT,
        past_told_at=AT_NIGHT + timedelta(hours=9),
        was_pending=pending,
    )
    reason, until = decide(question)
    assert reason.held == (until is not None)
    assert until is None or until > AT_NIGHT


@given(st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)), st.times(), st.times())  # noqa: DTZ001 - st's own
def test_quiet_hours_end_when_they_say(moment: datetime, start: time, end: time) -> None:
    """Within quiet hours the end is within a day and shows the hour that was set; outside there is none."""
    start, end = start.replace(microsecond=0, second=0), end.replace(microsecond=0, second=0)
    quiet = QuietHours(start, end, "Africa/Kampala")
    now = moment.replace(tzinfo=UTC)
    until = quiet_until(quiet, Severity.WARNING, now)
    local = (now + timedelta(hours=3)).time()
    inside = start <= local < end if start < end else start != end and (local >= start or local < end)
    assert (until is not None) == inside
    if until is not None:
        assert now < until <= now + timedelta(days=1)
        assert (until + timedelta(hours=3)).time() == end


def test_who_prefers_nothing_hears_over_every_medium_once() -> None:
    """Two gateways for one medium are one way and its substitute; a call disturbs and has to be asked for."""
    lanes = lanes_of(AMINA, (), (GATEWAY, MODEM, CALL, MAIL, HOOK))
    number, mail = AMINA.phone, AMINA.email
    assert lanes == ((Reach("gateway", number), Reach("modem", number)), (Reach("email", mail),))


def test_preferences_are_tried_one_after_the_other() -> None:
    """The order is the person's; a medium stands for all its channels, a channel for itself."""
    person = replace(AMINA, channels=("modem", "email", "voice"))
    lanes = lanes_of(person, (), (GATEWAY, MODEM, CALL, MAIL))
    assert [reach.channel for reach in lanes[0]] == ["modem", "email", "call"]
    assert len(lanes) == 1


def test_a_step_knows_better_than_the_person() -> None:
    """What the escalation asks for is used, whatever the person prefers."""
    person = replace(AMINA, channels=("email",))
    assert lanes_of(person, ("voice", "sms"), (GATEWAY, MODEM, CALL, MAIL)) == (
        (Reach("call", AMINA.phone), Reach("gateway", AMINA.phone), Reach("modem", AMINA.phone)),
    )


def test_who_has_no_address_has_no_lane() -> None:
    """Blanks are no address."""
    assert lanes_of(replace(AMINA, phone=" ", email=""), (), (GATEWAY, MAIL)) == ()

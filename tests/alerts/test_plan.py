"""Laws of the plan: from what one person is to be told to as few messages as can say it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from alerts.bundle import Occasion, Shape
from alerts.notification import NotificationKind
from alerts.plan import Item, Plan, Sent, plan
from alerts.settings import TellingSettings
from domain.episode import Severity
from tests.alerts.given import MINUTE, NOON

SETTINGS = TellingSettings()


@st.composite
def some_items(draw: st.DrawFn) -> list[Item]:
    """Draw alerts of a few rules and facilities; every facility is in one district, every incident at one facility."""
    rows = draw(
        st.lists(
            st.tuples(
                st.sampled_from(NotificationKind),
                st.sampled_from(Severity),
                st.sampled_from(("heat", "mains")),
                st.integers(0, 9),
                st.integers(0, 2),
                st.integers(0, 90),
                st.sampled_from(((), ("sms",))),
            ),
            max_size=30,
        )
    )
    return [
        Item(
            telling=number,
            alert=number,
            incident=10 * place + cause,
            kind=kind,
            occasion=Occasion.NEW,
            severity=severity,
            rule=rule,
            facility=f"f{place}",
            district=f"d{place % 2}",
            first_out=NOON + began * MINUTE,
            by=by,
        )
        for number, (kind, severity, rule, place, cause, began, by) in enumerate(rows, start=1)
    ]


def an_item(number: int, kind: NotificationKind) -> Item:
    """Return a critical alert at a place of its own."""
    place = f"f{number}"
    return Item(
        number, number, number, kind, Occasion.NEW, Severity.CRITICAL, f"r{number % 7}", place, f"d-{place}", NOON
    )


def sent_lately(calls: int, clears: int = 0) -> Sent:
    """Return so many alarms and all-clears, the last of them five minutes before noon."""
    return Sent([NOON - 5 * MINUTE] * calls, [NOON - 5 * MINUTE] * clears)


def planned(items: Sequence[Item], calls: int, clears: int = 0) -> Plan:
    """Return the plan at noon after so many messages."""
    return plan(items, sent=sent_lately(calls, clears), now=NOON, settings=SETTINGS)


def calls_of(items: Sequence[Item]) -> list[Item]:
    """Return what is no all-clear."""
    return [item for item in items if not item.says_clear]


SHARES = st.integers(0, 8)


@given(some_items(), SHARES, SHARES)
def test_every_item_is_told_once_or_held(items: list[Item], calls: int, clears: int) -> None:
    """No item is lost and none is told twice."""
    result = planned(items, calls, clears)
    told = [item for message in result.messages for item in message.items]
    assert Counter([*told, *(held.item for held in result.held)]) == Counter(items)


@given(some_items(), SHARES, SHARES)
def test_no_more_messages_than_the_hour_has_left(items: list[Item], calls: int, clears: int) -> None:
    """The share of the hour bounds alarms and all-clears alike; beyond each there is at most one digest."""
    free = [SETTINGS.messages_per_hour - sent for sent in (calls, clears)]
    messages = planned(items, calls, clears).messages
    over = sum(message.items[0].says_clear for message in messages)
    assert len(messages) - over <= max(free[0], 1)
    assert over <= max(free[1], 1)


@given(some_items(), SHARES, SHARES)
def test_all_clears_change_nothing_about_alarms(items: list[Item], calls: int, clears: int) -> None:
    """However many all-clears there are and were: alarms are told, in a digest or held as if there were none."""
    alone, among = planned(calls_of(items), calls), planned(items, calls, clears)
    assert [message for message in among.messages if not message.items[0].says_clear] == list(alone.messages)
    assert [held for held in among.held if not held.item.says_clear] == list(alone.held)


def test_an_alarm_after_a_storm_of_all_clears_stands_by_itself() -> None:
    """Thirty all-clears a moment ago do not make it wait, nor do thirty more that are due with it."""
    items = [an_item(number, NotificationKind.ALL_CLEAR) for number in range(30)]
    alarm = an_item(30, NotificationKind.ALARM)
    result = planned([*items, alarm], 0, 30)
    assert [message.items for message in result.messages] == [(alarm,)]
    assert {held.until for held in result.held} == {NOON + 5 * MINUTE}


def test_a_storm_of_all_clears_is_a_share_and_one_digest() -> None:
    """What comes to more than the share is in its last message; then they wait for each other."""
    items = [an_item(number, NotificationKind.ALL_CLEAR) for number in range(30)]
    messages = planned(items, SETTINGS.messages_per_hour).messages
    assert [len(message.items) for message in messages] == [1, 1, 1, 1, 1, 25]
    assert messages[-1].shape is Shape.DIGEST


@given(some_items())
def test_what_waits_beyond_the_share_goes_out_in_one_message_when_due(items: list[Item]) -> None:
    """A held item waits no longer than the pause of the digest, and then all that wait with it go at once."""
    most = SETTINGS.messages_per_hour
    held = planned(items, most, most).held
    assert {each.item for each in held} == set(items)
    for clear in (False, True):
        waiting = [each for each in held if each.item.says_clear is clear]
        for until in {each.until for each in waiting}:
            later = plan([each.item for each in waiting], sent=sent_lately(most, most), now=until, settings=SETTINGS)
            assert until > NOON
            assert len(later.messages) == 1
            assert not later.held


@given(some_items())
def test_an_area_is_one_rule_at_enough_facilities_of_one_district(items: list[Item]) -> None:
    """Area messages come only from enough different facilities, led by one rule, in one district."""
    for message in planned(items, 0).messages:
        if message.shape is Shape.AREA:
            assert len({item.facility for item in message.items}) >= SETTINGS.area_from_facilities
            assert len({item.district for item in message.items}) == 1


@given(some_items(), SHARES, SHARES)
def test_all_clears_do_not_mix_with_alarms(items: list[Item], calls: int, clears: int) -> None:
    """No message says both that something began and that something is over."""
    for message in planned(items, calls, clears).messages:
        assert len({item.says_clear for item in message.items}) == 1


def test_ten_thousand_items_fit_into_the_hour() -> None:
    """A country that fails at once is told within the share of the hour, and whole."""
    items = [
        Item(n, n, n, NotificationKind.ALARM, Occasion.NEW, Severity.CRITICAL, f"r{n % 7}", f"f{n}", f"d{n % 90}", NOON)
        for n in range(10_000)
    ]
    result = plan(items, sent=Sent(), now=NOON + timedelta(hours=1), settings=SETTINGS)
    assert len(result.messages) == SETTINGS.messages_per_hour
    assert sum(len(message.items) for message in result.messages) == len(items)


@given(some_items())
def test_alarms_before_all_clears_and_the_worst_first(items: list[Item]) -> None:
    """Of what is present, alarms go out before all-clears, and within each the worst first."""
    present = [item for item in items if item.kind is not NotificationKind.PAST]
    roomy = SETTINGS.model_copy(update={"messages_per_hour": 100})
    messages = plan(present, sent=Sent(), now=NOON, settings=roomy).messages
    order = [(message.items[0].says_clear, -message.severity) for message in messages]
    assert order == sorted(order)

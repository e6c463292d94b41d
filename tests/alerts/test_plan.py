"""Laws of the plan: from what one person is to be told to as few messages as can say it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from alerts.bundle import Occasion, Shape
from alerts.notification import NotificationKind
from alerts.plan import Item, Plan, plan
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


def planned(items: Sequence[Item], sent: int) -> Plan:
    """Return the plan at noon after so many messages, the last of them five minutes ago."""
    return plan(items, sent=[NOON - 5 * MINUTE] * sent, now=NOON, settings=SETTINGS)


@given(some_items(), st.integers(0, 8))
def test_every_item_is_told_once_or_held(items: list[Item], sent: int) -> None:
    """No item is lost and none is told twice."""
    result = planned(items, sent)
    told = [item for message in result.messages for item in message.items]
    assert Counter([*told, *result.held]) == Counter(items)
    assert (result.until is not None) == bool(result.held)


@given(some_items(), st.integers(0, 8))
def test_no_more_messages_than_the_hour_has_left(items: list[Item], sent: int) -> None:
    """The share of the hour bounds the messages; beyond it there is at most one digest."""
    free = SETTINGS.messages_per_hour - sent
    assert len(planned(items, sent).messages) <= max(free, 1)


@given(some_items())
def test_what_waits_beyond_the_share_goes_out_in_one_message_when_due(items: list[Item]) -> None:
    """A held item waits no longer than the pause of the digest, and then all go at once."""
    held = planned(items, SETTINGS.messages_per_hour)
    if held.until is None:
        return
    sent = [NOON - 5 * MINUTE] * SETTINGS.messages_per_hour
    later = plan(items, sent=sent, now=held.until, settings=SETTINGS)
    assert held.until > NOON
    assert len(later.messages) == 1
    assert not later.held
    assert planned(items, SETTINGS.messages_per_hour).held == tuple(items)


@given(some_items())
def test_an_area_is_one_rule_at_enough_facilities_of_one_district(items: list[Item]) -> None:
    """Area messages come only from enough different facilities, led by one rule, in one district."""
    for message in planned(items, 0).messages:
        if message.shape is Shape.AREA:
            assert len({item.facility for item in message.items}) >= SETTINGS.area_from_facilities
            assert len({item.district for item in message.items}) == 1


@given(some_items(), st.integers(0, 5))
def test_all_clears_do_not_mix_with_alarms(items: list[Item], sent: int) -> None:
    """Only a digest says both that something began and that something is over."""
    for message in planned(items, sent).messages:
        if message.shape is not Shape.DIGEST:
            assert len({item.says_clear for item in message.items}) == 1


def test_ten_thousand_items_fit_into_the_hour() -> None:
    """A country that fails at once is told within the share of the hour, and whole."""
    items = [
        Item(n, n, n, NotificationKind.ALARM, Occasion.NEW, Severity.CRITICAL, f"r{n % 7}", f"f{n}", f"d{n % 90}", NOON)
        for n in range(10_000)
    ]
    result = plan(items, sent=[], now=NOON + timedelta(hours=1), settings=SETTINGS)
    assert len(result.messages) == SETTINGS.messages_per_hour
    assert sum(len(message.items) for message in result.messages) == len(items)


@given(some_items())
def test_alarms_before_all_clears_and_the_worst_first(items: list[Item]) -> None:
    """Of what is present, alarms go out before all-clears, and within each the worst first."""
    present = [item for item in items if item.kind is not NotificationKind.PAST]
    roomy = SETTINGS.model_copy(update={"messages_per_hour": 100})
    messages = plan(present, sent=[], now=NOON, settings=roomy).messages
    order = [(message.items[0].says_clear, -message.severity) for message in messages]
    assert order == sorted(order)

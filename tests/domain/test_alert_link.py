"""Links to alerts: what is signed opens, and nothing else does."""

from __future__ import annotations

import string
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.alert_link import open_link, write_link

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
NOW = datetime(2026, 11, 20, 12, 34, 56, tzinfo=UTC)
DAY = timedelta(days=1)
IDS = st.text(min_size=1, max_size=40)


@given(
    alert=st.integers(1, 2**63 - 1),
    contacts=st.lists(IDS, min_size=1, max_size=5, unique=True),
    hours=st.integers(1, 744),
)
def test_a_link_opens_its_alert_for_its_contact_until_it_is_over(alert: int, contacts: list[str], hours: int) -> None:
    """Whatever ids they have; it is over within the hour after its time, and not before."""
    until = NOW + timedelta(hours=hours)
    token = write_link(KEY, alert, contacts[0], until)
    opened = open_link(KEY, token, contacts, NOW)
    assert opened is not None
    assert (opened.alert, opened.contact) == (alert, contacts[0])
    assert until <= opened.until < until + timedelta(hours=1)
    assert open_link(KEY, token, contacts, opened.until - timedelta(seconds=1)) == opened
    assert open_link(KEY, token, contacts, opened.until) is None


@given(place=st.integers(0, 23), character=st.sampled_from(f"{string.ascii_letters}{string.digits}-_"))
def test_a_link_with_another_character_opens_nothing(place: int, character: str) -> None:
    """Neither another alert, nor for longer, nor the same once more under another name."""
    token = write_link(KEY, 4821, "amina", NOW + DAY)
    changed = token[:place] + character + token[place + 1 :]
    opened = open_link(KEY, changed, ["amina", "joseph"], NOW)
    assert (opened is not None) == (changed == token)


@given(st.text(max_size=60))
def test_what_is_no_link_opens_nothing(token: str) -> None:
    """It is not an error either."""
    assert open_link(KEY, token, ["amina"], NOW) is None


def test_another_key_or_another_contact_opens_nothing() -> None:
    """A contact who is not registered any more is nobody."""
    token = write_link(KEY, 4821, "amina", NOW + DAY)
    assert open_link(OTHER_KEY, token, ["amina"], NOW) is None
    assert open_link(KEY, token, ["joseph"], NOW) is None
    for tail in ("=", "A", "\n", " "):
        assert open_link(KEY, token + tail, ["amina"], NOW) is None


def test_a_token_is_short() -> None:
    """Beside an address of 24 characters a third of a text message."""
    assert len(write_link(KEY, 2**24 - 1, "somebody with a very long name", NOW + DAY)) == 24

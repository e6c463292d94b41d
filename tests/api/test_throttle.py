"""How often somebody may try to sign in: laws that hold for every sequence of tries."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from api.access.throttle import ACCOUNT, ADDRESS, Patience, Throttle, keys_of
from domain.instant import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS

GAPS = st.lists(st.integers(0, 20 * MINUTE_MS), min_size=1, max_size=120)
ADDRESSES = ("192.0.2.1", "192.0.2.2", "198.51.100.7")


@given(GAPS)
def test_guessing_at_one_account_gets_nowhere(gaps: list[int]) -> None:
    """From however many addresses: after the free tries each failure doubles the wait until the longest one."""
    throttle, now, passed = Throttle(), 0, list[int]()
    for number, gap in enumerate(gaps):
        now += gap
        if not throttle.begin(keys_of("amina", f"192.0.2.{number}"), now):
            passed.append(now)
    for index in range(ACCOUNT.free, len(passed)):
        quiet = max(later - sooner for sooner, later in pairwise(passed[: index + 1]))
        if quiet < HOUR_MS:
            assert passed[index] - passed[index - 1] >= ACCOUNT.wait_ms(index)


@given(GAPS)
def test_a_wait_that_is_named_is_enough(gaps: list[int]) -> None:
    """Whoever comes again when told is looked at, and the wait is never longer than the longest."""
    throttle, now = Throttle(), 0
    for gap in gaps:
        now += gap
        wait = throttle.begin(keys_of("amina", "192.0.2.1"), now)
        assert 0 <= wait <= ACCOUNT.longest_ms
        if wait:
            now += wait
            assert throttle.begin(keys_of("amina", "192.0.2.1"), now) == 0


@given(GAPS)
def test_refused_tries_do_not_lengthen_the_wait(gaps: list[int]) -> None:
    """Somebody who presses the button again and again waits no longer than somebody who waits."""
    throttle, now = Throttle(), 0
    while not (wait := throttle.begin(keys_of("amina", "192.0.2.1"), now)):
        pass
    end = now + wait
    for gap in gaps:
        now = min(now + gap, end - 1)
        assert throttle.begin(keys_of("amina", "192.0.2.1"), now) == end - now


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 5 * SECOND_MS)), max_size=200))
def test_accounts_do_not_disturb_each_other(tries: list[tuple[str, int]]) -> None:
    """What is tried at others, from elsewhere, changes nothing for one."""
    together, alone, now = Throttle(), Throttle(), 0
    for account, gap in tries:
        now += gap
        address = ADDRESSES["abc".index(account)]
        wait = together.begin(keys_of(account, address), now)
        if account == "a":
            assert wait == alone.begin(keys_of(account, address), now)


@given(GAPS)
def test_a_known_device_is_kept_out_by_nobody_else(gaps: list[int]) -> None:
    """However much strangers try at the account and from the same address."""
    throttle, now = Throttle(), 0
    for gap in gaps:
        now += gap % SECOND_MS
        throttle.begin(keys_of("amina", "192.0.2.1"), now)
    assert throttle.begin(keys_of("amina", "192.0.2.1", "device"), now) == 0


@given(GAPS, st.integers(1, 40))
def test_memory_is_bounded(gaps: list[int], most: int) -> None:
    """However many names and addresses are tried."""
    throttle, now = Throttle(most), 0
    for number, gap in enumerate(gaps):
        now += gap
        throttle.begin(keys_of(f"name{number}", f"192.0.2.{number}"), now)
        assert len(throttle) <= most


@given(st.integers(0, 10_000), st.integers(0, DAY_MS))
def test_waits_grow_and_end(tries: int, longest: int) -> None:
    """Each is at least as long as the one before, and none is longer than the longest."""
    patience = Patience(5, longest)
    assert patience.wait_ms(tries) <= patience.wait_ms(tries + 1) <= longest


def test_who_gets_in_begins_anew_and_the_address_does_not() -> None:
    """Otherwise whoever has an account could guess at others between his own sign-ins."""
    throttle = Throttle()
    for number in range(ADDRESS.free - 1):
        assert throttle.begin(keys_of(f"name{number}", "192.0.2.1"), 0) == 0
        own = keys_of("own", "192.0.2.1")
        assert throttle.begin(own, 0) == 0
        throttle.succeeded(own)
    assert throttle.begin(keys_of("another", "192.0.2.1"), 0) == 0
    assert throttle.begin(keys_of("yet another", "192.0.2.1"), 0) > 0
    assert throttle.begin(keys_of("own", "198.51.100.7"), 0) == 0


def test_many_tries_at_once_are_not_all_the_first() -> None:
    """They are counted before any password has been looked at."""
    throttle = Throttle()
    waits = [throttle.begin(keys_of("amina", f"192.0.2.{number}"), 0) for number in range(100)]
    assert waits.count(0) == ACCOUNT.free


def test_a_clock_that_is_set_back_keeps_nobody_out() -> None:
    """The wait is never longer than the longest, whatever the clock says."""
    throttle = Throttle()
    for _ in range(ACCOUNT.free):
        throttle.begin(keys_of("amina", "192.0.2.1"), 10 * DAY_MS)
    assert throttle.begin(keys_of("amina", "192.0.2.1"), 0) == ACCOUNT.wait_ms(ACCOUNT.free)


def test_a_network_of_ipv6_is_one_sender() -> None:
    """A single host has 2^64 addresses at hand; what is no address is itself."""
    assert keys_of("", "2001:db8::1")[1] == keys_of("", "2001:db8::ffff:1")[1]
    assert keys_of("", "2001:db8::1")[1] != keys_of("", "2001:db8:0:1::1")[1]
    assert keys_of("", "fe80::1%eth0")[1] == keys_of("", "fe80::2")[1]
    assert keys_of("", "192.0.2.1")[1] != keys_of("", "192.0.2.2")[1]
    assert keys_of("", "testclient")[1].name == "address testclient"

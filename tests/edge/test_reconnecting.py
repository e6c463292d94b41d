"""Ten thousand nodes lose their broker in one moment: they come back spread out, whatever the outage was."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.pacing import full_jitter
from edge.settings import PublishSettings

NODES = 10_000
MOST_A_SECOND = 1_200
"""Connections that a broker on a small server sets up in a second, with TLS."""


def attempts(seed: int, outage_s: float, settings: PublishSettings) -> Iterator[float]:
    """Yield the moments at which one node tries to connect, up to its success after the outage."""
    first, longest = settings.reconnect_first.total_seconds(), settings.reconnect_longest.total_seconds()
    now_s = 0.0
    for wait_s in full_jitter(first, longest, random.Random(seed).random):
        now_s += wait_s
        yield now_s
        if now_s >= outage_s:
            return


@pytest.mark.parametrize("outage_s", [0.1, 3.0, 30.0, 600.0])
def test_ten_thousand_nodes_do_not_return_at_once(outage_s: float) -> None:
    """With the default settings no second sees more attempts than a small broker bears, and all are back in time."""
    settings = PublishSettings()
    seconds: Counter[int] = Counter()
    last_s = 0.0
    for node in range(NODES):
        for moment_s in attempts(node, outage_s, settings):
            seconds[int(moment_s)] += 1
        last_s = max(last_s, moment_s)
    assert max(seconds.values()) <= MOST_A_SECOND
    assert last_s <= outage_s + settings.reconnect_longest.total_seconds()


@given(seeds=st.sets(st.integers(0, 10**9), min_size=50, max_size=50))
def test_nodes_spread_evenly_over_a_wait(seeds: set[int]) -> None:
    """The first waits of any nodes fill the whole span: no half of it gets nearly all."""
    waits = [next(full_jitter(10.0, 120.0, random.Random(seed).random)) for seed in seeds]
    early = sum(wait_s < 5.0 for wait_s in waits)
    assert 5 <= early <= 45

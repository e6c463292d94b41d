"""How long services were up and down by the live view, since this process watches.

This is what Prometheus is told as it happens. The contract's figures are made from stored readings, which late data
still correct (``dashboards/sla/facility.py``); here nothing is corrected, for a counter may only grow.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Final, NamedTuple

from dashboards.pages.status import FacilityStatus, Status
from domain.instant import HOUR_MS
from domain.places import Service

SERVICES: Final = tuple(Service)
"""The order in which an account lists them."""
MOST_APART_MS: Final = HOUR_MS
"""Of a longer time without a look this much counts: the process was held, or the clock was set to another time."""


class Condition(Enum):
    """How a service is, as far as is known now."""

    UP = "up"
    DOWN = "down"
    UNKNOWN = "unknown"
    """Nobody hears how it is: no link is not no power."""
    UNWATCHED = "unwatched"
    """Nothing there measures it."""


Conditions = tuple[Condition, ...]
"""One for each service."""
_Tally = tuple[int, ...]


class Account(NamedTuple):
    """What came together for one facility up to a moment, and how it is since; never changed, only replaced."""

    status: FacilityStatus
    conditions: Conditions
    since_ms: int
    """From when on the conditions hold, on the watch's own clock."""
    known: Conditions
    """How each was when something was last known of it."""
    outages: _Tally
    down_ms: _Tally
    observed_ms: _Tally

    def down_until(self, now_ms: int) -> _Tally:
        """Return the milliseconds for which each service was down, up to a moment of the watch's clock."""
        if Condition.DOWN not in self.conditions:
            return self.down_ms
        return self._going_on(self.down_ms, now_ms, (Condition.DOWN,))

    def observed_until(self, now_ms: int) -> _Tally:
        """Return the milliseconds for which it was known how each is, up to a moment of the watch's clock."""
        return self._going_on(self.observed_ms, now_ms, _KNOWN)

    def _going_on(self, tally: _Tally, now_ms: int, counted: Conditions) -> _Tally:
        passed_ms = max(0, now_ms - self.since_ms)
        pairs = zip(tally, self.conditions, strict=True)
        return tuple([ms + passed_ms if condition in counted else ms for ms, condition in pairs])


# No set: hashing a member of an enumeration costs more than looking at two.
_KNOWN: Final = (Condition.UP, Condition.DOWN)
_NONE: Final = (0,) * len(SERVICES)


def conditions(status: FacilityStatus, *, power_on: bool | None) -> Conditions:
    """Return how the services of a facility are; ``power_on`` is what supplies say that speak of now, None for nothing.

    Where they say it nothing else counts: a clinic without power may live with it, so that no alert is critical, and
    one with a weak battery has power.
    """
    found = {each.service: each.status for each in status.services}
    monitoring = found.get(Service.MONITORING, Status.NOT_MONITORED)
    heard = status.last_heard_ms is not None and monitoring is not Status.SILENT

    def of(service: Service) -> Condition:
        said = found.get(service, Status.NOT_MONITORED)
        if said is Status.NOT_MONITORED:
            return Condition.UNWATCHED
        if service is Service.MONITORING:
            return Condition.UP if heard and said is not Status.CRITICAL else Condition.DOWN
        if not heard:
            return Condition.UNKNOWN
        if service is Service.POWER and power_on is not None:
            return Condition.UP if power_on else Condition.DOWN
        if said is Status.SILENT:
            return Condition.UNKNOWN
        return Condition.DOWN if said is Status.CRITICAL else Condition.UP

    return tuple(map(of, SERVICES))


class LiveView(NamedTuple):
    """What a watch knows at one moment."""

    accounts: Sequence[Account]
    now_ms: int
    """On the watch's own clock."""


class LiveWatch:
    """Keeps the account of every facility; told of all statuses, it looks at those that are others than before.

    Its own clock only ever goes on. Take and view in one thread; a view is never changed, so any thread may read it.
    """

    def __init__(self, power_on: Callable[[str], bool | None]) -> None:
        self._power_on = power_on
        self._accounts: dict[str, Account] = {}
        self._looked_ms: int | None = None
        self._elapsed_ms = 0

    def take(self, moment_ms: int, statuses: Sequence[FacilityStatus]) -> None:
        """Take how every facility is at a moment; a status is another object where anything about it changed."""
        now_ms, accounts = self._pass(moment_ms), self._accounts
        for status in statuses:
            account = accounts.get(status.facility.id)
            if account is None or account.status is not status:
                accounts[status.facility.id] = self._next(account, status, now_ms)
        if len(accounts) > len(statuses):
            for gone in accounts.keys() - {each.facility.id for each in statuses}:
                del accounts[gone]

    def view(self, moment_ms: int) -> LiveView:
        """Return all accounts, and what a moment is on the watch's clock."""
        now_ms = self._pass(moment_ms)
        return LiveView(list(self._accounts.values()), now_ms)

    def _pass(self, moment_ms: int) -> int:
        """Let time pass until a moment; where the machine's clock was set back, none passes."""
        passed_ms = 0 if self._looked_ms is None else moment_ms - self._looked_ms
        self._looked_ms = moment_ms
        self._elapsed_ms += min(max(passed_ms, 0), MOST_APART_MS)
        return self._elapsed_ms

    def _next(self, account: Account | None, status: FacilityStatus, now_ms: int) -> Account:
        found = conditions(status, power_on=self._power_on(status.facility.id))
        if account is None:  # what is down already went down in an earlier life, and was counted there
            return Account(status, found, now_ms, found, _NONE, _NONE, _NONE)
        if found == account.conditions:
            return account._replace(status=status)
        numbers = range(len(SERVICES))
        return Account(
            status,
            found,
            now_ms,
            tuple(now if now in _KNOWN else before for now, before in zip(found, account.known, strict=True)),
            tuple(account.outages[at] + _goes_down(account.known[at], found[at]) for at in numbers),
            account.down_until(now_ms),
            account.observed_until(now_ms),
        )


def _goes_down(known: Condition, found: Condition) -> bool:
    """Tell whether an outage begins; one that nobody heard of for a while is the same outage still."""
    return found is Condition.DOWN and known is not Condition.DOWN

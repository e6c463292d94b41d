"""How often somebody may try to sign in: after some failures each further try has to wait longer, up to a limit."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Final, NamedTuple

from domain.instant import HOUR_MS, MINUTE_MS, SECOND_MS

MOST_KEPT: Final = 20_000
"""Of accounts, devices and addresses together; beyond that the one that was quiet longest is forgotten."""
_LONG_AGO_MS: Final = HOUR_MS
"""Who was quiet for so long begins anew."""


class Patience(NamedTuple):
    """What is borne of one account, device or address."""

    free: int
    """So many tries in a row cost nothing."""
    longest_ms: int
    """No wait is longer, so that nobody is shut out for ever."""

    def wait_ms(self, tries: int) -> int:
        """Return how long after the last of so many failed tries the next one may come: 1 s, 2 s, 4 s ..."""
        beyond = tries - self.free
        return 0 if beyond < 0 else min(SECOND_MS << min(beyond, 30), self.longest_ms)


ACCOUNT: Final = Patience(free=5, longest_ms=15 * MINUTE_MS)
DEVICE: Final = ACCOUNT
ADDRESS: Final = Patience(free=30, longest_ms=MINUTE_MS)
"""Many people share one: a whole mobile network may."""


class Key(NamedTuple):
    """Whose tries are counted together."""

    patience: Patience
    name: str


def keys_of(account: str, address: str, device: str = "") -> Sequence[Key]:
    """Return what a try counts against.

    Someone with a ``device`` that this account has signed in with before is counted alone: what strangers try elsewhere
    does not keep them out.
    """
    if device:
        return (Key(DEVICE, f"device {account} {device}"),)
    return Key(ACCOUNT, f"account {account}"), Key(ADDRESS, f"address {_network(address)}")


@dataclass(slots=True)
class _Tries:
    count: int
    last_ms: int


class Throttle:
    """Counts failed tries, in bounded memory."""

    def __init__(self, most: int = MOST_KEPT) -> None:
        self._most = most
        self._tries: OrderedDict[Key, _Tries] = OrderedDict()

    def __len__(self) -> int:
        return len(self._tries)

    def begin(self, keys: Sequence[Key], now_ms: int) -> int:
        """Return 0 for a try that may be made, and count it as failed until ``succeeded`` is said.

        Returns otherwise in how many milliseconds to come again; such a try counts for nothing. Counted before the
        password is looked at, so that many tries at once are not all the first.
        """
        wait_ms = max((self._wait_ms(key, now_ms) for key in keys), default=0)
        if not wait_ms:
            for key in keys:
                self._count(key, now_ms)
        return wait_ms

    def succeeded(self, keys: Sequence[Key]) -> None:
        """Forget the failures of an account or device; of an address take back this one try alone.

        Otherwise whoever has an account could guess at others between his own sign-ins.
        """
        for key in keys:
            found = self._tries.get(key)
            if found is None:
                continue
            found.count = found.count - 1 if key.patience is ADDRESS else 0
            if found.count <= 0:
                del self._tries[key]

    def _wait_ms(self, key: Key, now_ms: int) -> int:
        found = self._tries.get(key)
        if found is None or now_ms - found.last_ms >= _LONG_AGO_MS:
            return 0
        # A clock that was set back makes nobody wait longer than the limit.
        wait_ms = key.patience.wait_ms(found.count)
        return max(0, min(wait_ms, found.last_ms + wait_ms - now_ms))

    def _count(self, key: Key, now_ms: int) -> None:
        found = self._tries.get(key)
        if found is None or now_ms - found.last_ms >= _LONG_AGO_MS:
            found = self._tries[key] = _Tries(0, now_ms)
        found.count, found.last_ms = found.count + 1, now_ms
        self._tries.move_to_end(key)
        while len(self._tries) > self._most:
            self._tries.popitem(last=False)


def _network(address: str) -> str:
    """Return what one sender has at hand: of IPv6 that is a whole network of addresses."""
    try:
        known = ip_address(address)
    except ValueError:
        return address[:100]
    return str(known) if known.version == 4 else str(ip_network(f"{address.partition('%')[0]}/64", strict=False))

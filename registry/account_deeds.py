"""What is done to accounts by those who look after them, from the command line as from a page."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from domain.access import Grant
from domain.places import Place
from registry.accounts import Account, AccountError, AccountStore
from registry.passwords import LONGEST, SHORTEST, Passwords, Weakness, weakness
from registry.sessions import SessionStore

CHANGE_WITHIN: Final = timedelta(days=7)
"""So long a password that somebody else made up lets in to choose another one."""


_SENTENCES: Final = {
    Weakness.SHORT: f"the password is too short; allowed: at least {SHORTEST} characters, such as several words",
    Weakness.LONG: f"the password is too long; allowed: at most {LONGEST} characters",
    Weakness.GUESSED: "the password is among the first that are guessed; allowed: words that do not go together",
}


class WeakPasswordError(AccountError):
    """A password is refused."""

    def __init__(self, found: Weakness) -> None:
        self.weakness = found
        super().__init__(_SENTENCES[found])


@dataclass(frozen=True)
class AccountDeeds:
    """Each raises ``AccountError`` with a sentence for what cannot be done."""

    accounts: AccountStore
    sessions: SessionStore
    passwords: Passwords

    async def add(self, new: Account, password: str | None) -> None:
        """Let somebody new sign in; None: by other means than a password."""
        if password is None:
            await self.accounts.add(new)
            return
        require_strong(password, new)
        await self.accounts.add(dataclasses.replace(new, secret=await self.passwords.hash(password)))

    async def give_password(self, id_: str, password: str, now: datetime, *, change_by: datetime | None = None) -> None:
        """Give somebody another password; whoever is signed in with the old one is signed out."""
        require_strong(password, await self.known(id_))
        await self.accounts.set_password(id_, await self.passwords.hash(password), change_by=change_by)
        await self.sessions.end_all(id_, now)

    async def grant(self, id_: str, new: Grant) -> None:
        """Give somebody a role in a place, instead of another one there."""
        known = await self.known(id_)
        await self.accounts.set_grants(id_, with_grant(known.grants, new))

    async def revoke(self, id_: str, place: Place) -> None:
        """Take away what somebody may do by what was given for exactly this place."""
        known = await self.known(id_)
        left = frozenset(each for each in known.grants if each.place != place)
        if left == known.grants:
            given = "; ".join(sorted(place_in_words(each.place) for each in known.grants)) or "nothing"
            raise AccountError(f"{id_} has no role for {place_in_words(place)}; given are: {given}")
        await self.accounts.set_grants(id_, left)

    async def disable(self, id_: str, now: datetime) -> None:
        """Shut somebody out and sign them out everywhere."""
        await self.accounts.disable(id_, now)
        await self.sessions.end_all(id_, now)

    async def sign_out(self, id_: str, now: datetime) -> int:
        """Sign somebody out everywhere; return how many sessions that were."""
        await self.known(id_)
        return await self.sessions.end_all(id_, now)

    async def known(self, id_: str) -> Account:
        """Return an account."""
        found = await self.accounts.get(id_)
        if found is None:
            raise AccountError(f"there is no user {id_[:80]!r}")
        return found


def with_grant(grants: Iterable[Grant], new: Grant) -> frozenset[Grant]:
    """Return grants with one more, which takes the place of another role in the same place."""
    return frozenset({*(each for each in grants if each.place != new.place), new})


def require_strong(password: str, owner: Account) -> None:
    """Raise ``WeakPasswordError`` for a password that is refused."""
    if found := weakness(password, owner.id, owner.name):
        raise WeakPasswordError(found)


def place_in_words(place: Place) -> str:
    """Return ``district Kasese, region Rwenzori`` or ``everywhere``."""
    parts = (("facility", place.facility), ("district", place.district))
    wider = (("region", place.region), ("country", place.country))
    return ", ".join(f"{kind} {name}" for kind, name in (*parts, *wider) if name) or "everywhere"

"""Who may sign in, as kept on a database: the same on SQLite and on PostgreSQL (tests/system)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from app.database import open_database
from domain.access import Grant, Role
from domain.places import Place
from registry.account_deeds import AccountDeeds, WeakPasswordError, with_grant
from registry.account_tables import read_grants, written_grants
from registry.accounts import Account, AccountError, AccountStore, sign_in_name
from registry.api_tokens import ApiToken, ApiTokenStore
from registry.passwords import Passwords, Weakness, speakable, weakness
from registry.sessions import KEPT, Lasting, Session, SessionStore

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
LASTING = Lasting(timedelta(hours=12), timedelta(days=14))
GRANTS = st.frozensets(
    st.builds(Grant, st.sampled_from(Role), st.builds(Place, st.text(max_size=5), district=st.text(max_size=5)))
)


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    """Give a fresh database with the tables."""
    async with open_database(f"sqlite+aiosqlite:///{tmp_path / 'db'}") as engine:
        await AccountStore(engine).create_tables()
        yield engine


async def keep_the_contract(engine: AsyncEngine) -> None:
    """Keep, change and read everything once, as every database must."""
    accounts, sessions, tokens = AccountStore(engine), SessionStore(engine), ApiTokenStore(engine)
    await accounts.create_tables()
    deeds = AccountDeeds(accounts, sessions, Passwords(QUICK))
    assert not await accounts.any_yet()
    amina = Account("amina", "Amina", frozenset({Grant(Role.MANAGER, Place(district="Kasese"))}), NOW, "sw")
    await deeds.add(amina, "seven green kettles")
    with pytest.raises(AccountError, match="already"):
        await deeds.add(amina, "seven green kettles")
    kept = await deeds.known("amina")
    assert (kept.grants, kept.language, kept.created_at) == (amina.grants, "sw", NOW)
    assert (await deeds.passwords.check(kept.secret, "seven green kettles")).right
    first = Session("m1", "amina", "d1", NOW, NOW, "192.0.2.1", "Firefox")
    for each in (first, Session("m2", "amina", "d2", NOW, NOW)):
        await sessions.begin(each)
    found = await sessions.find("m1")
    assert found is not None
    assert (found[0].address, found[1].id) == ("192.0.2.1", "amina")
    assert await sessions.find("m3") is None
    await sessions.saw("m1", NOW + timedelta(hours=1))
    assert await sessions.last_seen() == {"amina": NOW + timedelta(hours=1)}
    assert [each.mark for each in await sessions.of("amina")] == ["m2", "m1"]
    assert not await sessions.end_one("somebody", found[0].id, NOW)
    assert await sessions.end_all("amina", NOW, but="m1") == 1
    assert [each.mark for each in await sessions.of("amina")] == ["m1"]
    assert await sessions.knows_device("amina", "d2")
    assert not await sessions.knows_device("somebody", "d2")
    await deeds.give_password("amina", "blue donkey under rain", NOW, change_by=NOW + timedelta(days=7))
    assert (await deeds.known("amina")).password_over(NOW + timedelta(days=7))
    assert await sessions.of("amina") == []
    await deeds.disable("amina", NOW)
    assert not await accounts.any_yet()
    await accounts.enable("amina")
    assert not (await deeds.known("amina")).disabled
    number = await tokens.issue(ApiToken("t", "Grafana", amina.grants, NOW, "amina", NOW + timedelta(days=1)))
    token = await tokens.find("t")
    assert token is not None
    assert (token.id, token.valid(NOW), token.valid(NOW + timedelta(days=1))) == (number, True, False)
    assert await tokens.revoke(number, NOW)
    assert not await tokens.revoke(number, NOW)
    assert not (await tokens.all())[0].valid(NOW)


async def test_accounts_sessions_and_tokens_are_kept(engine: AsyncEngine) -> None:
    """And changed, and found again."""
    await keep_the_contract(engine)


async def test_old_sessions_are_forgotten(engine: AsyncEngine) -> None:
    """When somebody signs in half a year later; a device is known as long."""
    accounts, sessions = AccountStore(engine), SessionStore(engine)
    await accounts.add(Account("amina", "Amina", frozenset(), NOW))
    await sessions.begin(Session("old", "amina", "d", NOW, NOW))
    await sessions.begin(Session("same", "amina", "e", NOW + KEPT, NOW + KEPT))
    assert await sessions.knows_device("amina", "d")
    later = NOW + KEPT + timedelta(milliseconds=1)
    await sessions.begin(Session("new", "amina", "f", later, later))
    assert not await sessions.knows_device("amina", "d")


@given(st.integers(0, 60 * 24 * 20), st.integers(0, 60 * 24 * 20), st.booleans())
def test_a_session_is_valid_until_the_first_of_its_ends(seen: int, now: int, ended: bool) -> None:
    """Idle, too long, or ended."""
    at = NOW + timedelta(minutes=now)
    session = Session("m", "a", "d", NOW, NOW + timedelta(minutes=seen), ended_at=NOW if ended else None)
    assert session.valid(at, LASTING) == (not ended and now < seen + 12 * 60 and now < 14 * 24 * 60)


@given(GRANTS)
def test_grants_are_read_as_they_were_kept(grants: frozenset[Grant]) -> None:
    """Whatever places are called; and always written alike."""
    assert read_grants(written_grants(grants)) == grants
    assert written_grants(sorted(grants, key=repr)) == written_grants(grants)


def test_a_role_of_a_newer_vitals_gives_nothing() -> None:
    """A database that was downgraded lets nobody do more than this version knows."""
    assert read_grants('[{"role": "emperor"}, {"role": "viewer"}]') == {Grant(Role.VIEWER)}


@given(GRANTS, st.sampled_from(Role))
def test_a_place_has_one_role(grants: frozenset[Grant], role: Role) -> None:
    """The last one that was given; other places keep theirs."""
    changed = with_grant(grants, Grant(role))
    assert [each.role for each in changed if each.place == Place()] == [role]
    assert {each for each in changed if each.place != Place()} == {each for each in grants if each.place != Place()}


@pytest.mark.parametrize(
    ("password", "found"),
    [
        ("short", Weakness.SHORT),
        ("x" * 201, Weakness.LONG),
        ("aaaaaaaaaaaa", Weakness.GUESSED),
        ("1234567890", Weakness.GUESSED),
        ("0987654321", Weakness.GUESSED),
        ("Password123", Weakness.GUESSED),
        ("P@ssw0rd2026!", Weakness.GUESSED),
        ("qwertyuiop", Weakness.GUESSED),
        ("vaccinevaccine", Weakness.GUESSED),
        ("AminaNakato1", Weakness.GUESSED),
        ("amina-2026-amina", Weakness.GUESSED),
        ("20261120-1200", Weakness.GUESSED),
        ("seven green kettles", None),
        ("kabo-rimu-tefi-dosu-wena", None),
        ("p9;Xk2#vLq", None),
        ("maji safi kila siku", None),
        ("كلمة مرور طويلة جدا", None),
    ],
)
def test_what_is_guessed_first_is_refused(password: str, found: Weakness | None) -> None:
    """Common words, rows of keys, and names of its owner, with digits and signs around; several words are fine."""
    assert weakness(password, "amina", "Amina Nakato") is found


@given(st.text())
def test_a_made_up_password_is_always_allowed_and_said_easily(seed: str) -> None:
    """Whatever it is made from, small letters alone."""
    made = speakable(seed)
    assert weakness(made) is None
    assert made.replace("-", "").isalpha()
    assert len(made) == 24


async def test_a_hash_is_renewed_when_its_parameters_change() -> None:
    """And only then, and only for the right password."""
    old, new = Passwords(QUICK), Passwords(PasswordHasher(time_cost=2, memory_cost=8, parallelism=1))
    secret = await old.hash("seven green kettles")
    assert (await old.check(secret, "seven green kettles")).newer == ""
    checked = await new.check(secret, "seven green kettles")
    assert checked.right
    assert (await new.check(checked.newer, "seven green kettles")) == (True, "")
    assert not (await new.check(secret, "wrong")).right
    assert not (await new.check("no hash at all", "wrong")).right


async def test_nobodys_password_is_never_right() -> None:
    """Not even the one that is hashed to take as long; and letters that look the same are the same."""
    passwords = Passwords(QUICK)
    assert not (await passwords.check(None, "nobody's password")).right
    secret = await passwords.hash("ﬁsh and caf\u0065\u0301")
    assert (await passwords.check(secret, "fish and caf\u00e9")).right


async def test_a_weak_password_keeps_nothing(engine: AsyncEngine) -> None:
    """Neither a new user nor another password."""
    deeds = AccountDeeds(AccountStore(engine), SessionStore(engine), Passwords(QUICK))
    amina = Account("amina", "Amina", frozenset(), NOW)
    with pytest.raises(WeakPasswordError):
        await deeds.add(amina, "short")
    with pytest.raises(AccountError, match="no user"):
        await deeds.known("amina")
    await deeds.add(amina, None)
    with pytest.raises(WeakPasswordError):
        await deeds.give_password("amina", "amina-amina", NOW)
    assert (await deeds.known("amina")).secret == ""


@pytest.mark.parametrize(
    ("written", "name"), [(" Amina ", "amina"), ("j.k@example.org", "j.k@example.org"), ("a" * 64, "a" * 64)]
)
def test_a_sign_in_name_is_what_people_write(written: str, name: str) -> None:
    """Capitals and blanks around do not matter."""
    assert sign_in_name(written) == name


@pytest.mark.parametrize("written", ["", " ", "a b", "-a", "a" * 65, "amína", "a\nb", "a/b"])
def test_what_is_no_sign_in_name_is_refused(written: str) -> None:
    """It stands in addresses, in records and on the command line."""
    with pytest.raises(AccountError, match="allowed: small letters"):
        sign_in_name(written)

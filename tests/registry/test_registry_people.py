"""What the registry knows of people: documents, their mistakes, SQL and export."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import create_async_engine

from app.documents import parse_csv, parse_document, render_document
from domain.directory import Directory
from domain.document import Document
from domain.episode import Severity
from domain.errors import DocumentError
from domain.instant import to_datetime
from domain.people import EscalationStep, Override, QuietHours, Roster, Rotation, Team
from registry.checks import directory_of
from registry.export import exported
from registry.history import Occasion
from registry.store import RegistryStore
from registry.writing import Counts

TODAY = Occasion(1_795_000_000_000)
PEOPLE = ("contacts", "teams", "rosters", "chains")
PLACES = """\
facilities:
  - {id: kasese-hc3, name: Kasese HC3, country: Uganda, region: Western, district: Kasese, timezone: Africa/Kampala}
"""
KASESE = (
    PLACES
    + """\
contacts:
  - id: amina
    name: Amina K.
    phone: +256700000001
    facilities: [kasese-hc3]
    channels: [sms, voice]
    addresses: {telegram: "1234"}
    quiet: {from: "21:00", to: "06:00", timezone: Africa/Kampala, woken_from: warning}
  - {id: joseph, name: Joseph, district: Kasese}
teams:
  - {id: cold, name: Cold chain, members: [amina, joseph]}
rosters:
  - id: duty
    name: Duty
    timezone: Africa/Kampala
    rotations:
      - {members: [amina, joseph], first_day: 2026-11-02T08:00, turn_days: 7}
      - {members: [joseph], first_day: 2026-11-02, hours: {from: "18:00", to: "06:00"}, weekdays: [fri, sat]}
    overrides:
      - {contact: joseph, from: 2026-12-24T12:00, to: 2026-12-27T09:00:00Z, reason: leave}
escalation:
  - id: kasese
    district: Kasese
    from_severity: warning
    steps:
      - {to: [roster:duty, facility]}
      - {after: 15min, to: [team:cold], by: [sms]}
      - {after: 1h, to: [contact:joseph, country]}
    repeat_every: 30min
    repeat_times: 3
"""
)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[RegistryStore]:
    """Return an empty registry in a file of its own."""
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'registry.db'}")
    store = RegistryStore(engine)
    await store.create_tables()
    yield store
    await engine.dispose()


def document(text: str) -> Document:
    """Return a document of this text."""
    return parse_document(text, "registry.yaml")


def people(directory: Directory) -> list[list[Any]]:
    """Return everything that a directory says of people, in its order."""
    return [list(getattr(directory, kind).values()) for kind in PEOPLE]


def test_values_become_what_the_domain_counts_in() -> None:
    """Times of day by the zone, days with and without hours, severities and durations are converted once."""
    found = directory_of(document(KASESE))
    amina = found.contacts["amina"]
    assert (amina.channels, amina.addresses) == (("sms", "voice"), {"telegram": "1234"})
    assert amina.quiet == QuietHours(time(21), time(6), "Africa/Kampala", Severity.WARNING)
    assert found.teams["cold"] == Team("cold", "Cold chain", ("amina", "joseph"))
    weekly = Rotation(("amina", "joseph"), datetime(2026, 11, 2, 5, tzinfo=UTC))
    nights = Rotation(("joseph",), datetime(2026, 11, 1, 21, tzinfo=UTC), 7, time(18), time(6), (4, 5))
    leave = Override("joseph", datetime(2026, 12, 24, 9, tzinfo=UTC), datetime(2026, 12, 27, 9, tzinfo=UTC), "leave")
    assert found.rosters["duty"] == Roster("duty", "Duty", "Africa/Kampala", (weekly, nights), (leave,))
    chain = found.chains["kasese"]
    assert (chain.from_severity, chain.repeat_every, chain.repeat_times) == (
        Severity.WARNING,
        timedelta(minutes=30),
        3,
    )
    assert chain.steps[1] == EscalationStep(timedelta(minutes=15), ("team:cold",), ("sms",))


async def test_an_import_is_read_back_and_exported_as_it_was_said(store: RegistryStore) -> None:
    """SQL and export keep everything; importing what was exported changes nothing."""
    report = await store.import_document(document(KASESE), occasion=TODAY)
    assert [report.counts[kind] for kind in PEOPLE] == [Counts(2), Counts(1), Counts(1), Counts(1)]
    assert people(await store.load_directory()) == people(directory_of(document(KASESE)))
    text = render_document(await store.export_document())
    again = await store.import_document(document(text), occasion=TODAY)
    assert not again.changed


async def test_a_change_of_what_a_contact_prefers_is_a_change(store: RegistryStore) -> None:
    """Also where there was nothing before, and where nothing is left of it."""
    bare = "contacts:\n  - {id: ruth, name: Ruth}\n"
    quiet = bare.replace("Ruth}", "Ruth, channels: [email]}")
    for text, channels in ((bare, ()), (quiet, ("email",)), (bare, ()), (quiet, ("email",))):
        report = await store.import_document(document(text), occasion=TODAY)
        assert report.changed
        assert (await store.load_directory()).contacts["ruth"].channels == channels


async def test_overrides_stay_where_a_document_says_nothing_of_them(store: RegistryStore) -> None:
    """They may have come from a calendar; an empty list takes them away."""
    head, _, tail = KASESE.partition("    overrides:\n")
    silent = head + tail.partition("\n")[2]
    await store.import_document(document(KASESE), occasion=TODAY)
    report = await store.import_document(document(silent), occasion=TODAY)
    assert report.counts["rosters"] == Counts(unchanged=1)
    emptied = silent.replace("escalation:", "    overrides: []\nescalation:")
    await store.import_document(document(emptied), occasion=TODAY)
    assert (await store.load_directory()).rosters["duty"].overrides == ()


async def test_teams_may_name_contacts_that_are_registered(store: RegistryStore) -> None:
    """References are found across imports, and so are two chains for one place."""
    await store.import_document(document(KASESE), occasion=TODAY)
    await store.import_document(parse_csv("id,name,members\nnew,New,amina joseph\n", "teams.csv"), occasion=TODAY)
    assert (await store.load_directory()).teams["new"].members == ("amina", "joseph")
    rival = "escalation:\n  - {id: other, district: Kasese, from_severity: warning, steps: [{to: [facility]}]}\n"
    with pytest.raises(DocumentError, match="of kasese; allowed: one chain"):
        await store.import_document(document(rival), occasion=TODAY)


def test_tables_say_the_same_as_the_tree() -> None:
    """Preferences, addresses and quiet hours are columns of contacts.csv; teams have a table of their own."""
    contacts = (
        "id,name,phone,facilities,district,channels,address.telegram,quiet.from,quiet.to,quiet.timezone,"
        "quiet.woken_from\n"
        "amina,Amina K.,+256700000001,kasese-hc3,,sms voice,1234,21:00,06:00,Africa/Kampala,warning\n"
        "joseph,Joseph,,,Kasese,,,,,,\n"
    )
    flat = directory_of(
        document(PLACES),
        parse_csv(contacts, "contacts.csv"),
        parse_csv("id,name,members\ncold,Cold chain,amina joseph\n", "teams.csv"),
    )
    tree = directory_of(document(KASESE))
    assert (flat.contacts, flat.teams) == (tree.contacts, tree.teams)


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "said"),
    [
        ("channels: [sms, voice]", "channels: [SMS]", 8, "channels.0", "small letters"),
        ("channels: [sms, voice]", "channels: [sms, sms]", 8, "channels", "once"),
        ('from: "21:00"', 'from: "24:00"', 10, "quiet.from", "06:30"),
        ("woken_from: warning", "woken_from: criticl", 10, "quiet.woken_from", "did you mean critical?"),
        ("timezone: Africa/Kampala, woken", "timezone: Africa/Kampalla, woken", 10, "quiet.timezone", "Africa/Kampala"),
        ("members: [amina, joseph]}", "members: [amina, josef]}", 13, "members", "did you mean joseph?"),
        ("members: [amina, joseph]}", "members: [amina, amina]}", 13, "members", "once"),
        ("members: [amina, joseph], first", "members: [], first", 19, "members", "at least 1"),
        ("members: [amina, joseph], first", "members: [who], first", 19, "members", "one of amina, joseph"),
        ("2026-11-02T08:00", "Monday", 19, "first_day", "2026-11-02T08:00"),
        ("turn_days: 7", "turn_days: 0", 19, "turn_days", "greater than or equal to 1"),
        ("weekdays: [fri, sat]", "weekdays: [fri, son]", 20, "weekdays.1", "did you mean sun?"),
        ("{contact: joseph, from", "{contact: nobody, from", 22, "contact", "one of amina"),
        ("2026-12-27T09:00:00Z", "2026-12-24T12:00", 22, "to", "after from"),
        ("roster:duty", "roster:dutty", 28, "to", "did you mean roster:duty?"),
        ("[contact:joseph, country]", "[contact:joseph, county]", 30, "to.1", "contact:ID"),
        ("after: 1h", "after: 10min", 27, "steps", "after 15min comes a longer one"),
        ("{to: [roster:duty, facility]}", "{after: 5min, to: [facility]}", 27, "steps", "first step without after"),
        ("    repeat_times: 3\n", "", 24, "escalation.0", "together"),
        ("    district: Kasese\n    from", "    district: Kassese\n    from", 25, "district", "did you mean Kasese?"),
        ("after: 1h", "after: 8d", 30, "after", "up to 7d"),
    ],
)
def test_a_mistake_is_named_with_its_place(old: str, new: str, line: int, field: str, said: str) -> None:
    """Every mistake is one problem: line, field, and what is allowed there."""
    assert old in KASESE
    with pytest.raises(DocumentError) as caught:
        directory_of(document(KASESE.replace(old, new, 1)))
    (problem,) = caught.value.problems
    assert (problem.line, problem.field.endswith(field)) == (line, True), str(problem)
    assert said in problem.allowed


ZONES = ("Africa/Kampala", "Europe/Berlin", "America/New_York", "UTC")
MOMENTS = st.integers(315_532_800, 4_102_444_800).map(lambda seconds: to_datetime(seconds * 1000))
CLOCKS = st.times().map(lambda moment: moment.replace(second=0, microsecond=0))


@given(st.sampled_from(ZONES), MOMENTS, MOMENTS, CLOCKS, CLOCKS, st.sets(st.integers(0, 6)), st.integers(1, 366))
def test_every_roster_survives_export_and_import(
    zone: str, first: datetime, start: datetime, begin: time, end: time, days: set[int], length: int
) -> None:
    """Also where a moment falls into the hour that a change of the clocks repeats."""
    known = directory_of(document("contacts:\n  - {id: ruth, name: Ruth}\n"))
    rotation = Rotation(("ruth",), first, length, begin, end, tuple(sorted(days)))
    override = Override("ruth", start, start + timedelta(hours=1), "why")
    roster = Roster("r", "R", zone, (rotation,), (override,))
    said = Directory(contacts=known.contacts.values(), rosters=(roster,))
    assert directory_of(document(render_document(exported(said)))).rosters["r"] == roster


def test_addresses_cannot_be_changed() -> None:
    """The directory is shared by all tasks."""
    assert isinstance(directory_of(document(KASESE)).contacts["amina"].addresses, MappingProxyType)

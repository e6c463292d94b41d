"""Limits of a kind of equipment, a model, a facility and a channel: which of them is in force, and what is recorded."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from functools import reduce
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app.cli import main
from app.documents import parse_csv, parse_document, render_document
from domain.directory import Directory
from domain.document import Document
from domain.errors import DocumentError, Problem
from domain.limits import ALWAYS_MS, LimitsSince
from registry.checks import checked_draft, directory_of, merged
from registry.export import exported
from registry.history import Occasion
from registry.in_force import in_force, unused
from registry.store import RegistryStore
from registry.writing import Counts, ImportReport

NOON_MS = 1_795_176_000_000
HOUR_MS = 3_600_000
A, B, ROOM, DOOR = "hc/a/temperature", "hc/b/temperature", "hc/a/room", "hc/a/door"
ROWS = """\
limits:
  - {quantity: temperature, equipment: fridge, limits: {low: 2, high: 8, critical: 12}}
  - {quantity: temperature, equipment: fridge, model: Ice-lined 60 L, limits: {high: 7.5, low: 36 °F}}
  - {quantity: temperature, equipment: fridge, facility: hc, limits: {low: 2.5}}
"""
PLACES = """\
facilities:
  - id: hc
    name: HC
    country: Uganda
    region: Western
    district: Kasese
    nodes: [{id: n}]
    equipment:
      - id: a
        kind: fridge
        name: A
        model: Ice-lined 60 L
        channels:
          - {quantity: temperature, node: n, interval: 10min}
          - {quantity: temperature, id: room, node: n, interval: 10min, limits: {low: none, high: 30, critical: none}}
          - {quantity: door, node: n, interval: 10min}
      - id: b
        kind: fridge
        name: B
        channels: [{quantity: temperature, node: n, interval: 10min}]
"""


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    """Return an engine on a file of its own."""
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'registry.db'}")
    yield engine
    await engine.dispose()


@pytest.fixture
async def store(engine: AsyncEngine) -> RegistryStore:
    """Return an empty registry."""
    store = RegistryStore(engine)
    await store.create_tables()
    return store


def read(*texts: str) -> Directory:
    """Return what YAML documents register."""
    return directory_of(*(parse_document(text, f"{number}.yaml") for number, text in enumerate(texts)))


def rows(*said: Mapping[str, Any]) -> Document:
    """Return a document of limits of the temperature of fridges."""
    return Document(
        "limits.yaml", {"limits": [{"quantity": "temperature", "equipment": "fridge", **row} for row in said]}
    )


async def imported(
    store: RegistryStore, hours: int, *documents: Document | str, limits_from: int | None = None
) -> ImportReport:
    """Import documents so many hours after noon, in force from another hour on where one is given."""
    since_ms = None if limits_from is None else NOON_MS + limits_from * HOUR_MS
    read_ones = [parse_document(each, "text.yaml") if isinstance(each, str) else each for each in documents]
    occasion = Occasion(NOON_MS + hours * HOUR_MS, since_ms, "Amina", "new policy")
    return await store.import_document(*read_ones, occasion=occasion)


async def limits(store: RegistryStore, channel: str) -> Mapping[str, float]:
    """Return the limits of a channel that are in force now."""
    return (await store.load_directory()).channels[channel].limits


def since(hours: int, low: float | None, high: float | None) -> LimitsSince:
    """Return limits from so many hours after noon on."""
    return LimitsSince(NOON_MS + hours * HOUR_MS, low, high)


def test_the_more_particular_overrides_name_by_name() -> None:
    """Kind, model, facility and channel each decide the limits that nothing more particular names."""
    directory = read(ROWS, PLACES)
    assert directory.channels[A].limits == {"low": 2.5, "high": 7.5, "critical": 12.0}
    assert directory.channels[B].limits == {"low": 2.5, "high": 8.0, "critical": 12.0}
    assert directory.channels[DOOR].limits == {}


def test_a_model_at_a_facility_is_more_particular_than_both() -> None:
    """A row that names both decides over a row of the facility and a row of the model."""
    both = "  - {quantity: temperature, equipment: fridge, model: Ice-lined 60 L, facility: hc, limits: {low: 3}}\n"
    directory = read(ROWS + both, PLACES)
    assert (directory.channels[A].limits["low"], directory.channels[B].limits["low"]) == (3.0, 2.5)


def test_a_limit_can_be_taken_away() -> None:
    """``none`` at a channel, or for a model, leaves no limit of that name there."""
    assert read(ROWS, PLACES).channels[ROOM].limits == {"high": 30.0}
    directory = read(ROWS.replace("{high: 7.5, low: 36 °F}", "{high: none}"), PLACES)
    assert directory.channels[A].limits == {"low": 2.5, "critical": 12.0}
    assert directory.channels[B].limits["high"] == 8.0


def test_a_table_says_the_same_as_the_tree() -> None:
    """A limits.csv and the YAML rows describe the same limits."""
    table = parse_csv(
        "quantity,equipment,model,facility,limit.low,limit.high,limit.critical\n"
        "temperature,fridge,,,2,8,12\n"
        "temperature,fridge,Ice-lined 60 L,,36 °F,7.5,\n"
        "temperature,fridge,,hc,2.5,,\n",
        "limits.csv",
    )
    tree, flat = read(ROWS, PLACES), directory_of(table, parse_document(PLACES, "places.yaml"))
    assert (flat.shared_limits, flat.channels) == (tree.shared_limits, tree.channels)


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "said"),
    [
        ("temperature, equipment: fridge, facility", "heat, equipment: fridge, facility", 4, "quantity", "one of"),
        ("fridge, facility", "frigde, facility", 4, "equipment", "did you mean fridge?"),
        ("facility: hc", "facility: hx", 4, "facility", "hc"),
        ("equipment: fridge, model", "model", 3, "equipment", "required"),
        ("low: 36 °F", "low: 36 %", 3, "limits.low", "°F"),
        ("low: 36 °F", "low: 400", 3, "limits.low", "-200 to 150"),
        ("low: 36 °F", "low: null", 3, "limits.low", "or none"),
        ("low: 36 °F", "Low: 36 °F", 3, "Low", "small word"),
        (", facility: hc,", ",", 4, "scope", "each scope once"),
        ("limits: {low: 2.5}", "limits: {low: 7.6}", 4, "limits", "low up to high"),
        ("limits: {low: 2.5}", "node: n, limits: {low: 2.5}", 4, "node", "only the fields"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_place(old: str, new: str, line: int, field: str, said: str) -> None:
    """Every mistake in a row is one problem: line, column, field, and what is allowed there."""
    assert old in ROWS
    (problem,) = mistakes(parse_document(ROWS.replace(old, new), "limits.yaml"), parse_document(PLACES, "places.yaml"))
    assert (problem.source, problem.line) == ("limits.yaml", line)
    assert problem.column > 1
    assert field in problem.field
    assert said in problem.allowed


def mistakes(*documents: Document) -> Sequence[Problem]:
    """Return what is wrong with documents that cannot be used."""
    with pytest.raises(DocumentError) as caught:
        directory_of(*documents)
    return caught.value.problems


def test_limits_that_cross_once_merged_are_told_once_with_who_says_each() -> None:
    """A row that makes many channels impossible is one problem, which names the first of them and both sources."""
    (problem,) = mistakes(
        parse_document(ROWS.replace("high: 8", "high: 2.2").replace("high: 7.5, ", ""), "limits.yaml"),
        parse_document(PLACES, "places.yaml"),
    )
    assert problem.found == (
        "low 2.5 °C (temperature of every fridge at hc) above high 2.2 °C (temperature of every fridge) "
        "at hc/a/temperature and 1 more"
    )


@pytest.mark.parametrize(
    ("document", "field"),
    [
        (PLACES.replace("model: Ice-lined 60 L", "model: Other"), "facilities.0.equipment.0.limits"),
        (rows({"model": "Ice-lined 60 L", "limits": {}}), "limits.0.limits"),
    ],
)
async def test_limits_that_cross_because_of_what_is_gone_are_refused(
    store: RegistryStore, document: Document | str, field: str
) -> None:
    """A limit that comes to light crosses another that was said long before: the place is what uncovered it."""
    bare = PLACES.replace(", low: none, high: 30, critical: none", "").replace(
        "limits: {low: none, high: 30, ", "limits: {"
    )
    kind = {"limits": {"low": 5, "high": 4}}
    with pytest.raises(DocumentError):
        await imported(store, 0, rows(kind), bare)
    model = {"model": "Ice-lined 60 L", "limits": {"low": 2}}
    only_a = bare[: bare.index("      - id: b")].split("          - {quantity: temperature, id: room")[0]
    await imported(store, 0, rows(kind, model), only_a)
    if isinstance(document, str):
        document = only_a.replace("model: Ice-lined 60 L", "model: Other").split("        channels:")[0]
    with pytest.raises(DocumentError, match="low up to high") as caught:
        await imported(store, 1, document)
    assert [problem.field for problem in caught.value.problems] == [field]


async def test_a_row_is_recorded_at_each_channel_that_it_changes(store: RegistryStore) -> None:
    """Author and reason stand at every channel whose limits become others, and at no other."""
    await imported(store, 0, PLACES)
    report = await imported(store, 5, rows({"limits": {"high": 8}}))
    assert (report.counts["shared limits"], report.limits_changed) == (Counts(added=1), 2)
    for channel in (A, B):
        before, now = await store.limit_changes(channel)
        assert (before.valid_from_ms, before.limits) == (ALWAYS_MS, {})
        assert (now.valid_from_ms, now.limits) == (NOON_MS + 5 * HOUR_MS, {"high": 8.0})
        assert (now.author, now.reason) == ("Amina", "new policy")
    assert await store.limit_changes(ROOM) == await store.limit_changes(DOOR) == []
    histories = await store.load_limits(await store.load_directory())
    assert histories[A] == (since(5, None, 8.0),)


async def test_importing_rows_again_changes_nothing(store: RegistryStore) -> None:
    """The second import reports everything unchanged and keeps the version."""
    await imported(store, 0, ROWS, PLACES)
    version = await store.version()
    report = await imported(store, 1, ROWS, PLACES)
    assert (report.changed, report.counts["shared limits"]) == (False, Counts(unchanged=3))
    assert await store.version() == version


async def test_a_channel_that_is_registered_later_has_the_limits_of_its_kind(store: RegistryStore) -> None:
    """They count as always in force there, as limits of its own would."""
    await imported(store, 0, rows({"limits": {"low": 2, "high": 8}}))
    await imported(store, 5, PLACES)
    assert await limits(store, B) == {"low": 2.0, "high": 8.0}
    assert (await store.load_limits(await store.load_directory()))[B] == (LimitsSince(ALWAYS_MS, 2.0, 8.0),)


async def test_a_row_without_limits_takes_them_back(store: RegistryStore) -> None:
    """What the row said before is over from then on, and stays in the history."""
    await imported(store, 0, rows({"limits": {"high": 8}}), PLACES)
    assert (await imported(store, 5, rows({}))).limits_changed == 2
    assert await limits(store, B) == {}
    histories = await store.load_limits(await store.load_directory())
    assert histories[B] == (LimitsSince(ALWAYS_MS, None, 8.0), since(5, None, None))


async def test_equipment_of_another_model_has_other_limits(store: RegistryStore) -> None:
    """A table of equipment alone changes the limits of its channels from then on."""
    await imported(store, 0, ROWS, PLACES)
    equipment = [{"facility": "hc", "id": "b", "kind": "fridge", "name": "B", "model": "Ice-lined 60 L"}]
    assert (await imported(store, 5, Document("equipment.csv", equipment))).limits_changed == 1
    histories = await store.load_limits(await store.load_directory())
    assert histories[B] == (LimitsSince(ALWAYS_MS, 2.5, 8.0), since(5, 2.5, 7.5))


async def test_a_correction_of_a_row_leaves_other_limits_as_they_were(store: RegistryStore) -> None:
    """Reaching back, a row changes the limits that it decides; other names stay what they were at each time."""
    await imported(store, 0, rows({"limits": {"high": 8}}), PLACES)
    await imported(store, 2, rows({"facility": "hc", "limits": {"low": 1}}))
    await imported(store, 6, rows({"facility": "hc", "limits": {"low": 2}}))
    report = await imported(store, 9, rows({"limits": {"high": 7}}), limits_from=4)
    assert report.limits_changed == 2
    histories = await store.load_limits(await store.load_directory())
    assert histories[B] == (
        LimitsSince(ALWAYS_MS, None, 8.0),
        since(2, 1.0, 8.0),
        since(4, 1.0, 7.0),
        since(6, 2.0, 7.0),
    )
    assert not (await imported(store, 10, rows({"limits": {"high": 7}}), limits_from=4)).changed


async def test_the_past_limits_of_a_channel_follow_from_rows_too(store: RegistryStore) -> None:
    """Rules judge a late reading by the limits that a row gave at its time."""
    await imported(store, 0, rows({"limits": {"high": 8}}), PLACES)
    await imported(store, 5, rows({"limits": {"high": 7}}))
    channel = (await store.load_directory()).channels[B]
    assert [(each.until_ms, each.limits) for each in channel.past_limits] == [(NOON_MS + 5 * HOUR_MS, {"high": 8.0})]


async def test_importing_the_export_changes_nothing(store: RegistryStore) -> None:
    """Rows and own limits are exported as they were said, and not what they come to."""
    await imported(store, 0, ROWS, PLACES)
    version = await store.version()
    text = render_document(await store.export_document())
    assert not (await imported(store, 5, text)).changed
    assert await store.version() == version
    there, here = read(text), read(ROWS, PLACES)
    assert (there.shared_limits, there.channels) == (here.shared_limits, here.channels)


async def test_a_database_from_before_has_the_limits_of_its_channels(store: RegistryStore, engine: AsyncEngine) -> None:
    """The table is made at the start; what stood at the channels is their own."""
    await imported(store, 0, PLACES)
    async with engine.begin() as connection:
        await connection.execute(text("DROP TABLE shared_limit_change"))
    again = RegistryStore(engine)
    await again.create_tables()
    assert await limits(again, ROOM) == {"high": 30.0}
    await imported(again, 5, ROWS)
    assert (await limits(again, ROOM), (await limits(again, B))["high"]) == ({"high": 30.0}, 8.0)


def test_rows_that_match_nothing_are_known() -> None:
    """A row is allowed before there is anything that it is for."""
    directory = read(ROWS, PLACES.replace("model: Ice-lined 60 L", "model: Ice-lined 60L"))
    assert list(map(str, unused(directory))) == ["temperature of every fridge, model Ice-lined 60 L"]


def test_the_command_line_tells_where_limits_come_from(tmp_path: Path) -> None:
    """Each limit of today stands with its kind, model, facility or channel, and who said it for many."""
    config = tmp_path / "vitals.yaml"
    config.write_text("data: data\n", "utf-8")

    def vitals(*arguments: str) -> str:
        done = CliRunner().invoke(main, ["registry", *arguments, "--config", str(config)])
        return f"{done.exit_code} {done.output}"

    for name, said in (("limits", ROWS), ("places", PLACES)):
        (tmp_path / f"{name}.yaml").write_text(said, "utf-8")
    (tmp_path / "more.csv").write_text("id,name\n", "utf-8")
    vitals("import", str(tmp_path / "places.yaml"))
    assert "shared limits: 3 added" in vitals("import", str(tmp_path / "limits.yaml"), "--author", "Amina")
    today = [line for line in vitals("limits", A).splitlines() if line.startswith("today")]
    starts = ["critical 12.0 °C  kind  ", "high 7.5 °C  model  ", "low 2.5 °C  facility  "]
    assert [
        line.startswith(f"today  {start}temperature of every fridge") for line, start in zip(today, starts, strict=True)
    ]
    assert all(line.endswith("  Amina") for line in today)
    assert vitals("limits", ROOM).splitlines()[-1] == "today  no low  channel"


KINDS, MODELS, SITES = ("fridge", "freezer"), ("", "M1", "M2"), ("hc-1", "hc-2")
LOWS, HIGHS = st.just("none") | st.integers(-10, 3), st.just("none") | st.integers(4, 20)
LIMITS = st.fixed_dictionaries({}, optional={"low": LOWS, "high": HIGHS})
SCOPES = st.tuples(st.sampled_from(KINDS), st.sampled_from(MODELS), st.sampled_from(("", *SITES)))
FRIDGES = st.tuples(st.sampled_from(SITES), st.sampled_from(KINDS), st.sampled_from(MODELS), LIMITS)


def documents_of(
    fridges: Sequence[tuple[str, str, str, dict[str, Any]]], said: Mapping[tuple[str, str, str], dict[str, Any]]
) -> list[Document]:
    """Return a document for each piece of equipment, its channel and each row of limits."""
    made = [
        rows({key: value for key, value in row.items() if value})
        for (kind, model, site), named in said.items()
        for row in [{"equipment": kind, "model": model, "facility": site, "limits": named}]
    ]
    for number, (site, kind, model, own) in enumerate(fridges):
        channel = {"quantity": "temperature", "node": f"{site}-n", "interval": "10min", "limits": own}
        equipment = {"id": f"e{number}", "kind": kind, "name": "E", "model": model, "channels": [channel]}
        made.append(Document("equipment.yaml", {"facilities": [{**place(site), "equipment": [equipment]}]}))
    return made


def place(site: str) -> dict[str, Any]:
    """Return a facility with a node."""
    return {"id": site, "name": site, "country": "U", "region": "R", "district": "D", "nodes": [{"id": f"{site}-n"}]}


def expected(
    fridge: tuple[str, str, str, dict[str, Any]], said: Mapping[tuple[str, str, str], dict[str, Any]]
) -> dict[str, float]:
    """Return the limits of a fridge as the handbook defines them."""
    site, kind, model, own = fridge
    found: dict[str, Any] = {}
    for scope in dict.fromkeys([(kind, "", ""), (kind, model, ""), (kind, "", site), (kind, model, site)]):
        found |= said.get(scope, {})
    return {name: float(value) for name, value in (found | own).items() if value != "none"}


@given(
    fridges=st.lists(FRIDGES, min_size=1, max_size=4), said=st.dictionaries(SCOPES, LIMITS, max_size=6), data=st.data()
)
def test_any_order_of_imports_gives_the_same_limits(
    fridges: list[tuple[str, str, str, dict[str, Any]]],
    said: dict[tuple[str, str, str], dict[str, Any]],
    data: st.DataObject,
) -> None:
    """Documents one after the other in any order, or all at once, come to the limits that the handbook defines."""
    sites = Document("sites.yaml", {"facilities": [place(site) for site in SITES]})
    ordered = data.draw(st.permutations(documents_of(fridges, said)))
    known = reduce(lambda known, each: merged(checked_draft([each], known), known), ordered, directory_of(sites))
    wanted = {f"{fridge[0]}/e{number}/temperature": expected(fridge, said) for number, fridge in enumerate(fridges)}
    assert {channel.id: dict(channel.limits) for channel in known.channels.values()} == wanted
    again = directory_of(Document("export", exported(known)))
    assert (again.channels, again.shared_limits) == (in_force(known).channels, known.shared_limits)

"""The history of limits: recorded by imports, corrected for times that are over, and kept whole."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app.cli import main
from domain.document import Document
from domain.errors import OperatorError
from domain.limits import ALWAYS_MS, LimitHistory, LimitsSince
from registry.history import Occasion
from registry.store import RegistryStore
from registry.writing import ImportReport

FRIDGE, ROOM = "hc/fridge/temperature", "hc/fridge/room"
NOON_MS = 1_795_176_000_000
HOUR_MS = 3_600_000


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


def clinic(**limits: float) -> Document:
    """Return a clinic whose fridge has these limits, and whose room has none."""
    channel = {"node": "n", "interval": "10min", "quantity": "temperature"}
    channels = [{**channel, "limits": limits}, {**channel, "id": "room", "name": "room"}]
    place = {"country": "Uganda", "region": "Western", "district": "Kasese"}
    equipment = [{"id": "fridge", "kind": "fridge", "name": "Fridge", "channels": channels}]
    facility = {"id": "hc", "name": "HC", **place, "nodes": [{"id": "n"}], "equipment": equipment}
    return Document("registry.yaml", {"facilities": [facility]})


async def imported(store: RegistryStore, hours: int, limits_from: int | None = None, **limits: float) -> ImportReport:
    """Import other limits so many hours after noon, in force from another hour on where one is given."""
    since_ms = None if limits_from is None else NOON_MS + limits_from * HOUR_MS
    occasion = Occasion(NOON_MS + hours * HOUR_MS, since_ms, "Amina", "a new fridge")
    return await store.import_document(clinic(**limits), occasion=occasion)


async def history(store: RegistryStore) -> LimitHistory:
    """Return the history of the fridge's limits; nothing else has any."""
    found = await store.load_limits(await store.load_directory())
    assert found.keys() <= {FRIDGE}
    return found.get(FRIDGE, ())


def since(hours: int, low: float | None, high: float | None) -> LimitsSince:
    """Return limits from so many hours after noon on."""
    return LimitsSince(NOON_MS + hours * HOUR_MS, low, high)


async def test_limits_that_never_changed_were_always_in_force(store: RegistryStore) -> None:
    """What a channel is registered with holds for readings from before it was registered, and costs no row."""
    await imported(store, 0, low=2, high=8)
    assert await history(store) == (LimitsSince(ALWAYS_MS, 2.0, 8.0),)
    assert await store.limit_changes(FRIDGE) == []


async def test_an_import_with_other_limits_appends(store: RegistryStore) -> None:
    """New limits are in force from the import on; the old ones stay for before; saying it again adds nothing."""
    await imported(store, 0, low=2, high=8)
    report = await imported(store, 5, high=10)
    assert report.limits_changed == 1
    assert await history(store) == (LimitsSince(ALWAYS_MS, 2.0, 8.0), since(5, None, 10.0))
    version = await store.version()
    assert not (await imported(store, 6, high=10)).changed
    assert (await store.version(), await history(store)) == (
        version,
        (LimitsSince(ALWAYS_MS, 2, 8), since(5, None, 10)),
    )


async def test_author_and_reason_are_kept(store: RegistryStore) -> None:
    """Who changed limits and why stands in the record, beside what was before."""
    await imported(store, 0, low=2, high=8)
    await imported(store, 5, high=10)
    first, second = await store.limit_changes(FRIDGE)
    assert (first.valid_from_ms, first.limits, first.author) == (ALWAYS_MS, {"low": 2.0, "high": 8.0}, "")
    assert (second.limits, second.author, second.reason) == ({"high": 10.0}, "Amina", "a new fridge")
    assert second.recorded_at_ms == NOON_MS + 5 * HOUR_MS


async def test_a_correction_reaches_back(store: RegistryStore) -> None:
    """Limits said to be in force since earlier replace what followed, though the limits of today stay the same."""
    await imported(store, 0, low=2, high=8)
    await imported(store, 5, high=10)
    version = await store.version()
    report = await imported(store, 9, limits_from=3, high=10)
    assert (report.counts["channels"].changed, report.limits_changed) == (0, 1)
    assert await store.version() > version
    assert await history(store) == (LimitsSince(ALWAYS_MS, 2.0, 8.0), since(3, None, 10.0))
    assert len(await store.limit_changes(FRIDGE)) == 3


async def test_a_stretch_in_the_middle_is_corrected_in_two_steps(store: RegistryStore) -> None:
    """First what was in force from then on, then again what is in force now, from when it came to be."""
    await imported(store, 0, low=2, high=8)
    await imported(store, 9, limits_from=3, low=0, high=6)
    await imported(store, 9, limits_from=5, low=2, high=8)
    assert await history(store) == (LimitsSince(ALWAYS_MS, 2.0, 8.0), since(3, 0.0, 6.0), since(5, 2.0, 8.0))


async def test_a_new_channel_may_say_since_when_it_has_limits(store: RegistryStore) -> None:
    """Before that moment it has none."""
    await imported(store, 5, limits_from=3, low=2, high=8)
    assert await history(store) == (since(3, 2.0, 8.0),)


async def test_limits_can_be_given_up(store: RegistryStore) -> None:
    """A channel without limits from now on keeps those of before."""
    await imported(store, 0, low=2, high=8)
    await imported(store, 5)
    assert await history(store) == (LimitsSince(ALWAYS_MS, 2.0, 8.0), since(5, None, None))


def test_limits_of_the_future_are_refused() -> None:
    """Nobody switches limits at a moment to come: the message says what was found and what is allowed."""
    with pytest.raises(OperatorError, match=r"from 2026-11-20T13:00:00Z on; allowed: from 1970 to now"):
        Occasion(NOON_MS, NOON_MS + HOUR_MS)


async def test_a_database_from_before_the_history_goes_on(store: RegistryStore, engine: AsyncEngine) -> None:
    """The table is made at the start; limits registered before have been in force always."""
    await imported(store, 0, low=2, high=8)
    async with engine.begin() as connection:
        await connection.execute(text("DROP TABLE limit_change"))
    again = RegistryStore(engine)
    await again.create_tables()
    assert await history(again) == (LimitsSince(ALWAYS_MS, 2.0, 8.0),)
    await imported(again, 5, high=10)
    assert await history(again) == (LimitsSince(ALWAYS_MS, 2.0, 8.0), since(5, None, 10.0))


YAML = """\
facilities:
  - id: hc
    name: HC
    country: Uganda
    region: Western
    district: Kasese
    nodes: [{id: n}]
    equipment:
      - id: fridge
        kind: fridge
        name: Fridge
        channels: [{quantity: temperature, node: n, interval: 10min, limits: {low: 2, high: HIGH}}]
"""


def test_the_command_line_tells_the_history(tmp_path: Path) -> None:
    """Two imports, the second with its beginning, author and reason, and the history as a person reads it."""
    config = tmp_path / "vitals.yaml"
    config.write_text("data: data\n", "utf-8")

    def vitals(*arguments: str) -> str:
        done = CliRunner().invoke(main, ["registry", *arguments, "--config", str(config)])
        return f"{done.exit_code} {done.output}"

    for high, more in (
        (8, ()),
        (10, ("--limits-from", "2026-01-02T03:04:05Z", "--author", "Amina", "--reason", "swap")),
    ):
        (tmp_path / "hc.yaml").write_text(YAML.replace("HIGH", str(high)), "utf-8")
        told = vitals("import", str(tmp_path / "hc.yaml"), *more)
    assert "limits: changed of 1 channels" in told
    first, second, *today = vitals("limits", FRIDGE).removeprefix("0 ").splitlines()
    assert first.startswith("always  high 8.0 °C, low 2.0 °C  said ")
    assert second.startswith("from 2026-01-02T03:04:05Z  high 10.0 °C, low 2.0 °C  said ")
    assert second.endswith("  Amina  swap")
    assert today == ["today  high 10.0 °C  channel", "today  low 2.0 °C  channel"]
    assert vitals("limits", "hc/fridge/temprature").startswith(
        "2 vitals: found channel 'hc/fridge/temprature'; allowed:"
    )
    assert "--limits-from" in vitals("import", str(tmp_path / "hc.yaml"), "--limits-from", "yesterday")

"""``vitals node waiting`` and ``vitals node claim``: nodes that send, and that nobody has registered yet."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from app.clock import SystemClock
from app.config import ServiceConfig
from app.database import open_database
from app.documents import parse_document
from app.yaml_document import render_document
from collector.foreign.devices import ForeignDevices
from collector.journal import Journal
from collector.waiting import LOOK_SECONDS, WaitingNode, waiting_nodes
from domain.directory import Directory
from domain.errors import OperatorError
from domain.instant import format_duration, format_rfc3339
from domain.suggest import allowed_words
from registry.claim import UNKNOWN, claim
from registry.history import Occasion
from registry.store import RegistryStore

Say = Callable[[str], None]


async def show_waiting(config: ServiceConfig, *, say: Say) -> None:
    """Say who waits, since when, and what it measures."""
    async with open_database(config.database_url) as database:
        directory = await _directory(RegistryStore(database))
    nodes = await _waiting(config, directory)
    if not nodes:
        say("No node waits: whoever sends is registered.")
        return
    now_ms = SystemClock().now_ms()
    for each in nodes:
        heard = format_duration(timedelta(seconds=max(now_ms - each.last_ms, 0) // 1000))
        say(f"{each.node}: heard {heard} ago, {each.messages} messages kept since {format_rfc3339(each.first_ms)}")
        for sample in each.samples:
            value = sample.quality.label if sample.value is None else f"{sample.value:g} {sample.unit or ''}".rstrip()
            say(f"    {sample.name:<32} {value}")
    say("\nTo take one up: vitals node claim NODE --facility FACILITY")


async def claim_node(
    config: ServiceConfig, node: str, facility: str, interval: timedelta, *, at_once: bool, say: Say
) -> None:
    """Say the registry document that takes a node up, or import it ``at_once``."""
    async with open_database(config.database_url) as database:
        store = RegistryStore(database)
        directory = await _directory(store)
        if node in directory.nodes:
            raise OperatorError(f"{node} is registered already, at {directory.nodes[node].facility}")
        place = directory.facilities.get(facility)
        if place is None:
            known = allowed_words(facility, list(directory.facilities))
            raise OperatorError(f"found facility {facility!r}; allowed: {known or 'none, for none is registered'}")
        waiting = {each.node: each for each in await _waiting(config, directory)}
        if node not in waiting:
            raise OperatorError(f"{node} does not wait; `vitals node waiting` shows who does")
        text = render_document(claim(node, waiting[node].samples, place, directory, interval))
        if not at_once:
            say(f"# How {node} fits into {place.name}, guessed from what it sends. Mend what is wrong, then:")
            say("# vitals registry import FILE --config vitals.yaml")
            say(text)
            return
        if UNKNOWN in text:
            raise OperatorError(
                f"not everything can be guessed: write it to a file, replace {UNKNOWN}, and import that"
            )
        occasion = Occasion(SystemClock().now_ms())
        say(str(await store.import_document(parse_document(text, "the claim"), occasion=occasion)))
        say(f"{node} is registered. The service takes up what it sent within {LOOK_SECONDS:.0f} seconds.")


async def _directory(store: RegistryStore) -> Directory:
    await store.create_tables()
    return await store.load_directory()


async def _waiting(config: ServiceConfig, directory: Directory) -> list[WaitingNode]:
    async with Journal.open(config.data, read_only=True) as journal:
        return await waiting_nodes(journal, directory, ForeignDevices(config.foreign))

"""The commands on the registry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from app.config import ServiceConfig
from app.database import make_folder, open_database
from app.documents import read_documents
from domain.errors import OperatorError
from domain.instant import format_rfc3339
from domain.limits import ALWAYS_MS
from domain.places import Channel, LimitScope
from domain.suggest import allowed_words
from registry.history import LimitChange, Occasion, SharedLimitChange
from registry.in_force import Source, sources
from registry.store import RegistryStore


async def import_registry(
    config: ServiceConfig, source: Path, occasion: Occasion, *, say: Callable[[str], None]
) -> None:
    """Import a file or folder into the service's registry; a running service notices within seconds."""
    documents = read_documents(source)
    make_folder(config.data)
    async with open_database(config.database_url) as database:
        store = RegistryStore(database)
        await store.create_tables()
        say(str(await store.import_document(*documents, occasion=occasion)))


async def show_limits(config: ServiceConfig, channel: str, *, say: Callable[[str], None]) -> None:
    """Say what was ever said of a channel's limits, and where each limit of today comes from."""
    async with open_database(config.database_url) as database:
        store = RegistryStore(database)
        await store.create_tables()
        directory = await store.load_directory()
        known = directory.channels.get(channel)
        if known is None:
            allowed = allowed_words(channel, list(directory.channels))
            raise OperatorError(f"found channel {channel!r}; allowed: {allowed or 'none, for none is registered'}")
        for change in await store.limit_changes(channel) or [LimitChange(channel, ALWAYS_MS, known.limits, ALWAYS_MS)]:
            say(_line(known, change))
        shared = await store.shared_limit_changes()
        for name, source in sorted(sources(known, directory).items()):
            say(_today(known, name, source, shared))


def _line(channel: Channel, change: LimitChange) -> str:
    begin = "always" if change.valid_from_ms == ALWAYS_MS else f"from {format_rfc3339(change.valid_from_ms)}"
    limits = ", ".join(f"{name} {channel.quantity.format(value)}" for name, value in sorted(change.limits.items()))
    said = f"said {format_rfc3339(change.recorded_at_ms)}" if change.recorded_at_ms else ""
    return "  ".join(part for part in (begin, limits or "no limits", said, change.author, change.reason) if part)


def _today(channel: Channel, name: str, source: Source, shared: Mapping[LimitScope, SharedLimitChange]) -> str:
    value = f"no {name}" if source.value is None else f"{name} {channel.quantity.format(source.value)}"
    if source.scope is None:
        return f"today  {value}  channel"
    change = shared[source.scope]
    level = "facility" if source.scope.facility else "model" if source.scope.model else "kind"
    said = f"said {format_rfc3339(change.recorded_at_ms)}"
    parts = ("today", value, level, str(source.scope), said, change.author, change.reason)
    return "  ".join(part for part in parts if part)

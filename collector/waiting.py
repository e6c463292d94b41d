"""Nodes that nobody has registered yet: what an installer needs to see of them, and taking them up once they are.

What they send lies with the dead letters (``unknown_node``), whole and bounded by sender, and gets no receipt. When a
node, or a channel of a node, appears in the registry, its letters are replayed by themselves.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import NamedTuple

from collector.foreign.devices import ForeignDevices
from collector.journal.journal import Journal
from collector.journal.letters import Letter, LetterFilter
from collector.replaying import Replay, Replayed
from domain.directory import Directory
from domain.errors import VitalsError
from domain.reading import Sample
from domain.rejection import PayloadError, Reason
from domain.senml import decode
from domain.topics import is_node_name

log = logging.getLogger(__name__)

LOOKED_AT = 20
"""So many of a node's last letters are read for the channels in them."""
LOOK_SECONDS = 15.0
MOST_SHOWN = 1_000


class WaitingNode(NamedTuple):
    """A node that is not in the registry and sends."""

    node: str
    first_ms: int
    """Arrival of the oldest letter that is kept."""
    last_ms: int
    messages: int
    """How many are kept."""
    samples: tuple[Sample, ...]
    """The newest of each channel in its last letters, by name."""


class Waiting:
    """Looks who waits, and takes up those whose time has come."""

    def __init__(
        self,
        journal: Journal,
        replay: Replay,
        directory: Callable[[], Directory],
        foreign: ForeignDevices | None = None,
    ) -> None:
        self._journal, self._replay, self._directory = journal, replay, directory
        self._foreign = foreign or ForeignDevices()
        self._changed = asyncio.Event()
        self.count = 0
        """How many nodes wait, as of the last look."""

    def registry_changed(self) -> None:
        """Look soon who is known now."""
        self._changed.set()

    async def run(self) -> None:
        """Take up and count, until cancelled."""
        while True:
            try:
                await self.take_up()
            except VitalsError as error:
                log.warning("nodes that wait were not looked at; trying again: %s", error)
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._changed.wait()
            except TimeoutError:
                continue
            finally:
                self._changed.clear()

    async def take_up(self) -> Replayed:
        """Replay the letters of nodes and of channels that are registered by now; return what came of it."""
        total = Replayed()
        groups = await self._journal.letter_groups(LetterFilter(Reason.UNKNOWN_NODE))
        nodes = self._directory().nodes
        for group in groups:
            if group.node in nodes:
                _add(total, await self._replay.run(LetterFilter(Reason.UNKNOWN_NODE, group.node)))
        for group in await self._journal.letter_groups(LetterFilter(Reason.UNKNOWN_CHANNEL)):
            if group.node in nodes:
                wanted = LetterFilter(Reason.UNKNOWN_CHANNEL, group.node)
                _add(total, await self._replay.run(wanted, only=self._names_a_channel))
        self.count = sum(group.node not in self._directory().nodes for group in groups)
        if total.letters:
            log.info("took up %d letters of nodes and channels registered since: %s", total.letters, total)
        return total

    def _names_a_channel(self, letter: Letter) -> bool:
        known = self._directory().channels_of_node(letter.rejected.node or "") or {}
        return any(sample.name in known for sample in samples_of(letter, self._foreign))

    async def nodes(self) -> list[WaitingNode]:
        """Return who waits, the last heard first."""
        return await waiting_nodes(self._journal, self._directory(), self._foreign)


async def waiting_nodes(journal: Journal, directory: Directory, foreign: ForeignDevices) -> list[WaitingNode]:
    """Return who sends and is not in the registry, the last heard first."""
    found: list[WaitingNode] = []
    groups = await journal.letter_groups(LetterFilter(Reason.UNKNOWN_NODE))
    for group in sorted(groups, key=lambda group: -group.last_ms)[:MOST_SHOWN]:
        if group.node is not None and group.node not in directory.nodes and is_node_name(group.node):
            wanted = LetterFilter(Reason.UNKNOWN_NODE, group.node)
            samples = newest_samples(await journal.letters(wanted, limit=LOOKED_AT, newest_first=True), foreign)
            found.append(WaitingNode(group.node, group.first_ms, group.last_ms, group.letters, samples))
    return found


def newest_samples(letters: Sequence[Letter], foreign: ForeignDevices) -> tuple[Sample, ...]:
    """Return the newest sample of each channel that the letters speak of, by name."""
    newest: dict[str, Sample] = {}
    for sample in (each for letter in letters for each in samples_of(letter, foreign)):
        known = newest.get(sample.name)
        if known is None or sample.measured_at_ms > known.measured_at_ms:
            newest[sample.name] = sample
    return tuple(newest[name] for name in sorted(newest))


def samples_of(letter: Letter, foreign: ForeignDevices) -> Sequence[Sample]:
    """Return what a letter measures of its node; nothing where it cannot be read."""
    refused, node = letter.rejected, letter.rejected.node or ""
    if foreign.listens_to(refused.topic):
        return foreign.samples(refused.topic, refused.payload, refused.received_at_ms, node)
    try:
        return decode(refused.payload, node=node, now_ms=refused.received_at_ms).batch.samples
    except PayloadError:
        return ()


def _add(total: Replayed, more: Replayed) -> None:
    total.letters += more.letters
    total.readings += more.readings
    total.refused.update(more.refused)
    total.left += more.left

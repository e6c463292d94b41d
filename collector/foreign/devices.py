"""The configured adapters: which reads a topic, and what becomes of what it reads."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from collector.decode import reject
from collector.foreign.settings import ForeignSettings
from collector.foreign.topics import matches
from collector.lanes import Message
from collector.settings import PipelineSettings
from collector.validate import validate
from domain.directory import Directory
from domain.reading import Batch, Reading, Sample
from domain.rejection import PayloadError, Reason, Rejected
from domain.topics import ROOT

_REMEMBERED_TOPICS = 4_096


class ForeignReadings(NamedTuple):
    """What one message of foreign devices brought."""

    heard: list[str]
    """Registered nodes that it speaks of."""
    readings: list[Reading]
    rejected: list[Rejected]
    passed_over: int
    """Samples of registered nodes under names that the registry does not list."""


class ForeignDevices:
    """Finds the adapter of a topic, from the topic alone, and reads messages with it."""

    def __init__(self, configured: Sequence[ForeignSettings] = ()) -> None:
        self._configured = configured
        self.find = lru_cache(_REMEMBERED_TOPICS)(self._find)
        """Return the first that listens to a topic; None for Vitals's own topics and those nobody listens to."""

    @property
    def filters(self) -> tuple[str, ...]:
        """Return every topic filter to subscribe to, each once."""
        return tuple(dict.fromkeys(f for each in self._configured for f in each.filters))

    def listens_to(self, topic: str) -> bool:
        """Tell whether anybody reads this topic."""
        return self.find(topic) is not None

    def _find(self, topic: str) -> ForeignSettings | None:
        if topic.startswith(f"{ROOT}/"):
            return None
        return next((each for each in self._configured if any(matches(f, topic) for f in each.filters)), None)

    def read(
        self, message: Message, by: ForeignSettings, directory: Directory, settings: PipelineSettings
    ) -> ForeignReadings:
        """Return the readings of a message, and what is refused of it; raise ``PayloadError`` as the adapter does.

        A retained message brings nothing: its first copy has come already, and nobody can say when it was measured.
        Refused samples are kept with the message as a whole, so that it can be read again as it came.
        """
        if message.retained:
            return ForeignReadings([], [], [], 0)
        received_at_ms = message.received_at_ms
        batches = by.adapted.read(message.topic, message.payload, message.came_at_ms, zone=by.timezone)
        _check_count(batches, settings)
        found = ForeignReadings([], [], [], 0)
        for batch in batches:
            listed, passed_over = _listed(batch, directory)
            accepted = validate(listed, directory, now_ms=received_at_ms, settings=settings.validation)
            if batch.node in directory.nodes:
                found.heard.append(batch.node)
            found.readings.extend(accepted.readings)
            found.rejected.extend(
                reject(message, refusal.reason, refusal.detail, node=batch.node, kept=message.payload)
                for refusal in accepted.rejected
            )
            found = found._replace(passed_over=found.passed_over + passed_over)
        return found

    def samples(self, topic: str, payload: bytes, came_at_ms: int, node: str) -> tuple[Sample, ...]:
        """Return what a message measures of one device; nothing where nobody reads it."""
        by = self.find(topic)
        if by is None:
            return ()
        try:
            batches = by.adapted.read(topic, payload, came_at_ms, zone=by.timezone)
        except PayloadError:
            return ()
        return tuple(sample for batch in batches if batch.node == node for sample in batch.samples)


def _check_count(batches: Sequence[Batch], settings: PipelineSettings) -> None:
    count = sum(len(batch.samples) for batch in batches)
    if count > settings.max_records:
        raise PayloadError(Reason.TOO_LARGE, f"found {count} values; allowed: {settings.max_records} a payload")


def _listed(batch: Batch, directory: Directory) -> tuple[Batch, int]:
    """Return the batch with the samples that the registry lists, and how many it does not."""
    channels = directory.channels_of_node(batch.node)
    if channels is None:
        return batch, 0
    samples = tuple(sample for sample in batch.samples if sample.name in channels)
    return batch._replace(samples=samples), len(batch.samples) - len(samples)

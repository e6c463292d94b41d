"""Readings that were measured lately, kept to be sent again if the centre loses what it confirmed.

Packed and deflated they take about 5 bytes each, in one file a day, oldest days dropped first. This is a convenience
and no promise: it is written in blocks, without waiting for the disk, so a power cut costs the last minutes of it.
What nobody has confirmed yet is in the outbox, too, and that is a promise.
"""

from __future__ import annotations

import logging
import struct
import threading
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from math import ceil
from pathlib import Path

from domain.instant import DAY_MS, format_rfc3339
from domain.reading import Batch, Sample
from domain.rejection import PayloadError
from domain.senml import WireFormat, decode, encode

logger = logging.getLogger(__name__)

BLOCK_READINGS = 200
_LENGTH = struct.Struct(">I")
_SUFFIX = ".readings"


class History:
    """A folder of days; every method blocks on the disk and may be called from any thread."""

    def __init__(self, folder: Path, node: str, *, keep: timedelta, max_bytes: int) -> None:
        """``max_bytes`` may be passed by the size of one block."""
        self._folder = folder
        self._node = node
        self._most_days = ceil(keep / timedelta(days=1)) + 1
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._block: list[Sample] = []
        self._whole: set[Path] = set()
        """Files whose end is known not to be torn."""

    def add(self, samples: Iterable[Sample]) -> None:
        """Keep these readings; raises ``OSError``, and then those of the last block are not kept."""
        with self._lock:
            self._block += samples
            if len(self._block) >= BLOCK_READINGS:
                self._flush()

    def close(self) -> None:
        """Write what is not written yet; raises ``OSError``."""
        with self._lock:
            self._flush()

    def between(self, from_ms: int, to_ms: int) -> Iterator[list[Sample]]:
        """Yield the readings from the first moment up to, and without, the second, oldest day first.

        Raises ``OSError``.
        """
        with self._lock:
            self._flush()
            files = self._files()
        wanted = [each for each in files if _day(from_ms) <= each.stem <= _day(to_ms)]
        for path in wanted:
            for payload in _blocks(path):
                samples = decode(payload, node=self._node, now_ms=0).batch.samples
                found = [sample for sample in samples if from_ms <= sample.measured_at_ms < to_ms]
                if found:
                    yield found

    def _flush(self) -> None:
        block, self._block = self._block, []
        by_day: dict[str, list[Sample]] = {}
        for sample in block:
            by_day.setdefault(_day(sample.measured_at_ms), []).append(sample)
        for day, samples in by_day.items():
            self._append(self._folder / f"{day}{_SUFFIX}", samples)
        if by_day:
            self._drop_oldest()

    def _append(self, path: Path, samples: Sequence[Sample]) -> None:
        payload = encode(Batch(self._node, None, None, tuple(samples)), format=WireFormat.CBOR, deflate=True)
        self._folder.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            if path not in self._whole:
                file.truncate(sum(_LENGTH.size + len(each) for each in _blocks(path)))
                self._whole.add(path)
            file.write(_LENGTH.pack(len(payload)) + payload)

    def _drop_oldest(self) -> None:
        files = self._files()
        sizes = {path: path.stat().st_size for path in files}
        while len(files) > 1 and (len(files) > self._most_days or sum(sizes[path] for path in files) > self._max_bytes):
            self._whole.discard(files[0])
            files.pop(0).unlink()

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob(f"*{_SUFFIX}"))


def _blocks(path: Path) -> Iterator[bytes]:
    """Yield the payloads of a file up to where it is torn or damaged."""
    with path.open("rb") as file:
        while len(head := file.read(_LENGTH.size)) == _LENGTH.size:
            payload = file.read(_LENGTH.unpack(head)[0])
            if len(payload) < _LENGTH.unpack(head)[0] or not _is_whole(payload):
                logger.warning("%s is torn; what follows is not read", path)
                return
            yield payload


def _is_whole(payload: bytes) -> bool:
    try:
        decode(payload, node="", now_ms=0)
    except PayloadError:
        return False
    return True


def _day(moment_ms: int) -> str:
    return format_rfc3339(moment_ms - moment_ms % DAY_MS)[:10]

"""What keeping a reading costs a node: bytes on the flash, size after a month offline, memory, speed.

A round is 20 channels once a minute. Bytes are counted where the kernel counts them: pages that this process made
dirty (``/proc/self/io``, write_bytes), and, as root, sectors that reach a block device of its own with ext4 on it
(a loop device), the file system's journal included. The bare counterpart is the obvious table: one row a reading with
an index of what is unsent, the same pragmas, the same rounds.
"""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from benchmarks.figure import Better, Figure
from domain.instant import DAY_MS, MINUTE_MS
from domain.reading import Sample
from edge.keeping_settings import KeepSettings
from edge.outbox import Outbox

CHANNELS = 20
WINDOW = 8
MONTH_ROUNDS = 30 * DAY_MS // MINUTE_MS
START_MS = 1_763_640_000_000
MEGABYTE = 1_000_000
_DISK_BYTES = 128 * MEGABYTE
_SECTOR_BYTES = 512
_REOPEN = """
import sys, time
from pathlib import Path
import edge.publisher
def memory():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS"))
before, started = memory(), time.perf_counter()
box = edge.outbox.Outbox.open(Path(sys.argv[1]))
seconds = time.perf_counter() - started
for batch in box.next_batches(int(sys.argv[2]), 8):
    box.samples(batch.seq)
print(seconds, memory() - before, memory())
"""


def measure(quick: bool) -> Iterator[Figure]:
    """Yield the figures of the outbox."""
    rounds = 1_000 if quick else 5_000
    with tempfile.TemporaryDirectory(prefix="vitals-bench-") as name:
        yield from _wear(Path(name), rounds, _dirtied_bytes, "pages dirtied, /proc/self/io")
        yield from _month(Path(name), MONTH_ROUNDS // 10 if quick else MONTH_ROUNDS)
    with _own_disk() as disk:
        if disk is not None:
            folder, written = disk
            yield from _wear(folder, rounds, written, "sectors to a loop device with ext4, journal included")


def _wear(folder: Path, rounds: int, count: Callable[[], int], method: str) -> Iterator[Figure]:
    bare = _written(count, lambda: _plain(folder / "plain.sqlite", rounds)) / rounds / CHANNELS
    box = Outbox.open(folder / "wear.sqlite", keep=KeepSettings(leave_free_bytes=0))
    offline = _written(count, lambda: _offline(box, 0, rounds)) / rounds / CHANNELS
    _drain(box, START_MS + rounds * MINUTE_MS)
    online = _written(count, lambda: _online(box, rounds, rounds)) / rounds / CHANNELS
    box.close()
    for state, ours in (("offline", offline), ("online, receipted at once", online)):
        note = f"{method}; rounds of {CHANNELS}; baseline: a row a reading, never sent"
        yield Figure(f"bytes written a reading, {state}", "bytes", ours, bare, better=Better.LOWER, note=note)


def _month(folder: Path, rounds: int) -> Iterator[Figure]:
    path = folder / "month.sqlite"
    box = Outbox.open(path)
    started_s = time.perf_counter()
    _offline(box, 0, rounds)
    put_ms = (time.perf_counter() - started_s) / rounds * 1000
    box.close()
    scale = MONTH_ROUNDS / rounds
    size = path.stat().st_size * scale / MEGABYTE
    note = f"{rounds * CHANNELS} readings" + (", scaled up" if scale > 1 else "")
    yield Figure("30 days offline, 20 channels a minute", "MB", size, target=200.0, better=Better.LOWER, note=note)
    yield Figure("put of a round, durable", "ms", put_ms, better=Better.LOWER, note=f"{CHANNELS} readings, one fsync")
    now_ms = START_MS + rounds * MINUTE_MS
    asked = subprocess.run(
        [sys.executable, "-c", _REOPEN, str(path), str(now_ms)], capture_output=True, text=True, check=True
    )
    seconds, more, resident = (float(word) for word in asked.stdout.split())
    yield Figure("opening that outbox after a power cut", "s", seconds, target=3.0, better=Better.LOWER, note=note)
    note = f"publisher and outbox; the outbox alone {more / MEGABYTE:.1f} MB"
    yield Figure("memory with that outbox open", "MB", resident / MEGABYTE, target=60.0, better=Better.LOWER, note=note)
    box = Outbox.open(path)
    readings, started_s = box.depth(), time.perf_counter()
    _drain(box, now_ms)
    rate = readings / (time.perf_counter() - started_s)
    box.close()
    yield Figure("draining it", "readings/s", rate, target=500.0, note="formed, read and deleted, no network")


def _rounds(first: int, count: int) -> Iterator[list[Sample]]:
    chance = random.Random(1)
    for number in range(first, first + count):
        at_ms = START_MS + number * MINUTE_MS
        yield [
            Sample(f"fridge-{c}/temperature", at_ms + 40 * c, round(chance.uniform(2, 8), 2), unit="Cel")
            for c in range(CHANNELS)
        ]


def _offline(box: Outbox, first: int, count: int) -> None:
    for samples in _rounds(first, count):
        box.put(samples)


def _online(box: Outbox, first: int, count: int) -> None:
    for samples in _rounds(first, count):
        box.put(samples)
        _receipt(box, samples[-1].measured_at_ms)


def _receipt(box: Outbox, now_ms: int) -> int:
    batches = box.next_batches(now_ms, WINDOW)
    for batch in batches:
        box.samples(batch.seq)
    return box.receipt(box.epoch, [(batch.seq, batch.seq) for batch in batches])


def _drain(box: Outbox, now_ms: int) -> None:
    while _receipt(box, now_ms):
        pass


def _plain(path: Path, count: int) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
            "CREATE TABLE reading(id INTEGER PRIMARY KEY, channel TEXT, at_ms INTEGER, value REAL, batch INTEGER);"
            "CREATE INDEX waiting ON reading(at_ms) WHERE batch IS NULL;"
        )
        for samples in _rounds(0, count):
            connection.execute("BEGIN")
            connection.executemany(
                "INSERT INTO reading(channel, at_ms, value) VALUES (?, ?, ?)",
                [(sample.name, sample.measured_at_ms, sample.value) for sample in samples],
            )
            connection.execute("COMMIT")


def _written(count: Callable[[], int], work: Callable[[], None]) -> int:
    before = count()
    work()
    return count() - before


def _dirtied_bytes() -> int:
    lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("write_bytes"))


@contextmanager
def _own_disk() -> Iterator[tuple[Path, Callable[[], int]] | None]:
    """Give a folder on a disk of its own and what counts the bytes that reach it; None where that needs more rights."""
    tools = [shutil.which(tool, path="/usr/sbin:/sbin:/usr/bin:/bin") for tool in ("mkfs.ext4", "mount", "umount")]
    if os.geteuid() != 0 or None in tools:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="vitals-disk-") as name:
        image, folder = Path(name) / "image", Path(name) / "disk"
        folder.mkdir()
        with image.open("wb") as file:
            file.truncate(_DISK_BYTES)
        mkfs, mount, umount = (str(tool) for tool in tools)
        if not _succeeds([mkfs, "-q", str(image)]) or not _succeeds([mount, "-o", "loop", str(image), str(folder)]):
            yield None
            return
        try:
            statistics = _statistics_of(folder)
            yield folder, lambda: _sectors(statistics) * _SECTOR_BYTES
        finally:
            _succeeds([umount, str(folder)])


def _succeeds(command: Sequence[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _statistics_of(folder: Path) -> Path:
    device = folder.stat().st_dev
    return Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}/stat")


def _sectors(statistics: Path) -> int:
    os.sync()
    return int(statistics.read_text(encoding="ascii").split()[6])

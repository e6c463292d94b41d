"""A node on a disk that others fill, in a process of its own: ``python -m tests.system.full_disk STORY FOLDER``.

Prints what it found as one JSON object. For the story ``crowded`` FOLDER is a small file system of its own.
"""

from __future__ import annotations

import json
import resource
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from domain.reading import Sample
from edge.keeping_settings import KeepSettings
from edge.outbox import CannotKeepError, Outbox
from edge.outbox_room import reserve_of

START_MS = 1_763_640_000_000
CHANNELS = 20
KEEP = KeepSettings(leave_free_bytes=0)


def rounds(first: int, count: int) -> Iterator[list[Sample]]:
    """Yield rounds of readings, one a minute, each reading with a value of its own."""
    for number in range(first, first + count):
        at_ms = START_MS + number * 60_000
        yield [Sample(f"c{c}", at_ms, number * 7919 % 10_007 + c / 100) for c in range(CHANNELS)]


def put_all(box: Outbox, first: int, count: int) -> tuple[list[Sample], int]:
    """Put rounds; return what was accepted, and how many rounds were refused."""
    accepted: list[Sample] = []
    refused = 0
    for samples in rounds(first, count):
        try:
            box.put(samples)
        except CannotKeepError:
            refused += 1
        else:
            accepted += samples
    return accepted, refused


def fill(folder: Path) -> Path:
    """Write until nothing more fits, as a log file does."""
    path = folder / "somebody-elses.log"
    block = bytes(65_536)
    for size in (len(block), 4096, 512, 1):
        try:
            with path.open("ab", buffering=0) as file:
                while file.write(block[:size]) == size:
                    pass
        except OSError:
            continue
    return path


def drained(box: Outbox) -> set[Sample]:
    """Return everything that waits, and receipt it."""
    found: set[Sample] = set()
    while batches := box.next_batches(START_MS + 10**12, 8):
        for batch in batches:
            found.update(box.samples(batch.seq))
        box.receipt(box.epoch, [(batch.seq, batch.seq) for batch in batches])
    return found


def extremes(samples: set[Sample]) -> dict[str, tuple[float, float]]:
    """Return the lowest and the highest value of each channel."""
    values: dict[str, list[float]] = {}
    for sample in samples:
        values.setdefault(sample.name, []).append(sample.value or 0.0)
    return {name: (min(found), max(found)) for name, found in values.items()}


def crowded(folder: Path) -> dict[str, object]:
    """Fill the disk around an outbox, go on measuring, restart on the full disk, and look what is left."""
    path = folder / "outbox.sqlite"
    box = Outbox.open(path, keep=KEEP)
    parts = [put_all(box, 0, 2_000)]
    filler = fill(folder)
    free_bytes = shutil.disk_usage(folder).free
    parts.append(put_all(box, 2_000, 500))
    fill(folder)  # what the outbox held in reserve is taken as well
    parts.append(put_all(box, 2_500, 6_000))
    box.close()
    box = Outbox.open(path, keep=KEEP)
    filler.unlink()
    parts.append(put_all(box, 8_500, 10))
    report = report_of(box, parts)
    return report | {"free_when_full": free_bytes, "reserve_held_again": reserve_of(path).exists()}


def limited(folder: Path) -> dict[str, object]:
    """Go on measuring where no file may grow beyond a quota."""
    box = Outbox.open(folder / "outbox.sqlite", keep=KEEP)
    parts = [put_all(box, 0, 2_000)]
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, hard))
    parts.append(put_all(box, 2_000, 1_900))
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    parts.append(put_all(box, 3_900, 10))
    return report_of(box, parts)


def report_of(box: Outbox, parts: Sequence[tuple[list[Sample], int]]) -> dict[str, object]:
    """Compare what was accepted with what is left, and close the outbox."""
    thinned, dropped = box.thinned(), box.dropped()
    left = drained(box)
    box.close()
    accepted = {sample for samples, _ in parts for sample in samples}
    return {
        "refused": [refused for _, refused in parts],
        "accepted": len(accepted),
        "left": len(left),
        "thinned": thinned,
        "dropped": dropped,
        "left_was_accepted": left <= accepted,
        "last_round_left": set(parts[-1][0]) <= left,
        "extremes_left": extremes(left) == extremes(accepted),
    }


if __name__ == "__main__":
    story = {"crowded": crowded, "limited": limited}[sys.argv[1]]
    print(json.dumps(story(Path(sys.argv[2]))))  # noqa: T201 - tells the test

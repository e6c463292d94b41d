"""The outbox after a pulled plug: torn write-ahead logs, half-written files, killed writers."""

import random
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from domain.reading import Sample
from edge.outbox import Outbox

NOW_MS = 1_763_640_000_000
REPOSITORY = Path(__file__).parents[2]


def put_one(box: Outbox, number: int) -> None:
    """Put one reading that can be told from all others."""
    box.put([Sample("counter", NOW_MS + number, float(number))])


def numbers(box: Outbox) -> list[float]:
    """Return the values of everything in the outbox."""
    found = []
    while batches := box.next_batches(NOW_MS, 2):
        for batch in batches:
            found += [sample.value for sample in box.samples(batch.seq) if sample.value is not None]
            box.receipt(box.epoch, [(batch.seq, batch.seq)])
    return sorted(found)


def test_a_log_torn_anywhere_opens_with_all_that_came_before(tmp_path: Path) -> None:
    """Wherever the write-ahead log ends, what was durable before its last transaction is there."""
    path = tmp_path / "outbox.sqlite"
    box = Outbox.open(path)
    for number in range(5):
        put_one(box, number)
    log = path.with_name("outbox.sqlite-wal")
    whole_before = log.stat().st_size
    put_one(box, 5)
    torn = tmp_path / "torn" / "outbox.sqlite"
    torn.parent.mkdir()
    whole = log.read_bytes()
    for length in range(whole_before, len(whole) + 1, 97):
        shutil.copy(path, torn)
        torn.with_name("outbox.sqlite-wal").write_bytes(whole[:length])
        torn.with_name("outbox.sqlite-shm").unlink(missing_ok=True)
        copy = Outbox.open(torn)
        expected = [0.0, 1.0, 2.0, 3.0, 4.0] + [5.0] * (length == len(whole))
        assert (numbers(copy), copy.epoch) == (expected, box.epoch)
        copy.close()
    box.close()


@pytest.mark.parametrize("kept", [0, 1, 50, 100, 4095, 4096, 9000, 20_000, 40_000])
def test_a_half_written_file_opens(tmp_path: Path, kept: int) -> None:
    """A file cut short is set aside, what can be read of it is carried over, and the node goes on."""
    path = tmp_path / "outbox.sqlite"
    box = Outbox.open(path)
    box.put([Sample("counter", NOW_MS + number, float(number)) for number in range(2000)])
    box.close()
    path.write_bytes(path.read_bytes()[:kept])
    box = Outbox.open(path)
    put_one(box, 5000)
    found = numbers(box)
    box.close()
    assert found[-1] == 5000.0
    assert set(found) <= {float(number) for number in range(2000)} | {5000.0}


def test_a_damaged_page_costs_only_what_stood_on_it(tmp_path: Path) -> None:
    """Readings before and after the damage are saved, and the damaged file is kept for inspection."""
    path = tmp_path / "outbox.sqlite"
    box = Outbox.open(path)
    for start in range(0, 20_000, 1000):
        box.put([Sample("counter", NOW_MS + number, float(number)) for number in range(start, start + 1000)])
    old_epoch = box.epoch
    box.close()
    with sqlite3.connect(path) as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        page_bytes = connection.execute("PRAGMA page_size").fetchone()[0]
    connection.close()
    content = bytearray(path.read_bytes())
    middle = pages // 2 * page_bytes
    content[middle : middle + page_bytes] = bytes(page_bytes)
    path.write_bytes(content)
    box = Outbox.open(path)
    assert box.depth() > 10_000
    assert box.epoch != old_epoch
    assert (tmp_path / "outbox.sqlite.damaged-1").exists()
    box.close()


def test_what_is_no_database_is_set_aside(tmp_path: Path) -> None:
    """Somebody else's file is never overwritten."""
    path = tmp_path / "outbox.sqlite"
    path.write_bytes(b"not a database at all" * 1000)
    box = Outbox.open(path)
    put_one(box, 1)
    assert numbers(box) == [1.0]
    box.close()
    assert (tmp_path / "outbox.sqlite.damaged-1").read_bytes() == b"not a database at all" * 1000


WRITER = """
import sys
from pathlib import Path
from domain.reading import Sample
from edge.outbox import Outbox
box = Outbox.open(Path(sys.argv[1]))
for number in range(int(sys.argv[2]), 10**9):
    box.put([Sample("counter", 1_763_640_000_000 + number, float(number))])
    print(number, flush=True)
"""


def test_everything_put_survives_kill_9(tmp_path: Path) -> None:
    """Writers killed at random moments leave behind all that ``put`` returned for, and perhaps one more."""
    path = tmp_path / "outbox.sqlite"
    chance = random.Random(20)
    next_number = 0
    for _ in range(6):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), str(next_number)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=REPOSITORY,
        )
        assert writer.stdout is not None
        for _ in range(chance.randint(1, 60)):
            writer.stdout.readline()
        writer.send_signal(signal.SIGKILL)
        said = writer.stdout.read().split()  # what it said between the last line read and its end
        writer.wait()
        writer.stdout.close()
        box = Outbox.open(path)
        depth = box.depth()
        box.close()
        next_number = depth
        if said and said[-1].isdigit():
            assert depth >= int(said[-1]) + 1
    box = Outbox.open(path)
    assert numbers(box) == [float(number) for number in range(next_number)]
    box.close()

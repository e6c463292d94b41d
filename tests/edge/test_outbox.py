"""The outbox: what was put stays until it is receipted, in batches that never change."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import OperatorError
from domain.reading import Quality, Sample
from domain.topics import UpLane
from edge.outbox import Outbox

NOW_MS = 1_763_640_000_000
MINUTE_MS = 60_000
WINDOW = 8


def sample(minutes_ago: float, name: str = "fridge", value: float | None = 4.5) -> Sample:
    """Return a reading of so many minutes ago."""
    return Sample(name, NOW_MS - int(minutes_ago * MINUTE_MS), value)


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    """Return a new outbox that forms batches of three and calls ten minutes live."""
    box = Outbox.open(tmp_path / "outbox.sqlite", batch_readings=3, live_for_ms=10 * MINUTE_MS)
    yield box
    box.close()


def contents(box: Outbox, lane: UpLane, window: int = WINDOW) -> list[list[float]]:
    """Return for each batch of a lane, in the order of sending, how many minutes ago its readings were made."""
    return [
        [(NOW_MS - each.measured_at_ms) / MINUTE_MS for each in box.samples(batch.seq)]
        for batch in box.next_batches(NOW_MS, window)
        if batch.lane is lane
    ]


def test_every_field_of_a_reading_comes_back(outbox: Outbox) -> None:
    """Values are exact, and a missing value keeps its reason."""
    readings = (
        Sample("a", NOW_MS - 1, 0.1 + 0.2, Quality.UNCERTAIN, "Cel"),
        Sample("a", NOW_MS, None, Quality.SENSOR_GONE),
        Sample("b", NOW_MS, -0.0, Quality.GOOD, "V"),
    )
    outbox.put(readings)
    (batch,) = outbox.next_batches(NOW_MS, WINDOW)
    assert outbox.samples(batch.seq) == readings


def test_live_goes_newest_first_and_backfill_oldest_first(outbox: Outbox) -> None:
    """After an outage the newest readings lead, and history follows in its order."""
    for age in range(20, -1, -1):
        outbox.put([sample(age)])
    assert contents(outbox, UpLane.LIVE) == [[2, 1, 0], [5, 4, 3], [8, 7, 6], [10, 9]]
    assert contents(outbox, UpLane.BACKFILL) == [[20, 19, 18], [17, 16, 15], [14, 13, 12], [11]]


def test_a_fresh_reading_overtakes_batches_that_grew_old(outbox: Outbox) -> None:
    """What was live before an outage is history after it, and holds up nothing."""
    outbox.put([sample(age) for age in range(3000, 2900, -1)])
    old = outbox.next_batches(NOW_MS - 2895 * MINUTE_MS, WINDOW)
    assert {batch.lane for batch in old} == {UpLane.LIVE, UpLane.BACKFILL}
    outbox.put([sample(0)])
    first = outbox.next_batches(NOW_MS, WINDOW)[0]
    assert first.lane is UpLane.LIVE
    assert outbox.samples(first.seq) == (sample(0),)


def test_old_readings_that_come_later_do_not_hide_live_ones(outbox: Outbox) -> None:
    """Whoever puts yesterday once more does not delay today."""
    outbox.put([sample(1)])
    for age in range(1500, 1490, -1):
        outbox.put([sample(age)])
    assert contents(outbox, UpLane.LIVE) == [[1]]


@pytest.mark.parametrize("window", [2, 3, 8])
def test_the_window_bounds_what_is_under_way(outbox: Outbox, window: int) -> None:
    """Neither lane takes the other's room, and asking again forms nothing new."""
    outbox.put([sample(age / 10) for age in range(300)])
    batches = outbox.next_batches(NOW_MS, window)
    assert len(batches) == window
    assert outbox.next_batches(NOW_MS, window) == batches


def test_a_receipt_deletes_what_it_names_and_makes_room(outbox: Outbox) -> None:
    """Receipts are selective: batches between the named ones stay."""
    outbox.put([sample(age) for age in range(12)])
    batches = outbox.next_batches(NOW_MS, WINDOW)
    first, kept, last = (batch.seq for batch in batches[:3])
    kept_samples = outbox.samples(kept)
    assert outbox.receipt(outbox.epoch, [(first, first), (last, last)]) == 6
    assert outbox.depth() == 6
    assert outbox.samples(first) == ()
    assert outbox.samples(kept) == kept_samples


def test_a_receipt_twice_changes_nothing_more(outbox: Outbox) -> None:
    """Receipts are idempotent."""
    outbox.put([sample(0)])
    (batch,) = outbox.next_batches(NOW_MS, WINDOW)
    assert outbox.receipt(outbox.epoch, [(batch.seq, batch.seq)]) == 1
    assert outbox.receipt(outbox.epoch, [(batch.seq, batch.seq)]) == 0


def test_another_lifes_receipt_is_ignored(outbox: Outbox) -> None:
    """A receipt that names another epoch speaks of other batches, whatever its numbers."""
    outbox.put([sample(0)])
    outbox.next_batches(NOW_MS, WINDOW)
    assert outbox.receipt("00000000", [(0, 2**53 - 1)]) == 0
    assert outbox.depth() == 1


def test_a_receipt_never_reaches_what_was_not_sent(outbox: Outbox) -> None:
    """Readings without a batch number are out of any receipt's reach."""
    outbox.put([sample(0)])
    assert outbox.receipt(outbox.epoch, [(0, 2**53 - 1)]) == 0
    assert outbox.depth() == 1


def test_batches_survive_a_restart_unchanged(tmp_path: Path) -> None:
    """Numbers, contents and epoch are the file's; new numbers come after all old ones."""
    path = tmp_path / "outbox.sqlite"
    box = Outbox.open(path)
    box.put([sample(age) for age in range(30)])
    before = {batch.seq: box.samples(batch.seq) for batch in box.next_batches(NOW_MS, WINDOW)}
    epoch = box.epoch
    box.close()
    box = Outbox.open(path)
    box.put([sample(0.5)])
    after = {batch.seq: box.samples(batch.seq) for batch in box.next_batches(NOW_MS, WINDOW)}
    box.close()
    assert box.epoch == epoch
    assert before.items() <= after.items()
    assert min(after.keys() - before.keys()) > max(before)


def test_a_new_file_is_a_new_life(tmp_path: Path) -> None:
    """Two files never share an identity, although both count from the start."""
    boxes = [Outbox.open(tmp_path / name) for name in ("a.sqlite", "b.sqlite")]
    assert boxes[0].epoch != boxes[1].epoch
    for box in boxes:
        box.close()


def test_the_epoch_comes_from_the_given_source(tmp_path: Path) -> None:
    """Randomness is a parameter."""
    box = Outbox.open(tmp_path / "outbox.sqlite", new_epoch=lambda: "1f0c9a77")
    box.close()
    assert box.epoch == "1f0c9a77"


def test_a_moment_that_no_message_can_carry_is_refused(outbox: Outbox) -> None:
    """A clock that was not set must not end as a time relative to now; nothing of the group is kept."""
    with pytest.raises(ValueError, match="clock was not set"):
        outbox.put([sample(0), Sample("a", 12_000, 1.0)])
    assert outbox.depth() == 0


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """The error names the file and is the operator's."""
    (tmp_path / "file").write_text("")
    with pytest.raises(OperatorError, match=r"outbox\.sqlite"):
        Outbox.open(tmp_path / "file" / "outbox.sqlite")


steps = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.lists(st.integers(0, 40), min_size=1, max_size=5)),
        st.tuples(st.just("receipt"), st.lists(st.integers(0, 7), max_size=4)),
        st.tuples(st.just("restart"), st.just([])),
    ),
    max_size=12,
)


@settings(max_examples=40, deadline=None)
@given(steps=steps)
def test_no_order_of_events_loses_or_changes_a_reading(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, list[int]]]
) -> None:
    """Puts, receipts of any batches and restarts: what is put and not receipted is there, each batch as it was."""
    path = tmp_path_factory.mktemp("outbox") / "outbox.sqlite"
    box = Outbox.open(path, batch_readings=3)
    put = receipted = 0
    known: dict[int, tuple[Sample, ...]] = {}
    for step, arguments in steps:
        if step == "put":
            box.put([sample(age) for age in arguments])
            put += len(arguments)
        elif step == "restart":
            box.close()
            box = Outbox.open(path, batch_readings=3)
        batches = box.next_batches(NOW_MS, WINDOW)
        for batch in batches:
            assert known.setdefault(batch.seq, box.samples(batch.seq)) == box.samples(batch.seq)
        if step == "receipt":
            chosen = [batches[index].seq for index in arguments if index < len(batches)]
            receipted += box.receipt(box.epoch, [(seq, seq) for seq in chosen])
        assert box.depth() == put - receipted
    box.close()

"""Clocks that are wrong, step and start in 1970: every reading gets its true time, or is marked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.instant import HOUR_MS, MINUTE_MS
from domain.reading import Batch, Quality, Sample
from domain.senml import WireFormat, decode, encode
from edge.outbox import Outbox
from edge.timekeeper import Timekeeper
from tests.edge.machines import TRUE_START_MS, YEAR_MS, FakeMachine


class Node:
    """A node without drivers: it measures the true time itself, so that every reading says when it was made."""

    def __init__(self, path: Path, machine: FakeMachine) -> None:
        self.path, self.machine = path, machine
        self.start()

    def start(self) -> None:
        """Start the process."""
        self.timekeeper = Timekeeper(self.machine)
        self.outbox = Outbox.open(self.path, batch_readings=10, timeline=self.timekeeper.timeline)
        self.timekeeper.look(self.outbox)

    def restart(self) -> None:
        """End the process and start it again."""
        self.outbox.close()
        self.start()

    def measure(self, rounds: int = 1, *, step_ms: int = MINUTE_MS) -> None:
        """Make readings, one after each step; the clock may be put right before each."""
        for _ in range(rounds):
            self.machine.pass_ms(step_ms)
            since = self.timekeeper.mark()
            samples = [Sample("truth", self.timekeeper.now_ms(), float(self.machine.true_ms))]
            self.timekeeper.look(self.outbox)
            self.outbox.put(self.timekeeper.since_start(samples, since))

    def delivered(self, *, receipt: bool = True) -> list[Sample]:
        """Return what a collector with a good clock makes of everything that the node sends now."""
        found: list[Sample] = []
        while batches := self.outbox.next_batches(self.machine.elapsed_ms(), 8):
            for batch in batches:
                samples = self.outbox.samples(batch.seq, self.machine.elapsed_ms())
                payload = encode(Batch("n1", self.outbox.epoch, batch.seq, samples), format=WireFormat.CBOR)
                found += decode(payload, node="n1", now_ms=self.machine.true_ms).batch.samples
            if not receipt:
                break
            self.outbox.receipt(self.outbox.epoch, [(batch.seq, batch.seq) for batch in batches])
        return sorted(found, key=lambda sample: sample.value or 0.0)


@pytest.fixture
def machine() -> FakeMachine:
    """Return a machine that believes it is 1970."""
    return FakeMachine(error_ms=-TRUE_START_MS)


@pytest.fixture
def node(tmp_path: Path, machine: FakeMachine) -> Iterator[Node]:
    """Return a node on that machine."""
    each = Node(tmp_path / "outbox.sqlite", machine)
    yield each
    each.outbox.close()


def is_true(sample: Sample) -> bool:
    """Tell whether a reading carries the time at which it was made, to the millisecond."""
    return sample.measured_at_ms == sample.value


def test_readings_before_the_clock_is_set_get_their_times(node: Node, machine: FakeMachine) -> None:
    """The clock is set after two hours: what was measured before is as exact as what comes after."""
    node.measure(120)
    machine.synchronise()
    node.measure(10)
    found = node.delivered()
    assert len(found) == 130
    assert all(is_true(sample) and sample.quality is Quality.GOOD for sample in found)


def test_while_the_clock_is_unknown_times_are_relative_and_right(node: Node) -> None:
    """A collector that receives relative times at once has the true ones."""
    node.measure(15)
    found = node.delivered()
    assert len(found) == 15
    assert all(is_true(sample) for sample in found)


def test_a_relative_batch_is_exact_once_the_clock_is_known(node: Node, machine: FakeMachine) -> None:
    """What was sent and not receipted goes out with absolute times as soon as that is possible."""
    node.measure(3)
    assert all(is_true(sample) for sample in node.delivered(receipt=False))
    machine.synchronise()
    node.measure(1)
    (first, *_) = node.outbox.next_batches(machine.elapsed_ms(), 8)
    assert node.outbox.samples(first.seq, machine.elapsed_ms())[0].measured_at_ms > TRUE_START_MS
    assert all(is_true(sample) for sample in node.delivered())


@pytest.mark.parametrize("error_ms", [-2 * YEAR_MS, 2 * YEAR_MS, -3 * HOUR_MS, 3 * HOUR_MS])
def test_two_years_of_wrong_time_corrupt_nothing(tmp_path: Path, error_ms: int) -> None:
    """A node that was wrong from the start, and for two years, has every time right when the clock is set."""
    machine = FakeMachine(error_ms=error_ms)
    node = Node(tmp_path / "outbox.sqlite", machine)
    node.measure(200, step_ms=2 * YEAR_MS // 200)
    machine.synchronise()
    node.measure(1)
    found = node.delivered()
    assert len(found) == 201
    assert all(is_true(sample) for sample in found)
    node.outbox.close()


@pytest.mark.parametrize("step_ms", [-2 * YEAR_MS, -3 * HOUR_MS, -MINUTE_MS, MINUTE_MS, 3 * HOUR_MS, 2 * YEAR_MS])
def test_a_step_of_an_unsteered_clock_changes_nothing(node: Node, machine: FakeMachine, step_ms: int) -> None:
    """Once the clock was known in this boot, the machine's own count carries on, whatever the wall clock does."""
    machine.synchronise()
    node.measure(5)
    machine.is_synchronised = False
    machine.error_ms = step_ms
    node.measure(5)
    found = node.delivered()
    assert len({sample.measured_at_ms for sample in found}) == 10
    assert all(is_true(sample) for sample in found)


def test_a_battery_clock_that_was_wrong_is_corrected_by_a_time_service(tmp_path: Path) -> None:
    """What has not been sent gets the better time; what was sent keeps its content under its number."""
    machine = FakeMachine(error_ms=20 * MINUTE_MS, has_battery=True)
    node = Node(tmp_path / "outbox.sqlite", machine)
    node.measure(30)
    sent = node.outbox.next_batches(machine.elapsed_ms(), 2)
    before = {batch.seq: node.outbox.samples(batch.seq, machine.elapsed_ms()) for batch in sent}
    machine.synchronise()
    node.measure(1)
    assert before == {batch.seq: node.outbox.samples(batch.seq, machine.elapsed_ms()) for batch in sent}
    node.outbox.receipt(node.outbox.epoch, [(batch.seq, batch.seq) for batch in sent])
    assert all(is_true(sample) for sample in node.delivered())
    node.outbox.close()


def test_a_boot_that_never_knew_the_time_is_placed_as_late_as_possible(node: Node, machine: FakeMachine) -> None:
    """Its readings keep their distances, end before the next boot begins, and are uncertain."""
    node.measure(60)
    machine.reboot(off_ms=7 * HOUR_MS, error_ms=-TRUE_START_MS)
    node.restart()
    started_ms = machine.true_ms
    node.measure(5)
    assert len(node.delivered()) == 5, "nothing of the earlier boot is sent while no time is known"
    machine.synchronise()
    node.measure(1)
    *earlier, last = node.delivered()
    assert is_true(last)
    assert len(earlier) == 60
    assert {sample.quality for sample in earlier} == {Quality.UNCERTAIN}
    assert {sample.measured_at_ms - (sample.value or 0) for sample in earlier} == {7 * HOUR_MS}
    assert earlier[-1].measured_at_ms == started_ms


def test_a_batch_with_a_number_waits_with_its_boot(node: Node, machine: FakeMachine) -> None:
    """What was about to be sent when the plug was pulled is not sent with ages of the next boot."""
    node.measure(1)
    assert node.delivered(receipt=False)
    machine.reboot(off_ms=HOUR_MS, error_ms=-TRUE_START_MS)
    node.restart()
    assert not node.delivered()
    machine.synchronise()
    node.measure(1)
    earlier, last = node.delivered()
    assert is_true(last)
    assert earlier.quality is Quality.UNCERTAIN
    assert earlier.measured_at_ms >= (earlier.value or 0)


def test_several_boots_without_a_clock_stay_in_order(node: Node, machine: FakeMachine) -> None:
    """Boots follow one another without overlapping, between what is known before and after."""
    for _ in range(4):
        node.measure(10)
        machine.reboot(off_ms=HOUR_MS, error_ms=-TRUE_START_MS)
        node.restart()
    machine.synchronise()
    node.measure(10)
    found = node.delivered()
    assert len(found) == 50
    assert [sample.measured_at_ms for sample in found] == sorted({sample.measured_at_ms for sample in found})
    assert all(sample.measured_at_ms >= (sample.value or 0) for sample in found)
    assert all(is_true(sample) for sample in found[-10:])


def test_a_restarted_process_goes_on_with_what_its_boot_knew(node: Node, machine: FakeMachine) -> None:
    """The clock was set and the time service is gone: the outbox remembers when the machine started."""
    machine.synchronise()
    node.measure(3)
    machine.is_synchronised, machine.error_ms = False, 5 * HOUR_MS
    node.restart()
    assert node.timekeeper.trusted
    assert node.timekeeper.now_ms() == machine.true_ms
    node.measure(3)
    assert all(is_true(sample) for sample in node.delivered())


def test_a_clock_restored_from_a_file_after_a_power_cut_is_not_believed(node: Node, machine: FakeMachine) -> None:
    """The date is plausible and later than every reading, and wrong by the length of the cut."""
    machine.synchronise()
    node.measure(3)
    machine.reboot(off_ms=48 * HOUR_MS, error_ms=-48 * HOUR_MS)
    node.restart()
    node.measure(3)
    assert not node.timekeeper.trusted
    assert all(is_true(sample) for sample in node.delivered())


steps = st.lists(
    st.one_of(
        st.tuples(st.just("measure"), st.integers(1, 12)),
        st.tuples(st.just("wall"), st.integers(-3 * YEAR_MS, 3 * YEAR_MS)),
        st.tuples(st.just("restart"), st.just(0)),
        st.tuples(st.just("reboot"), st.integers(1, 72 * HOUR_MS)),
        st.tuples(st.just("lose service"), st.just(0)),
        st.tuples(st.just("synchronise"), st.just(0)),
        st.tuples(st.just("deliver"), st.just(0)),
    ),
    max_size=14,
)


@settings(max_examples=60, deadline=None)
@given(steps=steps)
def test_no_order_of_events_gives_a_wrong_time(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]
) -> None:
    """Steps, restarts and power cuts in any order: every reading comes once, with its true time or as uncertain."""
    machine = FakeMachine(error_ms=-TRUE_START_MS)
    node = Node(tmp_path_factory.mktemp("node") / "outbox.sqlite", machine)
    made, found = 0, []
    for step, amount in steps:
        if step == "measure":
            node.measure(amount)
            made += amount
        elif step == "wall":
            machine.error_ms = 0 if machine.is_synchronised else amount
        elif step == "restart":
            node.restart()
        elif step == "reboot":
            machine.reboot(off_ms=amount, error_ms=-amount)
            node.restart()
        elif step == "lose service":
            machine.is_synchronised = False
        elif step == "synchronise":
            machine.synchronise()
        else:
            found += node.delivered()
    machine.synchronise()
    node.measure(1)
    found += node.delivered()
    assert sorted({sample.value or 0.0 for sample in found}) == sorted(sample.value or 0.0 for sample in found)
    assert len(found) == made + 1
    assert all(is_true(sample) or sample.quality is Quality.UNCERTAIN for sample in found)
    assert all(sample.measured_at_ms >= (sample.value or 0) for sample in found)
    node.outbox.close()

"""VE.Direct: whole blocks are read, whatever is cut, disturbed or said in between; the device's lies are marked."""

from __future__ import annotations

import os
import pty
import threading
from contextlib import suppress
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.reading import Quality
from edge.drivers.vedirect import MEASURES, Frame, FrameParser, VedirectDriver, VedirectSettings, create
from tests.edge.clocks import JumpingClock
from tests.edge.expectations import FIXTURES, cases, expected, found

CAPTURE = Path(__file__).parents[2] / "../shared/data/power/vedirect/smartsolar_1.39.dump"


class Recording:
    """A port that plays bytes, and then is silent on a clock of its own."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.now_s = 0.0
        self.open = True

    def read(self, size: int = 1) -> bytes:
        """Return the next bytes; silence takes a quarter of a second."""
        chunk, self._content = self._content[:size], self._content[size:]
        self.now_s += 0.0 if chunk else 0.25
        return chunk

    def close(self) -> None:
        """Remember it."""
        self.open = False


def settings(*measures: str) -> VedirectSettings:
    """Return settings whose channels are named after their measures."""
    return VedirectSettings(port=Path("/dev/ttyUSB0"), channels={measure: measure for measure in measures})


def block(fields: dict[str, str]) -> bytes:
    """Return a block as a device sends it."""
    text = b"".join(f"\r\n{key}\t{value}".encode() for key, value in fields.items()) + b"\r\nChecksum\t"
    return text + bytes([-sum(text) % 256])


@pytest.mark.parametrize("case", cases("vedirect"))
async def test_a_recorded_capture_is_read_as_expected(case: str) -> None:
    """A folder is a test case: bytes as they came, and what each measure is worth."""
    folder = FIXTURES / "vedirect" / case
    port = Recording((folder / "capture.bin").read_bytes())
    driver = VedirectDriver(settings(*expected(folder)), JumpingClock(), lambda: port, lambda: port.now_s)
    assert found(await driver.read()) == expected(folder)
    assert not port.open


@pytest.mark.skipif(not CAPTURE.exists(), reason="the folder with recorded data is not here")
def test_a_real_capture_is_read_whole() -> None:
    """Of a real charger's capture every block is read but the one that is cut at its start."""
    content = CAPTURE.read_bytes()
    parser = FrameParser()
    frames = parser.feed(content)
    assert len(frames) == content.count(b"Checksum\t") - 1
    assert parser.rejected == 1
    assert {frame["PID"] for frame in frames} == {"0xA05F"}
    assert all(12_000 < int(frame["V"]) < 13_000 for frame in frames)


fields_of_blocks = st.lists(
    st.dictionaries(
        st.sampled_from(["V", "I", "VPV", "PPV", "CS", "ERR", "LOAD", "H19"]),
        st.one_of(st.integers(-99_999, 99_999).map(str), st.sampled_from(["ON", "OFF", "---"])),
        min_size=1,
    ),
    min_size=1,
    max_size=8,
)
hex_message = st.text("0123456789ABCDEF", max_size=80).map(lambda digits: f":{digits}\n".encode())


@given(fields_of_blocks, st.data())
def test_whole_blocks_come_through_in_any_chunks(sent: list[Frame], data: st.DataObject) -> None:
    """However a stream of blocks is cut into chunks, the same blocks come out, in order."""
    stream = b"".join(block(dict(fields)) for fields in sent)
    cuts = [0, *sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=20))), len(stream)]
    parser = FrameParser()
    assert [frame for a, b in pairwise(cuts) for frame in parser.feed(stream[a:b])] == sent


@given(fields_of_blocks, st.data())
def test_hex_messages_between_records_change_nothing(sent: list[Frame], data: st.DataObject) -> None:
    """Asynchronous HEX messages may stand between any two records, also inside a block."""
    stream = b"".join(
        data.draw(hex_message | st.just(b"")) + record for fields in sent for record in _records(block(dict(fields)))
    )
    assert FrameParser().feed(stream) == sent


def _records(content: bytes) -> list[bytes]:
    """Split a block into its records, each with the line end before it."""
    head, last = content[: content.rindex(b"\r\nChecksum")], content[content.rindex(b"\r\nChecksum") :]
    return [b"\r\n" + part for part in head.split(b"\r\n")[1:]] + [last]


@given(fields_of_blocks, st.data())
def test_garbage_costs_its_neighbour_and_no_more(sent: list[Frame], data: st.DataObject) -> None:
    """A block is delivered wherever the block before it came whole with nothing in between."""
    stream, must_come = b"", []
    disturbed = True
    for fields in sent:
        garbage = data.draw(st.binary(max_size=60))
        content = block(dict(fields))
        cut = data.draw(st.integers(0, len(content))) if data.draw(st.booleans()) else 0
        stream += garbage + content[cut:]
        if not (disturbed or garbage or cut):
            must_come.append(fields)
        disturbed = cut > 0
    frames = iter(FrameParser().feed(stream))
    assert all(any(frame == fields for frame in frames) for fields in must_come)


@given(fields_of_blocks.filter(lambda sent: len(sent) == 1), st.data())
def test_one_wrong_byte_is_never_believed(sent: list[Frame], data: st.DataObject) -> None:
    """A byte that changed on its way costs the block; no wrong value comes out."""
    content = bytearray(block(dict(sent[0])))
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] = data.draw(st.integers(0, 255).filter(lambda byte: byte != content[at]))
    assert FrameParser().feed(bytes(content)) == []


@given(st.binary(max_size=4000))
def test_the_parser_holds_little_of_any_garbage(garbage: bytes) -> None:
    """Garbage without end is not collected."""
    parser = FrameParser()
    parser.feed(garbage * 4)
    assert len(parser._line) <= 64
    assert len(parser._fields) <= 64


async def test_a_port_that_is_not_there_is_the_bus() -> None:
    """Without the device file it is the bus that does not work."""
    driver = create(
        VedirectSettings(port=Path("/nowhere/ttyUSB9"), channels={"solar/power": "panel_power"}), JumpingClock()
    )
    (sample,) = await driver.read()
    assert (sample.value, sample.quality) == (None, Quality.BUS_ERROR)


async def test_a_real_serial_line_is_listened_to() -> None:
    """Through the kernel's own terminal and the real serial library, a block a moment is read."""
    pytest.importorskip("serial", reason="pyserial is not installed")
    controller, device = pty.openpty()
    stop = threading.Event()
    sender = threading.Thread(target=_speak, args=(controller, stop))
    sender.start()
    try:
        port = Path(os.ttyname(device))
        driver = create(VedirectSettings(port=port, channels={"solar/power": "panel_power"}), JumpingClock())
        assert found(await driver.read()) == {"solar/power": ("good", 118.0)}
    finally:
        stop.set()
        os.close(device)
        sender.join()
        os.close(controller)


def _speak(controller: int, stop: threading.Event) -> None:
    content = (FIXTURES / "vedirect" / "charging_by_day" / "capture.bin").read_bytes()
    with suppress(OSError):
        while not stop.wait(0.02):
            os.write(controller, content)


async def test_the_yield_goes_on_over_resets_and_restarts(tmp_path: Path) -> None:
    """A user who resets the charger's counter sets the total neither back nor to a leap, nor does a restart."""
    clock = JumpingClock()
    configured = settings("yield_total").model_copy(update={"state": tmp_path / "counters.json"})
    totals = []
    for life in (("45678", "45680"), ("45681", "0", "0"), ("0", "0", "0", "1"), ("2", "---", "3")):
        recordings = [Recording(block({"H19": shown})) for shown in life]
        driver = VedirectDriver(configured, clock, partial(next, iter(recordings)))
        for _ in life:
            totals += [sample.value for sample in await driver.read()]
            await clock.sleep(60)
    known = [456_780.0, 456_800.0, 456_810.0]
    assert totals == [*known, *[None] * 4, 456_810.0, 456_820.0, 456_830.0, None, 456_840.0]


def test_an_unknown_measure_is_refused_with_the_known_ones() -> None:
    """A typing error is answered with what there is."""
    with pytest.raises(ValidationError, match="panel_power"):
        settings("pannel_power")


def test_every_measure_has_a_quantity_and_a_key() -> None:
    """The rows name quantities that exist, and no key twice."""
    assert len({row.key for row in MEASURES.values()}) == len(MEASURES)
    assert all(row.find("---").quality is Quality.BAD_VALUE for row in MEASURES.values())

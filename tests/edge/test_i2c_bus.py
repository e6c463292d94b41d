"""The real I2C library: messages go out as written, answers come back whole, errors are told apart."""

from __future__ import annotations

import errno
from typing import Any

import pytest

from domain.reading import Quality
from edge.hardware.i2c import SmbusBus, finding_of

smbus2 = pytest.importorskip("smbus2", reason="smbus2 is not installed")


class Kernel:
    """Takes the library's messages in place of the kernel, and answers reads by counting."""

    def __init__(self) -> None:
        self.talk: list[tuple[int, str]] = []
        self.closed = False

    def i2c_rdwr(self, *messages: Any) -> None:
        """Carry one transaction out."""
        for message in messages:
            if message.flags & 1:
                for number in range(message.len):
                    message.buf[number] = bytes([number])
            self.talk.append((message.addr, "read" if message.flags & 1 else bytes(message).hex()))

    def close(self) -> None:
        """Close the device."""
        self.closed = True


def test_messages_are_passed_on() -> None:
    """Bytes are written, read, and written and read in one transaction, at the address that is meant."""
    kernel = Kernel()
    bus = SmbusBus(kernel, smbus2.i2c_msg)
    bus.write(0x44, b"\x24\x00")
    assert bus.read(0x44, 3) == b"\x00\x01\x02"
    assert bus.write_read(0x48, b"\x01", 2) == b"\x00\x01"
    bus.close()
    assert kernel.talk == [(0x44, "2400"), (0x44, "read"), (0x48, "01"), (0x48, "read")]
    assert kernel.closed


@pytest.mark.parametrize(
    ("number", "quality"),
    [
        (errno.EREMOTEIO, Quality.SENSOR_GONE),
        (errno.ENXIO, Quality.SENSOR_GONE),
        (errno.EIO, Quality.BUS_ERROR),
        (errno.ETIMEDOUT, Quality.BUS_ERROR),
        (errno.ENOENT, Quality.BUS_ERROR),
        (errno.EACCES, Quality.BUS_ERROR),
    ],
)
def test_an_address_without_answer_is_not_a_broken_bus(number: int, quality: Quality) -> None:
    """The kernel's error for a missing acknowledgement is a sensor that is gone; every other one is the bus."""
    assert finding_of(OSError(number, "as the kernel says")).quality is quality

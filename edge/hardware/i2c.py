"""The I2C bus: what drivers need of it, and what its errors mean."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any, Protocol

from pydantic import BeforeValidator, Field

from edge.drivers import DriverSettings
from edge.findings import Finding, bus_error, sensor_gone
from edge.hardware.libraries import hardware_library

_NOT_ACKNOWLEDGED = (errno.EREMOTEIO, errno.ENXIO)
"""What kernel drivers give when no device acknowledges its address."""


def _number(address: object) -> object:
    return int(address, 16) if isinstance(address, str) and address.lower().startswith("0x") else address


HexNumber = BeforeValidator(_number)
"""Addresses are printed as 0x44; JSON can write that only as text."""


class Bus(Protocol):
    """One bus, open; every call blocks and raises ``OSError``."""

    def write(self, address: int, data: bytes) -> None:
        """Send bytes to a device."""

    def read(self, address: int, size: int) -> bytes:
        """Return so many bytes from a device."""

    def write_read(self, address: int, data: bytes, size: int) -> bytes:
        """Send bytes, and without letting the bus go return so many."""

    def close(self) -> None:
        """Let the bus go."""


OpenBus = Callable[[int], Bus]
"""Opens the bus of this number; raises ``OSError``."""


class I2cSettings(DriverSettings):
    """Which bus a device is on."""

    bus: int = Field(default=1, ge=0, le=64)
    """The number of ``/dev/i2c-1``."""


class SmbusBus:
    """The kernel's I2C device, through smbus2."""

    def __init__(self, bus: Any, message: Any) -> None:
        self._bus = bus
        self._message = message

    def write(self, address: int, data: bytes) -> None:
        """Send bytes."""
        self._bus.i2c_rdwr(self._message.write(address, data))

    def read(self, address: int, size: int) -> bytes:
        """Return bytes."""
        answer = self._message.read(address, size)
        self._bus.i2c_rdwr(answer)
        return bytes(answer)

    def write_read(self, address: int, data: bytes, size: int) -> bytes:
        """Send bytes, and return some, in one transaction."""
        answer = self._message.read(address, size)
        self._bus.i2c_rdwr(self._message.write(address, data), answer)
        return bytes(answer)

    def close(self) -> None:
        """Close the device."""
        self._bus.close()


def open_smbus(number: int) -> Bus:
    """Return the bus; raises ``OSError``, and ``OperatorError`` where smbus2 is missing."""
    smbus2 = hardware_library("smbus2", extra="i2c")
    return SmbusBus(smbus2.SMBus(number), smbus2.i2c_msg)


def finding_of(error: OSError) -> Finding:
    """Return what an error says: that nobody is at the address, or that the bus does not work."""
    if error.errno in _NOT_ACKNOWLEDGED:
        return sensor_gone("nobody answers at this address")
    return bus_error("the I2C bus does not work", str(error))

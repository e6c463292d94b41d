"""How a node fares, in a small file for whoever asks on the machine itself: ``vitals edge status``, the health driver.

The file says what the running agent knew last; whether an agent runs is told by a lock that ends with its process.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from domain.errors import OperatorError
from domain.instant import MINUTE_MS

STALE_SECONDS = 120.0
"""An agent writes its status every half minute; silent for this long it hangs."""
LONGEST_WAIT_MS = 15 * MINUTE_MS
LOW_DISK_BYTES = 100_000_000
"""About two weeks of 20 channels a minute in the outbox."""


class NodeStatus(BaseModel):
    """What the agent knew of itself when it wrote this."""

    model_config = ConfigDict(frozen=True)

    node: str
    version: str
    broker: str
    started_at_ms: int
    written_at_ms: int
    written_at_boot_seconds: float
    """Seconds since the machine started, which no clock that is set can change."""
    clock_trusted: bool
    connected: bool
    last_error: str | None
    """Why there is no connection, or why the last one ended."""
    last_receipt_ms: int | None
    """Since this agent started; None where none came yet."""
    waiting_readings: int
    oldest_waiting_ms: int | None
    disk_free_bytes: int


class Trouble(StrEnum):
    """What keeps a node from being well."""

    NEVER_RAN = "never_ran"
    NOT_RUNNING = "not_running"
    HANGS = "hangs"
    CLOCK_NOT_TRUSTED = "clock_not_trusted"
    NO_LINK = "no_link"
    NO_RECEIPTS = "no_receipts"
    DISK_LOW = "disk_low"


def troubles(status: NodeStatus | None, *, running: bool, now_ms: int, boot_seconds: float) -> list[Trouble]:
    """Return what is not well, worst first; an empty list where all is.

    What the file says of the link and the receipts is believed only while an agent runs and is fresh.
    """
    if status is None:
        return [Trouble.HANGS if running else Trouble.NEVER_RAN]
    if not running:
        return [Trouble.NOT_RUNNING]
    if boot_seconds - status.written_at_boot_seconds > STALE_SECONDS:
        return [Trouble.HANGS]
    oldest_ms = status.oldest_waiting_ms
    found = {
        Trouble.CLOCK_NOT_TRUSTED: not status.clock_trusted,
        Trouble.NO_LINK: not status.connected,
        Trouble.NO_RECEIPTS: oldest_ms is not None and now_ms - oldest_ms > LONGEST_WAIT_MS,
        Trouble.DISK_LOW: status.disk_free_bytes < LOW_DISK_BYTES,
    }
    return [trouble for trouble, is_so in found.items() if is_so]


def read_status(path: Path) -> NodeStatus | None:
    """Return what the agent wrote last; None where it never did, or where a power cut tore the file.

    Raises ``OperatorError`` where the file may not be read.
    """
    try:
        return NodeStatus.model_validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None
    except OSError as error:
        raise OperatorError(f"the status {path} cannot be read: {error.strerror}") from error


def write_status(path: Path, status: NodeStatus) -> None:
    """Replace the status at once, so that nobody reads half of it; raises ``OSError``.

    Nothing waits for the disk: after a power cut the status is worth nothing.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.new")
    fresh.write_text(status.model_dump_json(), encoding="utf-8")
    fresh.replace(path)


def free_bytes(path: Path) -> int:
    """Return how much may still be written to the disk that holds the path, or its nearest folder that is there."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return shutil.disk_usage(path).free


def boot_seconds() -> float:
    """Return the seconds since the machine started, sleep included."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def lock_of(outbox: Path) -> Path:
    """Return the file that an agent locks for as long as it has this outbox."""
    return outbox.with_name(f"{outbox.name}.lock")


@contextmanager
def sole_agent(outbox: Path) -> Iterator[None]:
    """Hold the outbox for this process; raises ``OperatorError`` where another agent holds it."""
    outbox.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(lock_of(outbox), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise OperatorError(f"another agent is running with the outbox {outbox}") from None
    try:
        yield
    finally:
        os.close(descriptor)


def is_running(outbox: Path) -> bool:
    """Tell whether an agent holds this outbox."""
    with suppress(OSError):
        descriptor = os.open(lock_of(outbox), os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
    return False

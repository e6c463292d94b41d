"""Process life: signals, logging and exit codes, the same for every command."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Coroutine
from typing import Any, NoReturn, TypeVar

from aiomqtt import MqttError

log = logging.getLogger(__name__)

Result = TypeVar("Result")

SWITCH_SECONDS = 0.001
LOG_FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


def configure_logging(*, verbose: bool) -> None:
    """Write log lines to standard error: warnings and worse, or with ``verbose`` everything of ours."""
    logging.basicConfig(stream=sys.stderr, format=LOG_FORMAT, level=logging.INFO if verbose else logging.WARNING)
    # Our own lines say what happened; these repeat it once per packet or request.
    for name in ("aiosqlite", "asyncio", "mqtt", "uvicorn.access"):
        logging.getLogger(name).setLevel(logging.WARNING)


def run_until_stopped(work: Coroutine[Any, Any, Result]) -> Result | None:
    """Run ``work`` to its end or to the first SIGINT or SIGTERM, which cancels it; a second signal kills.

    Returns what ``work`` returned; None where it was stopped.
    """
    # The event loop shares the interpreter with the stores' threads; waiting 5 ms for its turn shows in every answer.
    sys.setswitchinterval(SWITCH_SECONDS)
    return asyncio.run(_until_stopped(work))


def _report(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log what nobody waited for, except that aiomqtt leaves each lost connection behind in a future of its own.

    Whoever used that connection was told and has logged it.
    """
    if isinstance(context.get("exception"), MqttError):
        log.debug("a connection ended: %s", context["exception"])
    else:
        loop.default_exception_handler(context)


async def _until_stopped(work: Coroutine[Any, Any, Result]) -> Result | None:
    asyncio.get_running_loop().set_exception_handler(_report)
    task = asyncio.ensure_future(work)
    stopping = False

    def stop(number: int) -> None:
        nonlocal stopping
        stopping = True
        task.cancel()
        asyncio.get_running_loop().remove_signal_handler(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop, number)
    try:
        return await task
    except asyncio.CancelledError:
        if not stopping:
            raise
        return None


def restart_process() -> NoReturn:
    """Begin this process anew, under the same id, with the arguments it was started with."""
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - our own program, no shell

"""The embedded MQTT broker of the demo: amqtt, on loopback only, without passwords."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

from amqtt.broker import Broker
from amqtt.contexts import BrokerConfig, ListenerConfig
from amqtt.session import Session

SHUTDOWN_SECONDS = 2.0


class _SteadyTable(dict[str, list[tuple[Session, int]]]):
    """A table that can change while somebody walks through it."""

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(super().__iter__()))


@asynccontextmanager
async def embedded_broker() -> AsyncIterator[int]:
    """Run a broker on a free loopback port and yield the port."""
    _quieten()
    port = free_port()
    broker = Broker(
        BrokerConfig(
            listeners={"default": ListenerConfig(bind=f"127.0.0.1:{port}")},
            plugins={"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
        )
    )
    # amqtt walks this table while other clients subscribe, and then leaves the one it was greeting without an answer.
    broker._subscriptions = _SteadyTable()  # noqa: SLF001
    await broker.start()
    try:
        yield port
    finally:
        # Its shutdown waits for each session in turn; the demo owes nobody that patience.
        await asyncio.wait([asyncio.create_task(broker.shutdown(), name="broker shutdown")], timeout=SHUTDOWN_SECONDS)


def free_port() -> int:
    """Return a loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _quieten() -> None:
    for name in ("amqtt", "transitions"):
        logging.getLogger(name).setLevel(logging.CRITICAL)

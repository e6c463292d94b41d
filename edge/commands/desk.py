"""Where messages to a node are dealt with, one after the other: looked at, obeyed or refused, and always replied to."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping

from domain.command import CONFIG, Command, ConfigChange, Outcome, Refusal, Reply
from domain.errors import VitalsError
from domain.instant import Clock
from domain.topics import DownLane, down
from edge.commands.actions import Action, NotDoneError, read_arguments
from edge.commands.config_keeper import Assemble, ConfigKeeper
from edge.commands.decision import WORDS, Refused, authenticate, refusal_of
from edge.commands.memory import CommandMemory
from edge.pacing import TokenBucket

logger = logging.getLogger(__name__)

MOST_UNREAD = 20
STRANGERS_BURST = 10.0
STRANGERS_PER_SECOND = 0.1
"""Replies to messages that the service has not signed: anybody can send those, and replies cost a metered link."""


class CommandDesk:
    """Takes messages from the connection, and hands replies to it."""

    lanes = (DownLane.COMMAND, DownLane.CONFIG)

    def __init__(
        self,
        node: str,
        key: str | None,
        *,
        memory: CommandMemory,
        configurations: ConfigKeeper,
        assemble: Assemble,
        actions: Mapping[str, Action],
        start_again: Callable[[], None],
        clock: Clock,
        clock_trusted: Callable[[], bool],
    ) -> None:
        """``key`` is the node's command key; without one nothing is obeyed."""
        self._node = node
        self._key = key
        self._memory = memory
        self._configurations = configurations
        self._assemble = assemble
        self._actions = actions
        self._start_again = start_again
        self._clock = clock
        self._clock_trusted = clock_trusted
        self._unread: asyncio.Queue[tuple[DownLane, bytes]] = asyncio.Queue(MOST_UNREAD)
        self._strangers = TokenBucket(STRANGERS_PER_SECOND, STRANGERS_BURST)

    def take(self, lane: DownLane, payload: bytes) -> None:
        """Take a message from the connection; never waits."""
        try:
            self._unread.put_nowait((lane, payload))
        except asyncio.QueueFull:
            logger.warning("a message on %s is dropped: %d others wait", lane, MOST_UNREAD)

    def birth(self) -> Mapping[str, str]:
        """Return which configuration from afar is in use, and whether it is on trial."""
        state = self._configurations.state
        if state.current is None:
            return {}
        return {"config": state.current.id, "config_state": "trying" if state.on_trial else "kept"}

    async def run(self) -> None:
        """Deal with what was taken until cancelled."""
        while True:
            lane, payload = await self._unread.get()
            await self._deal(lane, payload)

    async def reply(self, publish: Callable[[bytes], Awaitable[None]]) -> None:
        """Publish replies over one connection until cancelled, and forget those that the broker has taken."""
        while True:
            self._memory.something_waits.clear()
            while (reply := self._memory.waiting()) is not None:
                await publish(reply.encode())
                self._memory.sent(reply)
            await self._memory.something_waits.wait()

    async def _deal(self, lane: DownLane, payload: bytes) -> None:
        if not payload:
            return  # whoever takes back a retained message publishes an empty one
        is_config = lane is DownLane.CONFIG
        found = authenticate(payload, topic=down(self._node, lane), key=self._key, is_config=is_config)
        if isinstance(found, Refused):
            self._refuse(found)
        elif isinstance(found.command, Command):
            await self._deal_with_command(found.command)
        else:
            self._deal_with_config(found.command)

    def _deal_with_config(self, change: ConfigChange) -> None:
        try:
            if self._configurations.take(change, self._assemble):
                self._start_again()
        except OSError as error:
            logger.exception("configuration %s cannot be kept", change.id)
            detail = f"the node cannot keep it: {error}"
            self._memory.send_in_passing(self._reply(change.id, CONFIG, Outcome.FAILED, detail))

    def _refuse(self, refused: Refused) -> None:
        if not refused.authentic and self._strangers.wait_s(1, time.monotonic()) > 0:
            return
        logger.warning("%s %s is refused (%s): %s", refused.name, refused.id, refused.reason, refused.detail)
        reply = self._reply(refused.id, refused.name, Outcome.REFUSED, refused.detail, refused.reason)
        self._memory.send_in_passing(reply)

    async def _deal_with_command(self, command: Command) -> None:
        if (earlier := self._memory.reply_to(command.id)) is not None:
            self._memory.send(earlier)
            return
        now_ms = self._clock.now_ms()
        refusal = refusal_of(
            command, now_ms=now_ms, clock_trusted=self._clock_trusted(), room=self._memory.has_room(now_ms)
        )
        if refusal is not None:
            self._refuse(Refused(command.id, command.name, refusal, WORDS[refusal], authentic=True))
            return
        begun = self._reply(command.id, command.name, Outcome.FAILED, "it was begun, and the agent ended before it did")
        try:
            # Before the deed: what was begun is never begun a second time, not even after a power cut.
            self._memory.remember(command, begun, now_ms)
            logger.warning("command %s: %s %s", command.id, command.name, command.arguments)
            reply = await self._do(command)
            self._memory.remember(command, reply, now_ms)
            self._memory.send(reply)
        except OSError as error:
            logger.exception("command %s cannot be remembered", command.id)
            detail = f"the node cannot write down what it does: {error}"
            self._memory.send_in_passing(self._reply(command.id, command.name, Outcome.FAILED, detail))

    async def _do(self, command: Command) -> Reply:
        action = self._actions[command.name]
        try:
            done = await action.deed(read_arguments(action, command.arguments))
        except NotDoneError as error:
            return self._reply(command.id, command.name, Outcome.REFUSED, error.detail, error.reason)
        except (VitalsError, OSError) as error:
            logger.exception("command %s failed", command.id)
            return self._reply(command.id, command.name, Outcome.FAILED, str(error))
        return self._reply(command.id, command.name, Outcome.DONE, done)

    def _reply(
        self, message_id: str | None, name: str, outcome: Outcome, detail: str, reason: Refusal | None = None
    ) -> Reply:
        return Reply(message_id, name, outcome, reason, detail, self._clock.now_ms())

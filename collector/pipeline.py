"""The life of a message, from its bytes to its receipt.

The steps, in order:

1. **decode**: topic and payload → samples (``collector/decode.py``, ``domain/senml.py``; topics that are not ours:
   ``collector/foreign/``)
2. **validate**: samples → readings, or a reason why not (``collector/validate.py``); the ordinary batch takes both
   steps at once (``collector/plain.py``)
3. **collect**: into a group of some thousand readings or some milliseconds (``collector/group.py``)
4. **commit**: the group, durably, readings and refused ones in one transaction (``collector/journal/``)
5. **receipt**: tell the nodes what they may delete, and senders without receipts what became of their message
   (``done``); never before the commit returned
6. **tell**: hand the committed readings to whoever follows (newest values, the judge, ...)

Episodes that nodes found leave the line after step 2, for a queue of their own (``collector/node_events.py``).
"""

from __future__ import annotations

import asyncio
import copy
import logging
import random
from collections.abc import Awaitable, Callable, Sequence

from collector import backoff
from collector.decode import READINGS_LANES, Parcel, check_size, decode, identity, open_parcel, reject, sample_alone
from collector.foreign.devices import ForeignDevices
from collector.foreign.settings import ForeignSettings
from collector.group import Delivery, Group
from collector.lanes import NOT_STORED, Done, Lane, Lanes, Message
from collector.node_events import EventDesk, NodeEvent, TakeEvent, check_event
from collector.nodes import NodeStates, decode_state
from collector.plain import read_plain
from collector.quarantine import Quarantine
from collector.settings import PipelineSettings
from collector.stats import Counters, PipelineStats
from collector.validate import validate
from domain.directory import Directory
from domain.episode_event import EpisodeEvent
from domain.errors import Fault, VitalsError
from domain.instant import Clock
from domain.reading import Reading
from domain.receipt import Receipt
from domain.rejection import PayloadError, Reason, Rejected
from domain.topics import UpLane

log = logging.getLogger(__name__)

_MESSAGES_PER_TURN = 16
"""After so many messages the event loop gets its turn: about a millisecond of decoding."""
_BACKFILL_TOPIC_END = f"/up/{UpLane.BACKFILL}"


_LEFT_TO_SENDER = Delivery(None, None, [], [])
"""Stands for a message that was not let in: no receipt, so that its node sends it again."""
_KEPT_OUT = Delivery(None, None, [], [])
"""The same of a device that keeps nothing: it is acknowledged and gone, or its broker would send it for ever."""


def _lane_of(topic: str) -> Lane:
    return Lane.BACKFILL if topic.endswith(_BACKFILL_TOPIC_END) else Lane.LIVE


class Pipeline:
    """Takes messages from sources, commits them in groups, and receipts them."""

    def __init__(
        self,
        *,
        directory: Callable[[], Directory],
        commit: Callable[[Sequence[Reading], Sequence[Rejected]], Awaitable[int]],
        send_receipt: Callable[[str, Receipt], Awaitable[None]],
        on_committed: Callable[[Sequence[Reading], int], None],
        clock: Clock,
        settings: PipelineSettings,
        nodes: NodeStates | None = None,
        on_event: TakeEvent | None = None,
        foreign: ForeignDevices | None = None,
        quarantine: Quarantine | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """``send_receipt`` hands over and returns: it must not wait for the broker, or the broker may wait for us.

        ``on_event`` keeps an episode that a node found; without it such episodes stay with their nodes. ``foreign``
        reads what does not come on a topic of ours. ``quarantine`` says whose messages are not let in.
        """
        self._directory, self._commit_group, self._send_receipt = directory, commit, send_receipt
        self._on_committed, self._clock, self._settings, self._jitter = on_committed, clock, settings, jitter
        self.nodes = nodes if nodes is not None else NodeStates()
        self._foreign = foreign if foreign is not None else ForeignDevices()
        self._quarantine = quarantine
        self._lanes = Lanes(settings)
        self._counters = Counters()
        self._desk = EventDesk(
            on_event, commit=commit, send_receipt=send_receipt, counters=self._counters, settings=settings
        )
        self._last_commit_at_ms: int | None = None
        self._failing_since_ms: int | None = None

    async def accept(
        self,
        topic: str,
        payload: bytes,
        received_at_ms: int,
        *,
        retained: bool = False,
        done: Done | None = None,
        first_came_at_ms: int | None = None,
    ) -> None:
        """Take a message from a source; waits while its lane is full, and never looks into the payload.

        ``done`` is told what became of it after the commit, for senders that get no receipt. ``first_came_at_ms``: a
        message that is replayed is late now, and its relative times count from when it came first.
        """
        largest = self._settings.max_payload_bytes
        held = payload if len(payload) <= largest else payload[: self._settings.kept_payload_bytes]
        message = Message(topic, held, len(payload), received_at_ms, retained, done, first_came_at_ms)
        await self._lanes.put(_lane_of(topic), message)

    async def run(self) -> None:
        """Work until cancelled. While one group is being committed, the next is collected."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._desk.run(), name="events of nodes")
            settling: asyncio.Task[None] | None = None
            while True:
                group = await self._collect(settling)
                if settling is not None:
                    await settling
                settling = tasks.create_task(self._settle(group), name="settle a group")
                settling.add_done_callback(lambda _: self._lanes.arrived.set())

    def stats(self) -> PipelineStats:
        """Return a snapshot of what was counted, what waits, and whether the journal takes anything."""
        return PipelineStats(
            copy.deepcopy(self._counters), self._lanes.waiting(), self._last_commit_at_ms, self._failing_since_ms
        )

    # Steps 1 to 3: one message at a time.

    async def _collect(self, settling: asyncio.Task[None] | None) -> Group:
        """Return the next group: full, or as old as allowed with nobody else committing."""
        loop, group = asyncio.get_running_loop(), Group()
        age_seconds = self._settings.group_age.total_seconds()
        due_at = float("inf")
        taken = 0
        while group.weight < self._settings.group_readings:
            idle = settling is None or settling.done()
            if idle and loop.time() >= due_at:
                break
            message = self._lanes.take()
            if message is None:
                await self._arrival(due_at - loop.time() if idle else float("inf"))
                continue
            self._take(message, group)
            if group.deliveries and due_at == float("inf"):
                due_at = loop.time() + age_seconds
            taken += 1
            if taken % _MESSAGES_PER_TURN == 0:
                await asyncio.sleep(0)
        return group

    async def _arrival(self, most_seconds: float) -> None:
        """Wait for a message or for the running commit to end, at most so long."""
        self._lanes.arrived.clear()
        try:
            async with asyncio.timeout(None if most_seconds == float("inf") else most_seconds):
                await self._lanes.arrived.wait()
        except TimeoutError:
            return

    def _take(self, message: Message, group: Group) -> None:
        node: str | None = None
        delivery: Delivery | None
        try:
            adapter = self._foreign.find(message.topic)
            if adapter is not None:
                sender = message.topic
                delivery = self._read_foreign(message, adapter) if self._admits(sender, message) else _KEPT_OUT
            else:
                parcel = open_parcel(message)
                node = sender = parcel.node
                self._counters.messages[parcel.lane] += 1
                delivery = self._read(parcel) if self._admits(sender, message) else _LEFT_TO_SENDER
        except PayloadError as error:
            delivery = self._refused(message, node, error.reason, error.detail)
        except Exception as bug:  # the outermost boundary of one message: it must not stop the others
            log.exception("a message on %r met a defect in reading it", message.topic)
            self._counters.defects += 1
            detail = f"the service could not read it: {type(bug).__name__}"
            delivery = self._refused(message, node, Reason.MALFORMED, detail)
        if delivery is _LEFT_TO_SENDER:
            if message.done is not None:
                message.done(NOT_STORED)
            return
        if self._quarantine is not None and delivery is not None:
            brought = {"readings": len(delivery.readings), "refused": len(delivery.rejected)}
            self._quarantine.spend(node or message.topic, _lane_of(message.topic), **brought)
        if message.done is not None:
            delivery = (delivery or Delivery(node, None, [], []))._replace(done=message.done)
        if delivery is not None:
            group.add(delivery)

    def _admits(self, sender: str, message: Message) -> bool:
        """Tell whether a message may come in; a replay is our own doing."""
        if self._quarantine is None or message.first_came_at_ms is not None:
            return True
        return self._quarantine.admits(sender, _lane_of(message.topic), message.received_at_ms)

    def _read(self, parcel: Parcel) -> Delivery | None:
        message, directory = parcel.message, self._directory()
        if parcel.node not in directory.nodes:
            raise PayloadError(Reason.UNKNOWN_NODE, f"node {parcel.node!r} is not in the registry")
        check_size(message, self._settings)
        if parcel.lane is UpLane.STATE:
            state = decode_state(message.payload, message.received_at_ms)
            self.nodes.said(parcel.node, state, retained=message.retained)
            return None
        self.nodes.heard(parcel.node, message.received_at_ms)
        if parcel.lane is UpLane.EVENT:
            return self._read_event(parcel, directory)
        if parcel.lane not in READINGS_LANES:
            return None
        delivery = self._read_batch(parcel, directory)
        if parcel.lane is UpLane.LIVE:
            self._note_lag(message, delivery.readings)
        return delivery

    def _note_lag(self, message: Message, readings: Sequence[Reading]) -> None:
        # Once a message and not for each of its readings: the newest says how far the node is behind.
        if readings and message.first_came_at_ms is None:
            self._counters.ingest_lag.take((message.received_at_ms - readings[-1].measured_at_ms) / 1000)

    def _read_foreign(self, message: Message, adapter: ForeignSettings) -> Delivery:
        self._counters.foreign[adapter.adapter] += 1
        check_size(message, self._settings)
        found = self._foreign.read(message, adapter, self._directory(), self._settings)
        for node in found.heard:
            self.nodes.heard(node, message.received_at_ms)
        self._counters.passed_over += found.passed_over
        self._note_lag(message, found.readings)
        return Delivery(found.heard[0] if len(found.heard) == 1 else None, None, found.readings, found.rejected)

    def _read_event(self, parcel: Parcel, directory: Directory) -> Delivery | None:
        """Pass an event on beside the readings; one that is refused is kept and receipted like a batch."""
        message = parcel.message
        found = NodeEvent(parcel.node, EpisodeEvent.decode(message.payload), message)
        try:
            check_event(found, directory, self._settings)
        except PayloadError as error:
            rejected = reject(message, error.reason, error.detail, node=parcel.node, kept=message.payload)
            return Delivery(parcel.node, (found.event.epoch, found.event.seq), [], [rejected])
        self._desk.put(found)
        return None

    def _read_batch(self, parcel: Parcel, directory: Directory) -> Delivery:
        message = parcel.message
        plain = read_plain(
            message.payload,
            node=parcel.node,
            received_at_ms=message.received_at_ms,
            directory=directory,
            settings=self._settings,
        )
        if plain is not None:
            return Delivery(parcel.node, plain.identity, plain.readings, [])
        batch, refused = decode(parcel, self._settings)
        readings, not_valid = validate(
            batch, directory, now_ms=message.received_at_ms, settings=self._settings.validation
        )
        rejected = [reject(message, r.reason, r.detail, node=parcel.node, kept=r.record) for r in refused]
        for reason, detail, sample in not_valid:
            record = message.payload if sample is None else sample_alone(parcel.node, sample)
            rejected.append(reject(message, reason, detail, node=parcel.node, kept=record))
        return Delivery(parcel.node, identity(batch), readings, rejected)

    def _refused(self, message: Message, node: str | None, reason: Reason, detail: str) -> Delivery:
        kept = message.payload if reason.mendable else message.payload[: self._settings.kept_payload_bytes]
        return Delivery(node, None, [], [reject(message, reason, detail, node=node, kept=kept)])

    # Steps 4 to 6: one group at a time.

    async def _settle(self, group: Group) -> None:
        for part, position in await self._commit(group):
            await self._receipt(part)
            part.tell(stored=True)
            self._tell(part, position)

    async def _commit(self, group: Group) -> list[tuple[Group, int]]:
        """Return what was committed, with positions; a part that the journal refuses for good is left out."""
        try:
            return [(group, await self._commit_until_taken(group))]
        except Exception as error:  # the outermost boundary of one group: its neighbours must get through
            if len(group.deliveries) == 1:
                self._counters.batches_not_stored += 1
                log.exception("the journal refuses a batch of node %r; it gets no receipt", group.deliveries[0].node)
                group.tell(stored=False)
                return []
            log.warning("the journal refuses a group of %d messages (%s); halving", len(group.deliveries), error)
            first, second = group.halves()
            return await self._commit(first) + await self._commit(second)

    async def _commit_until_taken(self, group: Group) -> int:
        """Commit, again and again where somebody can mend it (a full disk); no receipt goes out meanwhile."""
        readings, rejected = group.readings(), group.rejected()
        for wait_seconds in backoff.waits(self._settings.retry_first, self._settings.retry_longest, self._jitter):
            try:
                position = await self._commit_group(readings, rejected)
            except VitalsError as error:
                if not error.retry and error.fault in (Fault.SENDER, Fault.SERVICE):
                    raise
                self._counters.failed_commits += 1
                self._failing_since_ms = self._failing_since_ms or self._clock.now_ms()
                log.warning("could not commit, trying again in %.1f s: %s", wait_seconds, error)
                await asyncio.sleep(wait_seconds)
            else:
                self._committed(readings, rejected)
                return position
        raise AssertionError("waits() never ends")

    def _committed(self, readings: Sequence[Reading], rejected: Sequence[Rejected]) -> None:
        self._counters.commits += 1
        self._counters.readings += len(readings)
        self._counters.rejected.update(refused.reason for refused in rejected)
        self._last_commit_at_ms, self._failing_since_ms = self._clock.now_ms(), None

    async def _receipt(self, group: Group) -> None:
        unreached: set[str] = set()
        for node, receipt in group.receipts():
            try:
                await self._send_receipt(node, receipt)
            except VitalsError as error:
                unreached.add(node)
                log.warning("could not hand over a receipt for node %r; it will send again: %s", node, error)
            else:
                self._counters.batches_receipted += sum(last - first + 1 for first, last in receipt.received)
        now_ms, lag = self._clock.now_ms(), self._counters.receipt_lag
        for delivery in group.deliveries:
            if delivery.identity is not None and delivery.readings and delivery.node not in unreached:
                lag.take((now_ms - delivery.readings[0].received_at_ms) / 1000)

    def _tell(self, group: Group, position: int) -> None:
        readings = group.readings()
        if not readings:
            return
        try:
            self._on_committed(readings, position)
        except Exception:  # followers keep their own place in the journal; none of them may stop the intake
            log.exception("a follower failed on position %d", position)

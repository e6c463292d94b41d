"""A node as the wire contract wants it: holds every batch until its receipt, within a window, and sends it again."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from urllib.parse import urlsplit

import aiomqtt

from domain.receipt import Receipt
from domain.topics import DownLane, UpLane, down, up

REPEAT_SECONDS = 1.0


class HonestSender:
    """Sends batches of one epoch through whatever happens to the broker and the collector."""

    def __init__(
        self, url: str, node: str, batches: Mapping[int, bytes], *, epoch: str = "e1", window: int = 32
    ) -> None:
        self._host, self._port = urlsplit(url).hostname or "", urlsplit(url).port or 0
        self._node, self._epoch, self._window = node, epoch, window
        self.held = dict(batches)
        self.more_may_come = False
        """While this is true, an empty hand is no reason to stop."""
        self.published = 0
        self._sent_at: dict[int, float] = {}
        self.progress = asyncio.Event()

    async def run(self) -> None:
        """Return when every batch is receipted and no more may come."""
        while self._has_to_go_on():
            try:
                async with aiomqtt.Client(
                    self._host, self._port, identifier=self._node, clean_session=False, timeout=3
                ) as client:
                    await client.subscribe(down(self._node, DownLane.RECEIPT), qos=1)
                    await self._talk(client)
            except* aiomqtt.MqttError:
                self._sent_at.clear()
            await asyncio.sleep(0.05)

    def add(self, seq: int, content: bytes) -> None:
        """Take another batch."""
        self.held[seq] = content
        self.progress.set()

    def _has_to_go_on(self) -> bool:
        return bool(self.held) or self.more_may_come

    async def until_left(self, most: int) -> None:
        """Wait until at most so many batches are not receipted."""
        while len(self.held) > most:
            self.progress.clear()
            await self.progress.wait()

    async def _talk(self, client: aiomqtt.Client) -> None:
        async with asyncio.TaskGroup() as tasks:
            listening = tasks.create_task(self._listen(client))
            while self._has_to_go_on():
                await self._publish_due(client)
                self.progress.clear()
                try:
                    await asyncio.wait_for(self.progress.wait(), REPEAT_SECONDS)
                except TimeoutError:
                    continue
            listening.cancel()

    async def _publish_due(self, client: aiomqtt.Client) -> None:
        now = asyncio.get_running_loop().time()
        for seq in sorted(self.held)[: self._window]:
            if now - self._sent_at.get(seq, float("-inf")) >= REPEAT_SECONDS:
                self._sent_at[seq] = now
                self.published += 1
                lane = UpLane.BACKFILL if seq % 3 == 0 else UpLane.LIVE
                if (content := self.held.get(seq)) is not None:
                    await client.publish(up(self._node, lane), content, qos=1)

    async def _listen(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            receipt = Receipt.decode(bytes(message.payload))
            for seq in [seq for seq in self.held if receipt.covers(self._epoch, seq)]:
                del self.held[seq]
            self.progress.set()

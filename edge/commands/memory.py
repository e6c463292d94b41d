"""What a node remembers of commands: what it replied to each until it expires, and the replies still to be sent."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter

from domain.command import Command, Reply
from edge.state_file import StateFile

logger = logging.getLogger(__name__)

MOST_REMEMBERED = 200
MOST_WAITING = 100


class Answered(BaseModel):
    """A command that was dealt with, and the reply to repeat when it comes again."""

    model_config = ConfigDict(frozen=True)

    expires_at_ms: int
    reply: str


class Remembered(BaseModel):
    """The content of the file."""

    model_config = ConfigDict(frozen=True)

    answered: Mapping[str, Answered] = {}
    waiting: tuple[str, ...] = ()
    """Replies that the broker has not taken yet, oldest first."""


class CommandMemory:
    """Keeps both on the disk, so that a restart neither repeats a deed nor swallows a reply."""

    def __init__(self, path: Path) -> None:
        """Read what is there; raises ``OSError`` where that is impossible."""
        self._file = StateFile(path, TypeAdapter(Remembered))
        self._content = self._file.load() or Remembered()
        self._passing: tuple[str, ...] = ()
        self.something_waits = asyncio.Event()

    def reply_to(self, command_id: str) -> str | None:
        """Return what was replied to this command; None where it was never dealt with."""
        answered = self._content.answered.get(command_id)
        return None if answered is None else answered.reply

    def has_room(self, now_ms: int) -> bool:
        """Tell whether one more command can be remembered."""
        return len(self._unexpired(now_ms)) < MOST_REMEMBERED

    def remember(self, command: Command, reply: Reply, now_ms: int) -> None:
        """Keep what is replied to a command, until it expires; raises ``OSError``."""
        answered = Answered(expires_at_ms=command.expires_at_ms, reply=reply.encode().decode())
        self._save({"answered": self._unexpired(now_ms) | {command.id: answered}})

    def send(self, reply: Reply | str) -> None:
        """Send this reply, now or after a restart, when there is a connection; raises ``OSError``."""
        text = reply if isinstance(reply, str) else reply.encode().decode()
        self._save({"waiting": (*self._content.waiting, text)[-MOST_WAITING:]})
        self.something_waits.set()

    def send_in_passing(self, reply: Reply) -> None:
        """Send this reply if there is a connection before long; it costs no write to the disk."""
        self._passing = (*self._passing, reply.encode().decode())[-MOST_WAITING:]
        self.something_waits.set()

    def waiting(self) -> str | None:
        """Return the reply that is to be sent next."""
        return next(iter((*self._content.waiting, *self._passing)), None)

    def sent(self, reply: str) -> None:
        """Forget a reply that the broker has taken; where the disk refuses, it is sent once more after a restart."""
        if reply in self._content.waiting:
            rest = {"waiting": tuple(each for each in self._content.waiting if each != reply)}
            try:
                self._save(rest)
            except OSError as error:
                logger.warning("that a reply was sent cannot be written down: %s", error)
                self._content = self._content.model_copy(update=rest)
        self._passing = tuple(each for each in self._passing if each != reply)

    def _unexpired(self, now_ms: int) -> dict[str, Answered]:
        return {name: each for name, each in self._content.answered.items() if each.expires_at_ms > now_ms}

    def _save(self, changes: Mapping[str, object]) -> None:
        content = self._content.model_copy(update=changes)
        self._file.save(content)
        self._content = content

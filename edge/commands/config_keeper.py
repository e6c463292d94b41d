"""Keeps a node's configurations from afar on its disk, and says what became of each."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from domain.command import CONFIG, ConfigChange, Outcome, Refusal, Reply
from domain.errors import DocumentError
from domain.instant import Clock
from edge.commands.decision import WORDS
from edge.commands.memory import CommandMemory
from edge.commands.remote_config import MOST_STARTS, Applied, ConfigState, ProtectedError
from edge.settings import EdgeSettings
from edge.state_file import StateFile

logger = logging.getLogger(__name__)

Assemble = Callable[[str | None], EdgeSettings]
"""Returns the node's settings with a configuration from afar laid over its own file, or with None its own alone.
Raises ``DocumentError`` with the line and field of every mistake."""


def config_file(outbox: Path) -> Path:
    """Return where the node of this outbox keeps its configurations from afar."""
    return outbox.with_name(f"{outbox.name}.config.json")


def peek(path: Path) -> ConfigState:
    """Return what the file says, for somebody who only looks; nothing where it cannot be read."""
    try:
        return ConfigState.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return ConfigState()


class ConfigKeeper:
    """Takes configurations, puts them on trial, keeps them or goes back; a change counts once it is on the disk."""

    def __init__(self, path: Path, memory: CommandMemory, clock: Clock) -> None:
        """Read what is there; raises ``OSError`` where that is impossible."""
        self._file = StateFile(path, TypeAdapter(ConfigState))
        self.state = self._file.load() or ConfigState()
        self._memory = memory
        self._clock = clock

    def settings(self, assemble: Assemble) -> EdgeSettings:
        """Return what the next agent is to run with, and count the start of one on trial.

        What cannot be used any more, or was started too often, is rolled back first. Raises ``DocumentError`` where
        the node's own file has mistakes.
        """
        if self.state.on_trial and self.state.starts >= MOST_STARTS:
            self.roll_back(f"the agent was started {MOST_STARTS} times with it and never got well")
        while (current := self.state.current) is not None:
            try:
                settings = assemble(current.document)
            except DocumentError as error:
                self.roll_back(f"it cannot be used any more: {error}")
            else:
                self._save(self.state.started())
                return settings
        return assemble(None)

    def take(self, change: ConfigChange, assemble: Assemble) -> bool:
        """Put a configuration on trial where it may be used; return whether the agent has to be started with it.

        Every other one is refused with a reply, except that the one seen last is passed over in silence.
        """
        if self.state.is_known(change):
            return False
        if self.state.is_outdated(change):
            self._refuse(change, Refusal.OUTDATED, WORDS[Refusal.OUTDATED])
            return False
        try:
            assemble(change.document)
        except DocumentError as error:
            self._save(self.state.seen(change))
            reason = Refusal.PROTECTED if isinstance(error, ProtectedError) else Refusal.INVALID
            self._refuse(change, reason, str(error))
            return False
        self._save(self.state.trying(change))
        logger.warning("configuration %s is on trial", change.id)
        self._reply(change.id, Outcome.TRYING, "it is used from now on, and kept when readings are confirmed with it")
        return True

    def keep(self) -> None:
        """End the trial well."""
        current = self.state.current
        if current is not None and self.state.on_trial:
            self._save(self.state.kept())
            logger.warning("configuration %s is kept", current.id)
            self._reply(current.id, Outcome.KEPT, "readings were measured and confirmed with it")

    def roll_back(self, why: str) -> None:
        """Use what was in use before the current configuration."""
        current = self.state.current
        if current is not None:
            self._save(self.state.rolled_back())
            logger.error("configuration %s is rolled back: %s", current.id, why)
            self._reply(current.id, Outcome.ROLLED_BACK, f"{why}; in use: {_words(self.state.current)}")

    def _refuse(self, change: ConfigChange, reason: Refusal, detail: str) -> None:
        logger.warning("configuration %s is refused (%s): %s", change.id, reason, detail)
        self._reply(change.id, Outcome.REFUSED, detail, reason)

    def _reply(self, change_id: str, outcome: Outcome, detail: str, reason: Refusal | None = None) -> None:
        self._memory.send(Reply(change_id, CONFIG, outcome, reason, detail, self._clock.now_ms()))

    def _save(self, state: ConfigState) -> None:
        self._file.save(state)
        self.state = state


def _words(applied: Applied | None) -> str:
    return "the node's own file" if applied is None else f"configuration {applied.id}"

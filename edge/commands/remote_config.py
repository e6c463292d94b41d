"""A configuration from afar: which one is in use, on trial, or before it; and what it may not touch.

It is laid over the node's own file: each top-level key that it has takes the place of the same key there. The own file
is never written, so a node whose system is read-only, or whose memory of this is lost, still knows who it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict

from domain.command import ConfigChange
from domain.document import Document
from domain.errors import DocumentError

PROTECTED = ("node", "broker", "outbox", "status", "command_key", "commands")
"""Who the node is, where it keeps its readings, whom it obeys: only a person at the node changes these."""
MOST_STARTS = 3
"""A configuration on trial that was started so often without being kept brings the node down."""
_REFERENCES = ("env", "file")


class Applied(BaseModel):
    """A configuration that was taken."""

    model_config = ConfigDict(frozen=True)

    id: str
    issued_at_ms: int
    document: str


class ConfigState(BaseModel):
    """What a node remembers of configurations from afar."""

    model_config = ConfigDict(frozen=True)

    current: Applied | None = None
    """None where the node's own file alone is in use."""
    previous: Applied | None = None
    """What is in use again if the current one fails its trial."""
    on_trial: bool = False
    starts: int = 0
    """How often the agent was started with the one on trial."""
    last_id: str | None = None
    """The newest that was seen, whatever became of it: the broker shows it again at every connection."""
    last_issued_at_ms: int = 0

    def is_known(self, change: ConfigChange) -> bool:
        """Tell whether this very configuration was dealt with."""
        return change.id == self.last_id

    def is_outdated(self, change: ConfigChange) -> bool:
        """Tell whether the node knows a newer one."""
        return change.issued_at_ms <= self.last_issued_at_ms

    def seen(self, change: ConfigChange) -> ConfigState:
        """Return the state after a configuration that was refused."""
        newest_ms = max(self.last_issued_at_ms, change.issued_at_ms)
        return self.model_copy(update={"last_id": change.id, "last_issued_at_ms": newest_ms})

    def trying(self, change: ConfigChange) -> ConfigState:
        """Return the state with a configuration on trial; one that was on trial itself is given up for it."""
        taken = Applied(id=change.id, issued_at_ms=change.issued_at_ms, document=change.document)
        before = self.previous if self.on_trial else self.current
        update = {"current": taken, "previous": before, "on_trial": True, "starts": 0}
        return self.seen(change).model_copy(update=update)

    def started(self) -> ConfigState:
        """Return the state after the agent was started."""
        return self.model_copy(update={"starts": self.starts + 1}) if self.on_trial else self

    def kept(self) -> ConfigState:
        """Return the state after a trial that went well."""
        return self.model_copy(update={"previous": None, "on_trial": False, "starts": 0})

    def rolled_back(self) -> ConfigState:
        """Return the state after a trial that did not."""
        return self.model_copy(update={"current": self.previous, "previous": None, "on_trial": False, "starts": 0})


class Health(NamedTuple):
    """What a node has achieved since its agent started."""

    measured: bool
    """A sensor gave a usable value."""
    receipted: bool
    """The centre has confirmed a batch."""

    @property
    def is_well(self) -> bool:
        """Tell whether a configuration on trial can be kept."""
        return self.measured and self.receipted

    def __str__(self) -> str:
        missing = [] if self.measured else ["no sensor gave a usable value"]
        missing += [] if self.receipted else ["the centre confirmed nothing"]
        return " and ".join(missing) or "healthy"


def laid_over(own: Document, remote: Document) -> Document:
    """Return the node's own document with the remote one's keys in place of its own.

    Raises ``DocumentError`` where that would change what is protected, or look up a secret that the node's own file
    does not look up.
    """
    if not isinstance(remote.data, dict) or not isinstance(own.data, dict):
        raise remote.refuse((), "no fields", "fields, each on its own line as NAME: VALUE")
    problems = [
        remote.problem((key,), "another value than in the node's own file", "a change by a person at the node only")
        for key in PROTECTED
        if key in remote.data and remote.data[key] != own.data.get(key)
    ]
    known = set(_references(own.data))
    problems += [
        remote.problem((), f"the secret {kind}: {name}", "secrets that the node's own file refers to, too")
        for kind, name in sorted(set(_references(remote.data)) - known)
    ]
    if problems:
        raise ProtectedError(problems)
    return Document(remote.source, {**own.data, **remote.data}, remote.positions)


class ProtectedError(DocumentError):
    """A configuration from afar would change what only a person at the node may change."""


def _references(value: Any) -> Iterator[tuple[str, str]]:
    """Yield every ``{env: NAME}`` and ``{file: PATH}`` below a value."""
    if isinstance(value, dict):
        if len(value) == 1 and next(iter(value)) in _REFERENCES:
            ((kind, name),) = value.items()
            yield kind, str(name)
            return
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _references(item)

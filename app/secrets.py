"""Secrets stand in the environment or in files, never in the configuration: ``password: {env: NAME}``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from domain.document import Document
from domain.document import Path as Steps

_KEYS = frozenset({"env", "file"})


def resolve_secrets(document: Document, environment: Mapping[str, str], folder: Path) -> Document:
    """Return the document with every ``{env: NAME}`` and ``{file: PATH}`` replaced by what it names.

    Paths are relative to ``folder``; a file's last line break is not part of the secret. Raises ``DocumentError``
    where a name leads to nothing.
    """
    data = _Resolver(document, environment, folder).resolve((), document.data)
    return Document(document.source, data, document.positions)


class _Resolver:
    def __init__(self, document: Document, environment: Mapping[str, str], folder: Path) -> None:
        self._document, self._environment, self._folder = document, environment, folder

    def resolve(self, path: Steps, value: Any) -> Any:
        """Return the value with all references below it replaced."""
        if isinstance(value, dict):
            if len(value) == 1 and value.keys() <= _KEYS:
                return self._look_up(path, value)
            return {key: self.resolve((*path, key), item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.resolve((*path, index), item) for index, item in enumerate(value)]
        return value

    def _look_up(self, path: Steps, reference: dict[str, Any]) -> str:
        ((kind, name),) = reference.items()
        if not isinstance(name, str) or not name:
            raise self._document.refuse((*path, kind), repr(name), "the name of an environment variable or file")
        return self._from_environment(path, name) if kind == "env" else self._from_file(path, name)

    def _from_environment(self, path: Steps, name: str) -> str:
        if name not in self._environment:
            raise self._document.refuse(path, f"{name}, which is not set", "an environment variable that is set")
        return self._environment[name]

    def _from_file(self, path: Steps, name: str) -> str:
        try:
            return (self._folder / name).read_text("utf-8").removesuffix("\n")
        except OSError as error:
            found = f"{name}, which cannot be read: {error.strerror}"
        except UnicodeDecodeError:
            found = f"{name}, which is not UTF-8 text"
        raise self._document.refuse(path, found, "a readable text file")

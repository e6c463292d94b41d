"""Secrets stand in the environment or in files, never in the configuration: ``password: {env: NAME}``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from domain.document import Document
from domain.document import Path as Steps

_KEYS = frozenset({"env", "file"})


def resolve_secrets(document: Document, environment: Mapping[str, str]) -> Document:
    """Return the document with every ``{env: NAME}`` and ``{file: PATH}`` replaced by what it names.

    A file's last line break is not part of the secret. Raises ``DocumentError`` where a name leads to nothing.
    """
    return Document(document.source, _resolved(document, (), document.data, environment), document.positions)


def _resolved(document: Document, path: Steps, value: Any, environment: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        if len(value) == 1 and value.keys() <= _KEYS:
            return _look_up(document, path, value, environment)
        return {key: _resolved(document, (*path, key), item, environment) for key, item in value.items()}
    if isinstance(value, list):
        return [_resolved(document, (*path, index), item, environment) for index, item in enumerate(value)]
    return value


def _look_up(document: Document, path: Steps, reference: dict[str, Any], environment: Mapping[str, str]) -> str:
    ((kind, name),) = reference.items()
    if not isinstance(name, str) or not name:
        raise document.refuse((*path, kind), repr(name), "the name of an environment variable or file")
    if kind == "env":
        if name not in environment:
            raise document.refuse(path, f"{name}, which is not set", "an environment variable that is set")
        return environment[name]
    try:
        return Path(name).read_text("utf-8").removesuffix("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise document.refuse(path, f"{name}, which cannot be read ({error})", "a readable text file") from error

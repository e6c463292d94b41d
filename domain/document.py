"""Documents that people write (configuration, rules, registry), each value with the place where it stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from domain.errors import DocumentError, Problem

Path = tuple[str | int, ...]
"""Where a value stands inside a document: ("rules", 0, "when", "above")."""


@dataclass(frozen=True, slots=True)
class Document:
    """Plain data (dict, list, str, int, float, bool, None) and the line and column of every value in it."""

    source: str
    """The file's name as the person knows it."""
    data: Any
    positions: Mapping[Path, tuple[int, int]] = field(default_factory=dict)
    """Line and column, both from 1; a mapping key's position stands for its value."""

    def problem(self, path: Path, found: str, allowed: str) -> Problem:
        """Return a problem at the nearest place above ``path`` that stands in the file."""
        near = path
        while near and near not in self.positions:
            near = near[:-1]
        line, column = self.positions.get(near, (1, 1))
        name = ".".join(str(step) for step in path) or "document"
        return Problem(self.source, line, column, name, found, allowed)

    def refuse(self, path: Path, found: str, allowed: str) -> DocumentError:
        """Return the error for a single problem, ready to raise."""
        return DocumentError([self.problem(path, found, allowed)])

    def refuse_all(self, validation_errors: Iterable[Mapping[str, Any]], under: Path = ()) -> DocumentError:
        """Return the error for what pydantic's ``ValidationError.errors()`` lists, below ``under``."""
        return DocumentError([self._from_validation(error, under) for error in validation_errors])

    def _from_validation(self, error: Mapping[str, Any], under: Path) -> Problem:
        path = under + tuple(error["loc"])
        kind, found, message = error["type"], error.get("input"), str(error["msg"])
        if kind == "missing":
            return self.problem(path, "nothing", "this field is required")
        if kind == "extra_forbidden":
            return self.problem(path, "an unknown field", "only the fields that the documentation lists")
        return self.problem(path, repr(found), message.removeprefix("Value error, ").removeprefix("Input should be "))

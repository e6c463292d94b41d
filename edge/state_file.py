"""A small file of what a driver must remember; replaced whole: a power cut leaves the old one or the new one."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

logger = logging.getLogger(__name__)

_T = TypeVar("_T")


class StateFile(Generic[_T]):
    """One value in one JSON file."""

    def __init__(self, path: Path, shape: TypeAdapter[_T]) -> None:
        self._path = path
        self._shape = shape

    def load(self) -> _T | None:
        """Return the value, or None where there is none yet.

        A damaged file is set aside with the ending ``.damaged`` and reported, and counts as none. Raises ``OSError``
        where the file cannot be read.
        """
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return None
        try:
            return self._shape.validate_json(content)
        except ValidationError:
            aside = self._path.with_name(f"{self._path.name}.damaged")
            self._path.replace(aside)
            logger.error("%s is damaged; it is kept as %s, and counting begins anew", self._path, aside.name)  # noqa: TRY400 - the traceback says nothing more
            return None

    def save(self, value: _T) -> None:
        """Replace the file's value; it is on the disk when this returns. Raises ``OSError``."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_name(f"{self._path.name}.new")
        with fresh.open("wb") as file:
            file.write(self._shape.dump_json(value))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

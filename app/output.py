"""Where a command puts what it made: on the screen, or in a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from api.languages import page_languages
from domain.errors import OperatorError


class Output(NamedTuple):
    """In which form somebody wants a report, and where."""

    form: str
    """``pdf``, ``csv`` or a form of text."""
    file: Path | None = None
    """None: on the screen."""
    language: str = "en"
    """Of a PDF."""

    def check(self) -> None:
        """Raise ``OperatorError`` for what cannot be, before any work is done."""
        if self.form == "pdf" and self.file is None:
            raise OperatorError("a PDF does not go on the screen; name a file with --out")
        known = [each.code for each in page_languages().choices]
        if self.language not in known:
            raise OperatorError(f"found the language {self.language!r}; allowed: {', '.join(known)}")

    def write(self, content: str | bytes, say: Callable[[str], None]) -> None:
        """Say a text, or write text or bytes to the file."""
        if self.file is None:
            say(str(content).rstrip("\r\n"))
            return
        # The mark makes a spreadsheet read UTF-8.
        encoding = "utf-8-sig" if self.form in ("csv", "outages") else "utf-8"
        try:
            self.file.write_bytes(content if isinstance(content, bytes) else content.encode(encoding, "replace"))
        except OSError as error:
            raise OperatorError(f"{self.file} cannot be written: {error.strerror}") from error

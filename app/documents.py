"""Finds and reads the documents that people write, YAML or CSV, and says clearly what cannot be read."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from app.csv_document import parse_csv
from app.yaml_document import parse_document, place_after, refusal, render_document
from domain.document import Document
from domain.errors import OperatorError

__all__ = ["parse_csv", "parse_document", "read_document", "read_documents", "render_document"]

MAX_BYTES: Final = 128 * 1024 * 1024


def read_document(path: Path, *, may_be_empty: bool = False) -> Document:
    """Return what the file at ``path`` says: rows for ``.csv``, YAML (or JSON, which is YAML) for every other name.

    A YAML file that says nothing, where that is allowed, gives a document whose data is None. Raises ``OperatorError``
    where there is no file to read and ``DocumentError`` where it cannot be understood.
    """
    text = _decode(_read_bytes(path), str(path))
    if path.suffix.lower() == ".csv":
        return parse_csv(text, str(path))
    return parse_document(text, str(path), may_be_empty=may_be_empty)


def read_documents(path: Path) -> list[Document]:
    """Return the document at ``path``, or those of every YAML and CSV file in that folder, in order of name."""
    if not path.is_dir():
        return [read_document(path)]
    files = sorted(file for file in path.iterdir() if file.suffix.lower() in {".yaml", ".yml", ".csv"})
    if not files:
        raise OperatorError(f"{path}: the folder holds no .yaml, .yml or .csv file")
    return [read_document(file) for file in files]


def _read_bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise OperatorError(f"{path}: the file is larger than {MAX_BYTES // 1024 // 1024} MB")
        return path.read_bytes()
    except FileNotFoundError:
        raise OperatorError(f"{path}: there is no such file") from None
    except OSError as error:
        raise OperatorError(f"{path}: cannot be read: {error.strerror}") from error


def _decode(content: bytes, source: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8-sig", errors="replace")
        line, column = place_after(before)
        found = f"the byte 0x{content[error.start]:02x}, which is not UTF-8"
        raise refusal(source, line, column, "document", found, "a file saved as UTF-8") from error

"""The tables through which gammu-smsd takes and gives messages (its schema version 17, Gammu 1.36 and later).

Only the columns that we read or write stand here; the rest have defaults of gammu's own.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, Column, DateTime, Dialect, Integer, MetaData, Table, Text
from sqlalchemy.types import TypeDecorator, TypeEngine


class Flag(TypeDecorator[bool]):
    """A boolean in PostgreSQL; the words ``true`` and ``false`` in SQLite and MySQL."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the column's type in this database."""
        return dialect.type_descriptor(Boolean() if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: bool | None, dialect: Dialect) -> Any:
        """Return what is written."""
        return value if dialect.name == "postgresql" or value is None else str(value).lower()

    def process_result_value(self, value: Any, dialect: Dialect) -> bool | None:
        """Return what was read."""
        return value == "true" if isinstance(value, str) else value


_METADATA = MetaData()

OUTBOX = Table(
    "outbox",
    _METADATA,
    Column("ID", Integer, primary_key=True),
    Column("DestinationNumber", Text),
    Column("Coding", Text),
    Column("UDH", Text),
    Column("TextDecoded", Text),
    Column("MultiPart", Flag),
    Column("SenderID", Text),
    Column("SendingDateTime", DateTime),
    Column("SendingTimeOut", DateTime),
    Column("DeliveryReport", Text),
    Column("CreatorID", Text),
)
OUTBOX_MULTIPART = Table(
    "outbox_multipart",
    _METADATA,
    Column("ID", Integer, primary_key=True, autoincrement=False),
    Column("SequencePosition", Integer, primary_key=True),
    Column("Coding", Text),
    Column("UDH", Text),
    Column("TextDecoded", Text),
)
SENT_ITEMS = Table(
    "sentitems",
    _METADATA,
    Column("ID", Integer, primary_key=True),
    Column("SequencePosition", Integer, primary_key=True),
    Column("Status", Text),
    Column("StatusError", Integer),
    Column("CreatorID", Text),
)
INBOX = Table(
    "inbox",
    _METADATA,
    Column("ID", Integer, primary_key=True),
    Column("SenderNumber", Text),
    Column("Coding", Text),
    Column("UDH", Text),
    Column("TextDecoded", Text),
    Column("Processed", Flag),
)

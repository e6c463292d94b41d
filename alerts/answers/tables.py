"""The SQL table of what people wrote to us; it belongs to the metadata of this room."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text, UniqueConstraint

from alerts.tables import METADATA, Moment

INBOX = Table(
    "alert_inbox",
    METADATA,
    # SQLite numbers rows by itself only where the key is spelled INTEGER.
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("channel", String, nullable=False),
    Column("reference", String, nullable=False),
    Column("sender", String, nullable=False),
    Column("contact", String, nullable=False),
    Column("text", Text, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("meaning", String, nullable=False),
    Column("alerts", Text, nullable=False),
    Column("answered", Text, nullable=False),
    UniqueConstraint("channel", "reference"),
    Index("alert_inbox_by_sender", "channel", "sender", "received_at"),
    Index("alert_inbox_by_time", "received_at"),
    sqlite_autoincrement=True,
)
"""Everything that was written, what it meant, the alerts that it was about (numbers with commas) and our answer."""

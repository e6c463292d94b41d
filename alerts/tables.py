"""The SQL tables of this room, the same for SQLite and PostgreSQL.

Moments are integers of milliseconds since 1970, because SQLite has no type for them; ``audit`` takes inserts only.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    DDL,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    event,
    text,
)

from domain.instant import to_datetime, to_ms

METADATA = MetaData()


class Moment(TypeDecorator[datetime]):
    """An aware UTC datetime, kept as integer milliseconds since 1970."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Return the milliseconds; a datetime without a zone raises ``ValueError``."""
        return None if value is None else to_ms(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Return the datetime."""
        return None if value is None else to_datetime(value)


def _identity() -> Column[int]:
    # SQLite numbers rows by itself only where the key is spelled INTEGER.
    return Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True)


EPISODES = Table(
    "episodes",
    METADATA,
    Column("id", String, primary_key=True),
    Column("rule", String, nullable=False),
    Column("severity", Integer, nullable=False),
    Column("subject_kind", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("facility", String, nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("confirmed_at", Moment, nullable=False),
    Column("ended_at", Moment),
    Column("extreme", Float(53)),
    Column("extreme_at", Moment),
    Column("retracted_at", Moment),
    Index("episodes_by_subject", "subject", "started_at"),
    Index("episodes_by_facility", "facility", "started_at"),
)
"""Every episode, retracted ones too: an alert may refer to them."""

ALERTS = Table(
    "alerts",
    METADATA,
    _identity(),
    Column("episode", String, ForeignKey("episodes.id"), nullable=False, unique=True),
    Column("facility", String, nullable=False),
    Column("state", String, nullable=False),
    Column("past", Boolean, nullable=False),
    Column("silent", Boolean, nullable=False),
    Column("raised_at", Moment, nullable=False),
    Column("alarmed_severity", Integer, nullable=False),
    Column("alarmed_extreme", Float(53)),
    Column("acknowledged_at", Moment),
    Column("acknowledged_by", String, nullable=False),
    Column("transitions", Integer, nullable=False),
    Index("alerts_by_facility", "facility", "id"),
    Index("alerts_open", "id", sqlite_where=text("state <> 'normal'"), postgresql_where=text("state <> 'normal'")),
    sqlite_autoincrement=True,  # a reference that a technician wrote down is never given to another alert
)
"""One alert per episode; times and extremes stand in the episode alone."""

NOTIFICATIONS = Table(
    "notifications",
    METADATA,
    _identity(),
    Column("alert", ForeignKey("alerts.id"), nullable=False),
    Column("transition", Integer, nullable=False),
    Column("kind", String, nullable=False),
    Column("contact", String, nullable=False),
    Column("channel", String, nullable=False),
    Column("address", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("subject", Text, nullable=False),
    Column("short_text", Text, nullable=False),
    Column("long_text", Text, nullable=False),
    Column("facts", Text, nullable=False),
    Column("state", String, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("queued_at", Moment, nullable=False),
    Column("next_attempt_at", Moment),
    Column("deadline", Moment, nullable=False),
    Column("settled_at", Moment),
    Column("delivery_reference", String, nullable=False),
    Column("last_error", Text, nullable=False),
    UniqueConstraint("alert", "transition", "contact", "channel"),
    CheckConstraint("state IN ('queued', 'submitted', 'delivered', 'failed', 'cancelled')"),
    Index(
        "notifications_waiting",
        *("channel", "next_attempt_at", "id"),
        sqlite_where=text("next_attempt_at IS NOT NULL"),
        postgresql_where=text("next_attempt_at IS NOT NULL"),
    ),
    Index("notifications_to_recipient", "alert", "contact", "channel", "id"),
    sqlite_autoincrement=True,
)
"""The outbox, and the log of what came of it."""

AUDIT = Table(
    "alert_audit",
    METADATA,
    _identity(),
    Column("alert", ForeignKey("alerts.id"), nullable=False),
    Column("at", Moment, nullable=False),
    Column("who", String, nullable=False),
    Column("origin", String, nullable=False),
    Column("what", String, nullable=False),
    Column("detail", Text, nullable=False),
    Index("alert_audit_by_alert", "alert", "id"),
    sqlite_autoincrement=True,
)
"""Who did what to an alert, when and from where; rows are only ever added."""

_REFUSAL = "the audit log takes inserts only"
for _operation in ("UPDATE", "DELETE"):
    event.listen(
        AUDIT,
        "after_create",
        DDL(  # type: ignore[no-untyped-call]  # SQLAlchemy has no annotations here
            f"CREATE TRIGGER alert_audit_no_{_operation.lower()} BEFORE {_operation} ON alert_audit "
            f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
        ).execute_if(dialect="sqlite"),
    )
for _statement in (
    "CREATE OR REPLACE FUNCTION alert_audit_refuse() RETURNS trigger LANGUAGE plpgsql AS "
    f"$$ BEGIN RAISE EXCEPTION '{_REFUSAL}'; END $$",
    "CREATE TRIGGER alert_audit_inserts_only BEFORE UPDATE OR DELETE OR TRUNCATE ON alert_audit "
    "FOR EACH STATEMENT EXECUTE FUNCTION alert_audit_refuse()",
):
    event.listen(
        AUDIT,
        "after_create",
        DDL(_statement).execute_if(dialect="postgresql"),  # type: ignore[no-untyped-call]  # as above
    )

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
    Column("incident", BigInteger),
    Column("acknowledged_until", Moment),
    Index("alerts_by_facility", "facility", "id"),
    Index("alerts_by_incident", "incident"),
    Index("alerts_open", "id", sqlite_where=text("state <> 'normal'"), postgresql_where=text("state <> 'normal'")),
    sqlite_autoincrement=True,  # a reference that a technician wrote down is never given to another alert
)
"""One alert per episode; times and extremes stand in the episode alone. ``incident`` is the number of the alert that
the incident began with; null until somebody is to be told."""

TELLINGS = Table(
    "tellings",
    METADATA,
    _identity(),
    Column("alert", ForeignKey("alerts.id"), nullable=False),
    Column("transition", Integer, nullable=False),
    Column("kind", String, nullable=False),
    Column("contact", String, nullable=False),
    Column("by", String, nullable=False),
    Column("occasion", String, nullable=False),
    Column("who", String, nullable=False),
    Column("wanted_at", Moment, nullable=False),
    Column("due_at", Moment),
    Column("hold", String, nullable=False),
    Column("bundle", BigInteger),
    UniqueConstraint("alert", "transition", "contact", "by"),
    Index(
        "tellings_due", "due_at", sqlite_where=text("due_at IS NOT NULL"), postgresql_where=text("due_at IS NOT NULL")
    ),
    Index("tellings_by_bundle", "bundle"),
    sqlite_autoincrement=True,
)
"""Whom an alert is told to. One that waits has ``due_at``; one that went out has the ``bundle`` of its notifications,
which is the number of the first telling in it; one that was dropped has neither, and the audit log says why.
``contact`` is empty for a system, whose channel is in ``by`` then; otherwise ``by`` holds the media asked for."""

ESCALATIONS = Table(
    "escalations",
    METADATA,
    Column("incident", BigInteger, primary_key=True, autoincrement=False),
    Column("step", Integer, nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("due_at", Moment),
    Column("occasion", String, nullable=False),
    Column("who", String, nullable=False),
    Index("escalations_due", "due_at"),
)
"""Incidents that nobody has answered yet: the next step of their chain, and when it is due; null after the last."""

SILENCES = Table(
    "silences",
    METADATA,
    _identity(),
    Column("kind", String, nullable=False),
    Column("country", String, nullable=False),
    Column("region", String, nullable=False),
    Column("district", String, nullable=False),
    Column("facility", String, nullable=False),
    Column("equipment", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("rule", String, nullable=False),
    Column("start", Moment, nullable=False),
    Column("end", Moment),
    Column("weekdays", String, nullable=False),
    Column("from_time", String, nullable=False),
    Column("to_time", String, nullable=False),
    Column("timezone", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("created_by", String, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("cancelled_by", String, nullable=False),
    Column("cancelled_at", Moment),
    sqlite_autoincrement=True,
)
"""Shelvings and maintenance windows; nothing is deleted, one that is taken back is marked."""

CLOSINGS = Table(
    "closings",
    METADATA,
    Column("alert", ForeignKey("alerts.id"), primary_key=True),
    Column("at", Moment, nullable=False),
    Column("by", String, nullable=False),
    Column("origin", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("doses_affected", Integer),
    Column("note", Text, nullable=False),
)
"""What was found and done about an alert."""

NOTIFICATIONS = Table(
    "notifications",
    METADATA,
    _identity(),
    Column("key", String, nullable=False, unique=True),
    Column("bundle", BigInteger),
    Column("alert", ForeignKey("alerts.id")),
    Column("kind", String, nullable=False),
    Column("contact", String, nullable=False),
    Column("channel", String, nullable=False),
    Column("fallbacks", String, nullable=False),
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
    Column("report_due_at", Moment),
    Column("deadline", Moment, nullable=False),
    Column("settled_at", Moment),
    Column("delivery_reference", String, nullable=False),
    Column("last_error", Text, nullable=False),
    CheckConstraint("state IN ('queued', 'submitted', 'delivered', 'failed', 'cancelled', 'unknown', 'acknowledged')"),
    Index(
        "notifications_waiting",
        *("channel", "next_attempt_at", "id"),
        sqlite_where=text("next_attempt_at IS NOT NULL"),
        postgresql_where=text("next_attempt_at IS NOT NULL"),
    ),
    Index("notifications_to_recipient", "alert", "contact", "channel", "id"),
    Index("notifications_to_contact", "contact", "queued_at"),
    Index("notifications_by_bundle", "bundle"),
    Index("notifications_by_reference", "channel", "delivery_reference"),
    Index(
        "notifications_unreported",
        "report_due_at",
        sqlite_where=text("report_due_at IS NOT NULL"),
        postgresql_where=text("report_due_at IS NOT NULL"),
    ),
    sqlite_autoincrement=True,
)
"""The outbox, and the log of what came of it. ``alert`` is the one that gives the message its reference; ``fallbacks``
are the channels, with their addresses, that are left for it, as JSON."""

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

INBOX = Table(
    "alert_inbox",
    METADATA,
    _identity(),
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
"""Everything that was written to us: what it meant, the alerts it was about (numbers with commas), our answer."""

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
